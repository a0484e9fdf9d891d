import assert from 'node:assert/strict';
import crypto, { randomBytes } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import test, { type TestContext } from 'node:test';
import fc from 'fast-check';
import { isAcceptablePublicKey, signedBytes } from '../../src/protocol/signing.js';
import { Verifier, VerifierOverloadedError } from '../../src/registry/verifier.js';
import { TestKey } from '../support/keys.js';
import { sequences } from '../support/steps.js';

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
    fc.asyncProperty(sequences(fc.boolean(), 60), async (wanted) => {
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

/** Puts functions in the place of node:crypto's for one test. */
function replaceCrypto(t: TestContext, replacements: Partial<typeof crypto>): void {
  const { createPublicKey, verify } = crypto;
  const set = (functions: Partial<typeof crypto>): void => {
    Object.assign(crypto, functions);
    syncBuiltinESMExports();
  };
  t.after(() => {
    set({ createPublicKey, verify });
  });
  set(replacements);
}

type Callback = (error: Error | null, valid: boolean) => void;

test('signatures are worked off in the order they came, a few at a time', async (t) => {
  const started: Callback[] = [];
  const order: number[] = [];
  replaceCrypto(t, {
    verify: ((_algorithm: null, bytes: Uint8Array, _key: unknown, _signature: unknown, done: Callback) => {
      order.push(Buffer.from(bytes).readUInt32BE());
      started.push(done);
    }) as unknown as typeof crypto.verify,
  });
  const verifier = new Verifier();
  const { publicKey, signature } = request(1, true);
  const answers = Array.from({ length: 5000 }, (_, number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(number);
    return verifier.verify(bytes, publicKey, signature);
  });
  assert.equal(verifier.pending, 5000);
  for (let finished = 0; finished < 5000; finished += 1) {
    assert.ok(started.length > 0 && started.length <= 8, `${started.length} run at once`);
    // Threads do not finish in order.
    const [done] = started.splice(finished % started.length, 1);
    done!(null, true);
    assert.equal(verifier.pending, 4999 - finished);
  }
  await Promise.all(answers);
  assert.deepEqual(order, [...order.keys()]);
});

test('more than 20,000 that wait are turned away at once, and those that wait are answered', async (t) => {
  const started: Callback[] = [];
  replaceCrypto(t, {
    verify: ((...[, , , , done]: [null, unknown, unknown, unknown, Callback]) => {
      started.push(done);
    }) as unknown as typeof crypto.verify,
  });
  const verifier = new Verifier();
  const { bytes, publicKey, signature } = request(1, true);
  const accepted = Array.from({ length: 20_000 }, () => verifier.verify(bytes, publicKey, signature));
  await assert.rejects(verifier.verify(bytes, publicKey, signature), VerifierOverloadedError);
  assert.equal(
    await verifier.verify(bytes, '00'.repeat(32), signature),
    false,
    'what is no key does not wait',
  );
  started.shift()!(null, true);
  const another = verifier.verify(bytes, publicKey, signature);
  await assert.rejects(verifier.verify(bytes, publicKey, signature), VerifierOverloadedError);
  while (started.length > 0) started.shift()!(null, true);
  assert.ok((await Promise.all([...accepted, another])).every((valid) => valid));
});

test('an error of the library is a signature that is not valid', async (t) => {
  replaceCrypto(t, {
    verify: ((...[, , , , done]: [null, unknown, unknown, unknown, Callback]) => {
      setImmediate(done, new Error('unexpected'), true);
    }) as unknown as typeof crypto.verify,
  });
  const { bytes, publicKey, signature } = request(1, true);
  assert.equal(await new Verifier().verify(bytes, publicKey, signature), false);
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
  const someKey = crypto.generateKeyPairSync('ed25519').publicKey;
  replaceCrypto(t, {
    createPublicKey: ((input: { key: { x: string } }) => {
      imported.push(Buffer.from(input.key.x, 'base64url').toString('hex'));
      return someKey;
    }) as unknown as typeof crypto.createPublicKey,
    verify: ((...[, , , , done]: [null, unknown, unknown, unknown, Callback]) => {
      queueMicrotask(() => {
        done(null, true);
      });
    }) as unknown as typeof crypto.verify,
  });
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
