/** A verifier thread: answers each batch with one byte per signature, 1 if it is valid. */
import { parentPort } from 'node:worker_threads';
import { readBatch } from './batch.js';
import { loadVerifiers } from './libraries.js';

const verifiers = loadVerifiers();

parentPort?.on('message', (batch: Uint8Array) => {
  const answers: number[] = [];
  readBatch(batch, (scheme, bytes, publicKey, signature) => {
    answers.push(verifiers[scheme.name](bytes, publicKey, signature) ? 1 : 0);
  });
  parentPort?.postMessage(Uint8Array.from(answers));
});
