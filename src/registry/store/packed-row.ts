import { chosenPart, MAX_TAIL_BYTES } from './advertisement-json.js';
import type { AdvertisementRecord } from './records.js';
import { packProof, roomForProof, type UnpackedProof, unpackProof, unpackSigner } from './packed-proof.js';

/** The bytes of an advertisement as stored in the arena: its head, room for its tail, and its proof. */
export interface PackedRow {
  /** A view, valid until the next row is packed. */
  bytes: Buffer;
  headBytes: number;
  /** 0 for an unsigned advertisement. */
  proofBytes: number;
}

let scratch = Buffer.allocUnsafeSlow(1 << 16);

/** @param head The result of `renderHead` for the record. */
export function packRow(record: AdvertisementRecord, head: string): PackedRow {
  const { proof, providerId } = record;
  const room = 3 * head.length + MAX_TAIL_BYTES + (proof === null ? 0 : roomForProof(proof));
  if (room > scratch.length) scratch = Buffer.allocUnsafeSlow(room);
  const headBytes = scratch.write(head, 'utf8');
  const proofAt = headBytes + MAX_TAIL_BYTES;
  const end =
    proof === null
      ? proofAt
      : packProof(
          proof,
          providerId,
          chosenPart(providerId, scratch.subarray(0, headBytes)),
          scratch,
          proofAt,
        );
  return { bytes: scratch.subarray(0, end), headBytes, proofBytes: end - proofAt };
}

/** The size of a row with parts of these sizes. */
export function rowBytes(headBytes: number, proofBytes: number): number {
  return headBytes + MAX_TAIL_BYTES + proofBytes;
}

/** The proof in the bytes of a row that has one. */
export function proofIn(bytes: Buffer, headBytes: number, providerId: string): UnpackedProof {
  const { from, to } = chosenPart(providerId, bytes.subarray(0, headBytes));
  return unpackProof(bytes.subarray(headBytes + MAX_TAIL_BYTES), providerId, bytes.subarray(from, to));
}

/** The signer and signed time of a row that has a proof. */
export function signerIn(
  bytes: Buffer,
  headBytes: number,
  providerId: string,
): { publicKey: string; t: number } {
  return unpackSigner(bytes.subarray(headBytes + MAX_TAIL_BYTES), providerId);
}
