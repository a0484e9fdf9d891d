/** A thread that verifies: answers each batch with a byte for each signature, 1 where it is valid. */
import { verify } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { readBatch } from './batch.js';
import { Keys } from './keys.js';

const keys = new Keys();

function isValid(bytes: Buffer, publicKey: Buffer, signature: Buffer): boolean {
  try {
    return verify(null, bytes, keys.get(publicKey), signature);
  } catch {
    // The library does not take every key that is well formed.
    return false;
  }
}

parentPort?.on('message', (batch: Uint8Array) => {
  const answers: number[] = [];
  readBatch(batch, (bytes, publicKey, signature) => {
    answers.push(isValid(bytes, publicKey, signature) ? 1 : 0);
  });
  parentPort?.postMessage(Uint8Array.from(answers));
});
