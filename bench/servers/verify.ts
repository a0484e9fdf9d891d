/** The minimum for signatures: verifies those in a file, one after the other, on one thread. */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { deserialize } from 'node:v8';
import { serveCalls } from '../rpc.js';

/** Signatures as in the file (`v8.serialize`). */
export interface SignatureFile {
  /** DER (SPKI). */
  keys: Uint8Array[];
  signed: { key: number; bytes: Uint8Array; signature: Uint8Array }[];
}

export interface VerifyCalls {
  /** Verifies for some seconds; returns the rate per second. */
  verify: (seconds: number) => number;
}

const { keys, signed } = deserialize(readFileSync(process.argv[2]!)) as SignatureFile;
const imported: KeyObject[] = keys.map((key) =>
  createPublicKey({ key: Buffer.from(key), format: 'der', type: 'spki' }),
);

serveCalls<VerifyCalls>({
  verify: (seconds) => {
    const from = performance.now();
    let count = 0;
    while (performance.now() - from < seconds * 1000) {
      const { key, bytes, signature } = signed[count % signed.length]!;
      if (!verify(null, bytes, imported[key]!, signature)) throw new Error('a signature is not valid');
      count += 1;
    }
    return (count / (performance.now() - from)) * 1000;
  },
});
