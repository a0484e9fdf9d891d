/** What is signed, by whom, and the signature. */
export interface SignedBytes {
  bytes: Uint8Array;
  /** Lower-case hex, 64 digits. */
  publicKey: string;
  /** Lower-case hex, 128 digits. */
  signature: string;
}

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const LENGTH_BYTES = 4;
const FIXED_BYTES = LENGTH_BYTES + KEY_BYTES + SIGNATURE_BYTES;

/** Puts signatures one behind the other into memory that can travel to a thread: one hand-over for all of them. */
export function packBatch(batch: readonly SignedBytes[]): Uint8Array<ArrayBuffer> {
  let size = 0;
  for (const { bytes } of batch) size += FIXED_BYTES + bytes.length;
  // Memory of its own, because what comes out of Node's pool cannot travel.
  const packed = Buffer.from(new ArrayBuffer(size));
  let at = 0;
  for (const { bytes, publicKey, signature } of batch) {
    at = packed.writeUInt32LE(bytes.length, at);
    at += packed.write(publicKey, at, 'hex');
    at += packed.write(signature, at, 'hex');
    packed.set(bytes, at);
    at += bytes.length;
  }
  return packed;
}

/** Calls `take` for each signature of a batch, in order, with views of its memory. */
export function readBatch(
  batch: Uint8Array,
  take: (bytes: Buffer, publicKey: Buffer, signature: Buffer) => void,
): void {
  const packed = Buffer.from(batch.buffer, batch.byteOffset, batch.length);
  for (let at = 0; at < packed.length;) {
    const size = packed.readUInt32LE(at);
    const publicKey = at + LENGTH_BYTES;
    const signature = publicKey + KEY_BYTES;
    const bytes = signature + SIGNATURE_BYTES;
    at = bytes + size;
    take(
      packed.subarray(bytes, at),
      packed.subarray(publicKey, signature),
      packed.subarray(signature, bytes),
    );
  }
}
