import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { packBatch, readBatch, type SignedBytes } from '../../../../src/registry/write/verifier/batch.js';

const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((some) => Buffer.from(some).toString('hex'));

test('what is packed comes out again, in order', () => {
  const signed = fc.record(
    { bytes: fc.uint8Array(), publicKey: hex(32), signature: hex(64) },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(signed), (batch) => {
      const read: SignedBytes[] = [];
      readBatch(packBatch(batch), (bytes, publicKey, signature) => {
        read.push({
          bytes: Uint8Array.from(bytes),
          publicKey: publicKey.toString('hex'),
          signature: signature.toString('hex'),
        });
      });
      assert.deepEqual(read, batch);
    }),
  );
});
