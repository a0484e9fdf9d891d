import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import test from 'node:test';
import { Keys } from '../../../src/registry/verifier/keys.js';

test('imported keys are kept, those that were used last, up to a bound', (t) => {
  const imported: string[] = [];
  const { createPublicKey } = crypto;
  const someKey = crypto.generateKeyPairSync('ed25519').publicKey;
  const replaceBy = (replacement: typeof createPublicKey): void => {
    Object.assign(crypto, { createPublicKey: replacement });
    syncBuiltinESMExports();
  };
  t.after(() => {
    replaceBy(createPublicKey);
  });
  replaceBy(((input: { key: { x: string } }) => {
    imported.push(input.key.x);
    return someKey;
  }) as unknown as typeof createPublicKey);

  const keys = new Keys();
  const keyOf = (number: number): Buffer => Buffer.alloc(32, number.toString(16).padStart(8, '0'), 'hex');
  const newlyImported = (...numbers: number[]): number[] => {
    imported.length = 0;
    for (const number of numbers) keys.get(keyOf(number));
    return imported.map((key) => Buffer.from(key, 'base64url').readUInt32BE());
  };
  const bound = 8192;
  const first = Array.from({ length: bound }, (_, index) => index + 1);
  assert.equal(newlyImported(...first).length, bound);
  assert.deepEqual(newlyImported(1, 5, bound, 1), [], 'all of them are kept');
  assert.deepEqual(newlyImported(bound + 1), [bound + 1]);
  assert.deepEqual(newlyImported(1, 5, 3), [], 'those used since are not the one that went');
  assert.deepEqual(newlyImported(2), [2], 'the one that was used longest ago went');
});
