import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../../../support/properties.js';
import { SCHEMES, type SignatureScheme } from '../../../../src/protocol/schemes/table.js';
import { packBatch, readBatch, type SignedBytes } from '../../../../src/registry/write/verifier/batch.js';

const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((some) => Buffer.from(some).toString('hex'));

test('what is packed comes out again, in order', () => {
  const signedBy = (scheme: SignatureScheme) =>
    fc.record(
      {
        scheme: fc.constant(scheme),
        bytes: fc.uint8Array(),
        publicKey: hex(scheme.keyBytes).map((key) => (scheme.idKind === 'ethereum' ? `0x${key}` : key)),
        signature: hex(scheme.signatureBytes),
      },
      { noNullPrototype: true },
    );
  const signed = fc.oneof(...SCHEMES.map(signedBy));
  fc.assert(
    fc.property(fc.array(signed), (batch) => {
      const read: SignedBytes[] = [];
      readBatch(packBatch(batch), (scheme, bytes, publicKey, signature) => {
        read.push({
          scheme,
          bytes: Uint8Array.from(bytes),
          publicKey: publicKey.toString('hex'),
          signature: signature.toString('hex'),
        });
      });
      const inHex = batch.map((one) => ({ ...one, publicKey: one.scheme.keyHex(one.publicKey) }));
      assert.deepEqual(read, inHex);
    }),
  );
});
