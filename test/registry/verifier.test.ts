import assert from 'node:assert/strict';
import crypto, { randomBytes } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import test from 'node:test';
import fc from 'fast-check';
import { isAcceptablePublicKey, signedBytes } from '../../src/protocol/signing.js';
import { Verifier, VerifierOverloadedError } from '../../src/registry/verifier.js';
import { TestKey } from '../support/keys.js';

interface Request {
  bytes: Uint8Array;
  publicKey: string;
  signature: string;
  valid: boolean;
}

const KEYS = Array.from({ length: 5 }, () => new TestKey());

function request(number: number, valid: boolean): Request {
  const key = KEYS[number % KEYS.length]!;
  const providerId = `p${String(number)}`;
  return {
    bytes: signedBytes({ action: 'advertise', providerId, t: 1, payload: valid ? '{}' : '[]' }),
    publicKey: key.publicKey,
    signature: key.sign('advertise', providerId, 1, '{}'),
    valid,
  };
}

test('everybody gets the answer to their own signature, however many wait at the same time', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 60 }), async (wanted) => {
      const verifier = new Verifier();
      const requests = wanted.map((valid, number) => request(number, valid));
      const answers = await Promise.all(
        requests.map(({ bytes, publicKey, signature }) => verifier.verify(bytes, publicKey, signature)),
      );
      assert.deepEqual(answers, wanted);
      assert.equal(verifier.pending, 0);
    }),
    { numRuns: 15 },
  );
});

test('thousands that wait are answered, first come first served', async () => {
  const verifier = new Verifier();
  const some = Array.from({ length: 20 }, (_, number) => request(number, number % 3 !== 0));
  const finished: number[] = [];
  await Promise.all(
    Array.from({ length: 3000 }, async (_, number) => {
      const { bytes, publicKey, signature, valid } = some[number % some.length]!;
      assert.equal(await verifier.verify(bytes, publicKey, signature), valid);
      finished.push(number);
    }),
  );
  // As many as run at once may overtake each other.
  finished.forEach((number, position) => {
    assert.ok(Math.abs(number - position) <= 16, `${String(number)} was number ${String(position)}`);
  });
});

test('more than 20,000 that wait are turned away at once, and those that wait are answered', async () => {
  const verifier = new Verifier();
  // Keys that are none are answered without a thread, so this is about the queue alone.
  const { bytes, publicKey, signature } = request(1, true);
  const accepted = Array.from({ length: 20_000 }, () => verifier.verify(bytes, publicKey, signature));
  assert.equal(verifier.pending, 20_000);
  await assert.rejects(verifier.verify(bytes, publicKey, signature), VerifierOverloadedError);
  assert.equal(await verifier.verify(bytes, '00'.repeat(32), signature), false);
  await Promise.race(accepted);
  assert.equal(await verifier.verify(bytes, publicKey, signature), true, 'there is room again');
  assert.ok((await Promise.all(accepted)).every((valid) => valid));
});

test('a key that lies on no curve is a signature that is not valid, and does not stop the others', async () => {
  const verifier = new Verifier();
  const { bytes, publicKey, signature } = request(1, true);
  const odd = Array.from({ length: 100 }, () => randomBytes(32).toString('hex')).filter(
    isAcceptablePublicKey,
  );
  const answers = await Promise.all(odd.map((key) => verifier.verify(bytes, key, signature)));
  assert.ok(answers.every((valid) => !valid));
  assert.equal(await verifier.verify(bytes, publicKey, signature), true);
});

test('imported keys are kept, those that were used last, up to a bound', async (t) => {
  const imported: string[] = [];
  const { createPublicKey } = crypto;
  t.after(() => {
    crypto.createPublicKey = createPublicKey;
    syncBuiltinESMExports();
  });
  crypto.createPublicKey = ((input: { key: Buffer }) => {
    imported.push(input.key.subarray(-32).toString('hex'));
    return createPublicKey({ ...input, format: 'der', type: 'spki' });
  }) as typeof createPublicKey;
  syncBuiltinESMExports();

  const verifier = new Verifier();
  const { bytes, signature } = request(1, true);
  const keyOf = (number: number) => number.toString(16).padStart(8, '0').repeat(8);
  const use = (...numbers: number[]) =>
    Promise.all(numbers.map((number) => verifier.verify(bytes, keyOf(number), signature)));
  const newlyImported = async (...numbers: number[]) => {
    imported.length = 0;
    await use(...numbers);
    return imported.map((key) => Number.parseInt(key.slice(0, 8), 16));
  };
  const bound = 8192;
  const first = Array.from({ length: bound }, (_, index) => index + 1);
  assert.equal((await newlyImported(...first)).length, bound);
  assert.deepEqual(await newlyImported(1, 5, bound, 1), [], 'all of them are kept');
  assert.deepEqual(await newlyImported(bound + 1), [bound + 1]);
  assert.deepEqual(await newlyImported(1, 5, 3), [], 'those used since are not the one that went');
  assert.deepEqual(await newlyImported(2), [2], 'the one that was used longest ago went');
});
