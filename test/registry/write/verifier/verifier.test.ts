import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import test from 'node:test';
import type { Worker } from 'node:worker_threads';
import fc from '../../../support/properties.js';
import { ED25519, isAcceptablePublicKey } from '../../../../src/protocol/schemes/ed25519.js';
import { signedBytes } from '../../../../src/protocol/signing.js';
import { readBatch } from '../../../../src/registry/write/verifier/batch.js';
import {
  Verifier,
  VerifierUnavailableError,
  type VerifierWorker,
} from '../../../../src/registry/write/verifier/verifier.js';
import { TestKey } from '../../../support/data/keys.js';
import { sequences } from '../../../support/worlds/steps.js';

interface Request {
  bytes: Uint8Array;
  publicKey: string;
  signature: string;
}

const KEYS = Array.from({ length: 5 }, () => new TestKey());

function request(number: number, valid: boolean): Request {
  const key = KEYS[number % KEYS.length]!;
  const providerId = `p${String(number)}`;
  return {
    bytes: signedBytes({ action: 'advertise', providerId, t: 1, payload: valid ? '{}' : '[]' }),
    publicKey: key.publicKey,
    signature: key.sign('advertise', providerId, 1, '{}'),
  };
}

function verify(verifier: Verifier, { bytes, publicKey, signature }: Request): Promise<boolean> {
  return verifier.verify(ED25519, bytes, publicKey, signature);
}

/** Threads that answer when the test says so. */
class HeldVerifier extends Verifier {
  readonly threads: HeldWorker[] = [];

  protected override spawnWorker(): VerifierWorker {
    const worker = new HeldWorker();
    this.threads.push(worker);
    return worker as unknown as VerifierWorker;
  }
}

class HeldWorker extends EventEmitter {
  readonly batches: Uint8Array[] = [];

  postMessage(batch: Uint8Array): void {
    this.batches.push(batch);
  }

  /** Says of a batch's signatures what `judge` says. Returns what was signed. */
  answer(judge: (bytes: Buffer) => boolean): Buffer[] {
    const signed: Buffer[] = [];
    readBatch(this.batches.shift()!, (_scheme, bytes) => signed.push(bytes));
    this.emit(
      'message',
      Uint8Array.from(signed, (bytes) => (judge(bytes) ? 1 : 0)),
    );
    return signed;
  }

  ref(): void {
    // It keeps nothing alive.
  }

  unref(): void {
    // It keeps nothing alive.
  }

  terminate(): Promise<number> {
    return Promise.resolve(0);
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('everybody gets the answer to their own signature, however many wait at the same time', async () => {
  const verifier = new Verifier();
  await fc.assert(
    fc.asyncProperty(sequences(fc.boolean(), 60), async (wanted) => {
      const answers = await Promise.all(
        wanted.map((valid, number) => verify(verifier, request(number, valid))),
      );
      assert.deepEqual(answers, wanted);
      assert.equal(verifier.pending, 0);
    }),
    { numRuns: 15 },
  );
});

test('signatures are worked off in the order they came, some at a time', async () => {
  const verifier = new HeldVerifier();
  const { publicKey, signature } = request(1, true);
  const answers = Array.from({ length: 5000 }, (_, number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(number);
    return verifier.verify(ED25519, bytes, publicKey, signature);
  });
  await nextTurn();
  const order: number[] = [];
  while (verifier.pending > 0) {
    const before = verifier.pending;
    const waiting = verifier.threads.reduce((sum, { batches }) => sum + batches.length, 0);
    assert.ok(waiting > 0 && waiting <= 3 * verifier.threads.length, `${waiting} batches are under way`);
    // Threads do not finish in the order in which they began.
    const busy = verifier.threads.filter(({ batches }) => batches.length > 0);
    const signed = busy.at(-1)!.answer((bytes) => bytes.readUInt32BE() % 3 === 0);
    assert.ok(signed.length <= 16);
    assert.equal(verifier.pending, before - signed.length);
    order.push(...signed.map((bytes) => bytes.readUInt32BE()));
  }
  assert.deepEqual(
    await Promise.all(answers),
    answers.map((_, number) => number % 3 === 0),
  );
  if (verifier.threads.length === 1) assert.deepEqual(order, [...order.keys()]);
});

test('regression: one address with thousands of signatures does not keep the only one of another waiting', async () => {
  const verifier = new HeldVerifier();
  const { publicKey, signature } = request(1, true);
  const ask = (name: string, origin: string): Promise<boolean> =>
    verifier.verify(ED25519, Buffer.from(name), publicKey, signature, origin);
  const flood = Array.from({ length: 4000 }, () => ask('flood', '192.0.2.1'));
  await nextTurn();
  const underWay = verifier.threads.reduce((sum, { batches }) => sum + batches.length, 0);
  const single = ask('single', '192.0.2.2');
  const batches: string[][] = [];
  while (verifier.pending > 0) {
    const busy = verifier.threads.find((thread) => thread.batches.length > 0);
    batches.push(busy!.answer(() => true).map(String));
  }
  await Promise.all([single, ...flood]);
  const served = batches.findIndex((names) => names.includes('single'));
  // Only what was handed over before it came, and what other threads were given meanwhile, comes first.
  assert.ok(served <= 2 * underWay, `it came in batch ${served}, and ${underWay} were under way`);
});

test('an address may have 5,000 signatures waiting, and another still gets in', async () => {
  const verifier = new HeldVerifier();
  const { bytes, publicKey, signature } = request(1, true);
  const ask = (origin: string): Promise<boolean> =>
    verifier.verify(ED25519, bytes, publicKey, signature, origin);
  const flood = Array.from({ length: 6000 }, () => ask('192.0.2.1'));
  const single = ask('192.0.2.2');
  const settled = Promise.allSettled(flood);
  await nextTurn();
  while (verifier.pending > 0) verifier.threads.find(({ batches }) => batches.length > 0)!.answer(() => true);
  assert.equal(await single, true);
  const refused = (await settled).filter(({ status }) => status === 'rejected');
  assert.ok(refused.length > 0 && refused.length <= 1000, `${refused.length} were refused`);
});

test('more than 20,000 that wait are turned away at once, and those that wait are answered', async () => {
  const verifier = new HeldVerifier();
  const one = request(1, true);
  const accepted = Array.from({ length: 20_000 }, () => verify(verifier, one));
  await assert.rejects(verify(verifier, one), VerifierUnavailableError);
  assert.equal(
    await verify(verifier, { ...one, publicKey: '00'.repeat(32) }),
    false,
    'what is no key does not wait',
  );
  await nextTurn();
  const freed = verifier.threads[0]!.answer(() => true).length;
  for (let i = 0; i < freed; i += 1) accepted.push(verify(verifier, one));
  await assert.rejects(verify(verifier, one), VerifierUnavailableError);
  while (verifier.pending > 0) {
    for (const thread of verifier.threads) if (thread.batches.length > 0) thread.answer(() => true);
  }
  assert.ok((await Promise.all(accepted)).every((valid) => valid));
});

test('a thread that dies takes its signatures with it, and another takes its place', async () => {
  const workers: Worker[] = [];
  class WatchedVerifier extends Verifier {
    protected override spawnWorker(): VerifierWorker {
      const worker = super.spawnWorker();
      workers.push(worker as Worker);
      return worker;
    }
  }
  const verifier = new WatchedVerifier();
  assert.equal(await verify(verifier, request(1, true)), true);
  const lost = Array.from({ length: 100 }, (_, number) => verify(verifier, request(number, true)));
  const outcomes = Promise.allSettled(lost);
  await nextTurn();
  await Promise.all(workers.map((worker) => worker.terminate()));
  for (const outcome of await outcomes) {
    const isAnswer = outcome.status === 'fulfilled' && outcome.value;
    assert.ok(isAnswer || (outcome as PromiseRejectedResult).reason instanceof VerifierUnavailableError);
  }
  assert.equal(verifier.pending, 0);
  assert.equal(await verify(verifier, request(1, true)), true);
  assert.equal(await verify(verifier, request(1, false)), false);
  await verifier.close();
});

test('a key that lies on no curve is a signature that is not valid, and does not stop the others', async () => {
  const verifier = new Verifier();
  const { bytes, publicKey, signature } = request(1, true);
  const odd = Array.from({ length: 100 }, () => randomBytes(32).toString('hex')).filter(
    isAcceptablePublicKey,
  );
  const answers = await Promise.all(odd.map((key) => verifier.verify(ED25519, bytes, key, signature)));
  assert.ok(answers.every((valid) => !valid));
  assert.equal(await verifier.verify(ED25519, bytes, publicKey, signature), true);
});

test('a thread with nothing to do does not keep a program from ending', () => {
  const { bytes, publicKey, signature } = request(1, true);
  const module = new URL('../../../../src/registry/write/verifier/verifier.js', import.meta.url).href;
  const table = new URL('../../../../src/protocol/schemes/table.js', import.meta.url).href;
  const script = `Promise.all([import(${JSON.stringify(module)}), import(${JSON.stringify(table)})])
    .then(([{ Verifier }, { SCHEMES }]) => new Verifier().verify(
      SCHEMES[0], Buffer.from('${Buffer.from(bytes).toString('hex')}', 'hex'), '${publicKey}', '${signature}'))
    .then(console.log);`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--eval', script], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.deepEqual([stdout, stderr, status], ['true\n', '', 0]);
});
