import type { ProofRecord } from './persistence.js';

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const TIME_AT = KEY_BYTES + SIGNATURE_BYTES;
const PAYLOAD_AT = TIME_AT + 8;

/** Packs a proof as key, signature, time and payload, without the overhead of hex and objects. */
export function packProof(proof: ProofRecord): Buffer {
  const packed = Buffer.allocUnsafe(PAYLOAD_AT + proof.payload.length);
  packed.write(proof.publicKey, 0, 'hex');
  packed.write(proof.signature, KEY_BYTES, 'hex');
  packed.writeDoubleLE(proof.t, TIME_AT);
  packed.set(proof.payload, PAYLOAD_AT);
  return packed;
}

/** Reads what `packProof` wrote; the payload is a copy. */
export function unpackProof(packed: Buffer): ProofRecord {
  return {
    publicKey: packed.toString('hex', 0, KEY_BYTES),
    signature: packed.toString('hex', KEY_BYTES, TIME_AT),
    t: packed.readDoubleLE(TIME_AT),
    payload: Uint8Array.prototype.slice.call(packed, PAYLOAD_AT),
  };
}
