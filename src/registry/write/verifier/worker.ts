/** A thread that verifies: answers each batch with a byte for each signature, 1 where it is valid. */
import { parentPort } from 'node:worker_threads';
import { readBatch } from './batch.js';
import { loadVerifyEd25519 } from './ed25519.js';

const verify = await loadVerifyEd25519();

parentPort?.on('message', (batch: Uint8Array) => {
  const answers: number[] = [];
  readBatch(batch, (bytes, publicKey, signature) => {
    answers.push(verify(bytes, publicKey, signature) ? 1 : 0);
  });
  parentPort?.postMessage(Uint8Array.from(answers));
});
