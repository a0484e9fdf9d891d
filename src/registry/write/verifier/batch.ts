import { SCHEMES, type SignatureScheme } from '../../../protocol/schemes/table.js';

/** Signed bytes, the scheme, the key, and the signature. */
export interface SignedBytes {
  scheme: SignatureScheme;
  bytes: Uint8Array;
  publicKey: string;
  /** Lower-case hex. */
  signature: string;
}

/** The length of the signed bytes, and the number of the scheme. */
const HEAD_BYTES = 4 + 1;

/** Packs signatures into one block of memory that can be transferred to a thread. */
export function packBatch(batch: readonly SignedBytes[]): Uint8Array<ArrayBuffer> {
  let size = 0;
  for (const { bytes, scheme } of batch) {
    size += HEAD_BYTES + scheme.keyBytes + scheme.signatureBytes + bytes.length;
  }
  // A buffer of its own, because those from Node's pool cannot be transferred.
  const packed = Buffer.from(new ArrayBuffer(size));
  let at = 0;
  for (const { scheme, bytes, publicKey, signature } of batch) {
    at = packed.writeUInt32LE(bytes.length, at);
    at = packed.writeUInt8(SCHEMES.indexOf(scheme), at);
    at += packed.write(scheme.keyHex(publicKey), at, 'hex');
    at += packed.write(signature, at, 'hex');
    packed.set(bytes, at);
    at += bytes.length;
  }
  return packed;
}

/** Calls `take` for each signature of a batch, in order, with views of its memory. */
export function readBatch(
  batch: Uint8Array,
  take: (scheme: SignatureScheme, bytes: Buffer, publicKey: Buffer, signature: Buffer) => void,
): void {
  const packed = Buffer.from(batch.buffer, batch.byteOffset, batch.length);
  for (let at = 0; at < packed.length;) {
    const size = packed.readUInt32LE(at);
    const scheme = SCHEMES[packed.readUInt8(at + HEAD_BYTES - 1)]!;
    const publicKey = at + HEAD_BYTES;
    const signature = publicKey + scheme.keyBytes;
    const bytes = signature + scheme.signatureBytes;
    at = bytes + size;
    take(
      scheme,
      packed.subarray(bytes, at),
      packed.subarray(publicKey, signature),
      packed.subarray(signature, bytes),
    );
  }
}
