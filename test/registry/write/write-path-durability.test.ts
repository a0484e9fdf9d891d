import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../../support/properties.js';
import { ProtocolError } from '../../../src/protocol/errors.js';
import { ConflictError } from '../../../src/registry/log.js';
import type { SessionToken } from '../../../src/registry/registry.js';
import { TestKey } from '../../support/data/keys.js';
import { outcome, payloadNamed, refusal, settle, T0, WriteBench } from '../../support/worlds/write-bench.js';
import { sequences } from '../../support/worlds/steps.js';

const key = new TestKey();
const acceptAll = () => Promise.resolve(true);

/** A bench on which signatures cost nothing and writes wait. */
function heldBench(options: { expiryMs?: number } = {}): WriteBench {
  const bench = new WriteBench({ ...options, verify: acceptAll });
  bench.persistence.hold();
  return bench;
}

function nameOf(bench: WriteBench, id: string): string | null | undefined {
  return bench.registry.advertisement(id)?.name;
}

test('nothing is visible before it is durable, and the answer comes after it is visible', async () => {
  const bench = heldBench();
  const changes: number[] = [];
  bench.registry.onChange(({ seq }) => changes.push(seq));
  const written = bench.advertise(key, 'a');
  const seen = outcome(written);
  await settle();
  assert.equal(seen.state, 'pending');
  assert.equal(bench.registry.find('a'), null);
  assert.equal(bench.registry.identities.get('a', T0), undefined);
  assert.deepEqual(changes, []);
  await bench.persistence.succeed();
  assert.equal(seen.state, 'done');
  assert.deepEqual(changes, [1]);
  assert.deepEqual(await written, bench.registry.advertisement('a'));
});

test('nothing is asked of the disk before the signature is verified, and nothing at all when it is not valid', async () => {
  const answers: ((valid: boolean) => void)[] = [];
  const bench = new WriteBench({ verify: () => new Promise((resolve) => answers.push(resolve)) });
  const writes = ['a', 'b'].map((id) => outcome(bench.advertise(key, id)));
  await settle();
  assert.deepEqual(bench.persistence.writes, []);
  // The second is verified first: it does not wait for the other.
  answers[1]!(true);
  await settle();
  assert.deepEqual(
    bench.persistence.writes.map(({ kind }) => kind),
    ['advertise'],
  );
  answers[0]!(false);
  await settle();
  assert.deepEqual(
    writes.map(({ state }) => state),
    ['AUTH_001', 'done'],
  );
  assert.equal(bench.persistence.writes.length, 1);
  assert.equal(bench.registry.find('a'), null);
});

test('a withdrawal is visible once it is durable', async () => {
  const bench = heldBench();
  void bench.advertise(key, 'a');
  await settle();
  await bench.persistence.succeed();
  const seen = outcome(bench.withdraw(key, 'a'));
  await settle();
  assert.equal(seen.state, 'pending');
  assert.notEqual(bench.registry.find('a'), null);
  await bench.persistence.succeed();
  assert.equal(seen.state, 'done');
  assert.equal(bench.registry.find('a'), null);
  assert.equal(bench.registry.gone.withdrawn, 1);
});

test('a write that fails says that it may go well soon, changes nothing, and its t may be used again', async () => {
  const bench = heldBench();
  const t = bench.nextT();
  const failed = bench.advertise(key, 'a', { t });
  const checked = assert.rejects(failed, (error) => {
    assert.ok(error instanceof ProtocolError);
    assert.equal(error.code, 'ADV_001');
    assert.equal(error.unavailable, true);
    assert.equal(error.retryAfterSeconds, 5);
    assert.doesNotMatch(error.message, /disk/, 'what exactly is wrong is the operator’s business');
    return true;
  });
  await settle();
  await bench.persistence.fail();
  await checked;
  assert.equal(bench.registry.store.size, 0);
  assert.equal(bench.registry.changes.seq, 0);
  const again = outcome(bench.advertise(key, 'a', { t }));
  await settle();
  await bench.persistence.succeed();
  assert.equal(again.state, 'done');
  const withdrawal = refusal(bench.withdraw(key, 'a', { t: t + 1 }));
  await settle();
  await bench.persistence.fail();
  assert.equal(await withdrawal, 'ADV_001, unavailable');
  assert.notEqual(bench.registry.find('a'), null);
  const withdrawn = outcome(bench.withdraw(key, 'a', { t: t + 1 }));
  await settle();
  await bench.persistence.succeed();
  assert.equal(withdrawn.state, 'done');
});

test('a write that races with those of other hubs is decided anew until it is stored or refused, for five seconds at most', async () => {
  const bench = heldBench();
  const race = async (times: number): Promise<void> => {
    for (let time = 0; time < times; time += 1) {
      await settle();
      await bench.persistence.fail(new ConflictError());
    }
    await settle();
  };
  const stored = outcome(bench.advertise(key, 'a'));
  await race(20);
  assert.equal(stored.state, 'pending');
  await bench.persistence.succeed();
  assert.equal(stored.state, 'done');
  // What another hub has taken meanwhile decides.
  const t = bench.nextT();
  const replayed = outcome(bench.advertise(key, 'a', { t }));
  await settle();
  const identity = bench.registry.identities.get('a', T0)!;
  bench.registry.identities.save({ ...identity, lastT: t });
  await race(1);
  assert.equal(replayed.state, 'AUTH_002');
  const late = outcome(bench.advertise(key, 'a'));
  await settle();
  bench.clock.advance(5000);
  await race(1);
  assert.equal(late.state, 'ADV_001, unavailable');
});

test('a failure that is nobody’s disk comes through as it is, and the next write gets in', async () => {
  const bench = heldBench();
  const failed = refusal(bench.advertise(key, 'a'));
  const next = outcome(bench.advertise(key, 'a', { payload: payloadNamed('next') }));
  await settle();
  await bench.persistence.fail(new TypeError('a bug'));
  assert.equal(await failed, 'TypeError');
  await bench.persistence.succeed();
  assert.equal(next.state, 'done');
  assert.equal(nameOf(bench, 'a'), 'next');
});

test('writes of one provider go one after the other, those of others do not wait for them', async () => {
  const bench = heldBench();
  const first = outcome(bench.advertise(key, 'a', { payload: payloadNamed('1') }));
  const second = outcome(bench.advertise(key, 'a', { payload: payloadNamed('2') }));
  const third = outcome(bench.withdraw(key, 'a'));
  const other = outcome(bench.advertise(key, 'b'));
  await settle();
  assert.equal(bench.persistence.waiting, 2, 'one of each provider');
  await bench.persistence.succeed();
  assert.deepEqual([first.state, second.state, nameOf(bench, 'a')], ['done', 'pending', '1']);
  await bench.persistence.succeed();
  assert.equal(other.state, 'done');
  await bench.persistence.succeed();
  assert.deepEqual([second.state, third.state, nameOf(bench, 'a')], ['done', 'pending', '2']);
  await bench.persistence.succeed();
  assert.deepEqual([third.state, nameOf(bench, 'a')], ['done', undefined]);
});

test('of two writes with the same t that come together one is a replay', async () => {
  const bench = heldBench();
  const t = bench.nextT();
  const first = outcome(bench.advertise(key, 'a', { t }));
  const second = outcome(bench.advertise(key, 'a', { t }));
  await settle();
  await bench.persistence.succeed();
  await settle();
  assert.deepEqual([first.state, second.state], ['done', 'AUTH_002']);
});

test('when too many writes of a provider wait, the next is answered 503 at once', async () => {
  const bench = heldBench();
  const waiting = Array.from({ length: 65 }, () => outcome(bench.advertise(key, 'a')));
  await settle();
  assert.equal(await refusal(bench.advertise(key, 'a')), 'ADV_001, unavailable');
  await bench.persistence.release();
  await settle();
  assert.ok(waiting.every(({ state }) => state === 'done'));
});

// ---- sessions -------------------------------------------------------------------------------------------------

test('what a replaced session still sends has no effect and is not written', async () => {
  const bench = heldBench();
  const old = bench.registry.attach('a').token;
  bench.registry.attach('a');
  assert.equal(await refusal(bench.advertise(key, 'a', { session: old })), 'FencedError');
  assert.equal(await refusal(bench.withdraw(key, 'a', { session: old })), 'FencedError');
  bench.registry.detach('a', old);
  assert.equal(bench.registry.isAttached('a'), true);
  assert.deepEqual(bench.persistence.writes, []);
});

test('a session that is replaced while its write waits for another has no effect either', async () => {
  const bench = heldBench();
  const old = bench.registry.attach('a').token;
  const first = outcome(bench.advertise(key, 'a', { payload: payloadNamed('1'), session: old }));
  const second = outcome(bench.advertise(key, 'a', { payload: payloadNamed('2'), session: old }));
  await settle();
  bench.registry.attach('a');
  await bench.persistence.succeed();
  await settle();
  assert.deepEqual([first.state, second.state, nameOf(bench, 'a')], ['done', 'FencedError', '1']);
  assert.equal(bench.persistence.waiting, 0);
});

test('an advertisement whose session ended before it was durable is there, but suspect', async () => {
  const bench = heldBench();
  const sessions: SessionToken[] = ['a', 'b'].map((id) => bench.registry.attach(id).token);
  for (const [index, id] of ['a', 'b'].entries())
    void bench.advertise(key, id, { session: sessions[index]! });
  await settle();
  bench.registry.detach('a', sessions[0]!);
  bench.registry.attach('b');
  await bench.persistence.succeed();
  await bench.persistence.succeed();
  assert.equal(bench.registry.advertisement('a')?.status, 'suspect');
  assert.equal(bench.registry.advertisement('b')?.status, 'live', 'a newer session is open');
});

test('what comes over HTTP is live without a session, and its row says whether one is open', async () => {
  const bench = new WriteBench({ verify: acceptAll });
  assert.equal((await bench.advertise(key, 'a')).status, 'live');
  assert.equal(bench.persistence.rows.get('a')?.attached, false);
  const session = bench.registry.attach('a').token;
  await bench.advertise(key, 'a');
  assert.equal(bench.persistence.rows.get('a')?.attached, true);
  bench.registry.detach('a', session);
  assert.equal(bench.registry.advertisement('a')?.status, 'suspect');
  assert.equal((await bench.advertise(key, 'a')).status, 'live');
});

// ---- time -----------------------------------------------------------------------------------------------------

test('an advertisement does not expire in the middle of a write, and does right after it has failed', async () => {
  const bench = heldBench({ expiryMs: 2000 });
  void bench.advertise(key, 'a');
  await settle();
  await bench.persistence.succeed();
  bench.run(1800);
  const update = outcome(bench.advertise(key, 'a', { payload: payloadNamed('new') }));
  await settle();
  bench.run(5000);
  assert.equal(nameOf(bench, 'a'), null);
  await bench.persistence.succeed();
  assert.deepEqual([update.state, nameOf(bench, 'a')], ['done', 'new']);
  assert.equal(Date.parse(bench.registry.advertisement('a')!.created_at), T0, 'it was never gone');
  bench.run(1800);
  assert.equal(nameOf(bench, 'a'), 'new', 'the write was a heartbeat');
  const failing = outcome(bench.advertise(key, 'a'));
  await settle();
  bench.run(5000);
  assert.notEqual(bench.registry.find('a'), null);
  await bench.persistence.fail();
  assert.equal(failing.state, 'ADV_001, unavailable');
  bench.run(400);
  assert.equal(bench.registry.find('a'), null);
  assert.equal(bench.registry.gone.expired, 1);
});

test('a row that is being written again is not purged', async () => {
  const bench = heldBench({ expiryMs: 2000 });
  // Not in step with the clean-up, so that the row is still there.
  bench.run(1000);
  void bench.advertise(key, 'a');
  await settle();
  await bench.persistence.succeed();
  bench.run(2000);
  assert.equal(bench.registry.find('a'), null);
  const again = outcome(bench.advertise(key, 'a', { payload: payloadNamed('again') }));
  await settle();
  bench.run(5000);
  await bench.persistence.release();
  await settle();
  assert.equal(again.state, 'done');
  assert.equal(bench.persistence.rows.get('a')?.name, 'again');
  assert.equal(nameOf(bench, 'a'), 'again');
});

test('a row that expired while its rewrite failed is purged later', async () => {
  const bench = heldBench({ expiryMs: 2000 });
  void bench.advertise(key, 'a');
  await settle();
  await bench.persistence.succeed();
  bench.run(2400);
  const failing = outcome(bench.advertise(key, 'a'));
  await settle();
  bench.run(3000);
  assert.ok(bench.persistence.rows.has('a'));
  // What nobody waits for comes first.
  while (failing.state === 'pending') await bench.persistence.fail();
  await bench.persistence.release();
  bench.run(3000);
  await settle();
  assert.equal(bench.persistence.rows.has('a'), false);
});

test('a heartbeat during a write does not set the remembered t back', async () => {
  const bench = new WriteBench({ verify: acceptAll });
  await bench.advertise(key, 'a', { t: T0 + 1 });
  await bench.withdraw(key, 'a', { t: T0 + 2 });
  // Two days later the provider is back, with a session and no advertisement.
  bench.clock.advance(2 * 24 * 3_600_000);
  const later = bench.clock.wall();
  bench.persistence.hold();
  const written = outcome(bench.advertise(key, 'a', { t: later }));
  await settle();
  bench.registry.heartbeat('a');
  await bench.persistence.release();
  await settle();
  assert.equal(written.state, 'done');
  assert.equal(bench.persistence.identities.get('a')?.lastT, later);
  assert.equal(bench.persistence.identities.get('a')?.seenAt, later);
});

// ---- all of it together ---------------------------------------------------------------------------------------

test('whatever succeeds, fails and expires in between: what is visible is on the disk, and every t is used once', async () => {
  const id = fc.constantFrom('a', 'b', 'c');
  type Event =
    | { write: 'advertise' | 'withdraw'; by: string; tEarlier: number }
    | { disk: 'succeed' | 'fail' }
    | { run: number }
    | { heartbeat: string };
  const event: fc.Arbitrary<Event> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        write: fc.constantFrom<'advertise' | 'withdraw'>('advertise', 'advertise', 'withdraw'),
        by: id,
        // Some come with a time that is already taken.
        tEarlier: fc.nat(3),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({ disk: fc.constantFrom<'succeed' | 'fail'>('succeed', 'succeed', 'fail') }),
    },
    { weight: 2, arbitrary: fc.record({ run: fc.constantFrom(200, 1000, 2400) }) },
    { weight: 1, arbitrary: fc.record({ heartbeat: id }) },
  );
  await fc.assert(
    fc.asyncProperty(sequences(event, 40), async (events) => {
      const bench = heldBench({ expiryMs: 2000 });
      const { persistence, registry } = bench;
      /** The signed times that were accepted, in order. */
      const accepted = new Map<string, number[]>([
        ['a', []],
        ['b', []],
        ['c', []],
      ]);
      const accept = (one: string, t: number) => () => accepted.get(one)!.push(t);
      const refused = () => undefined;
      let number = 0;
      for (const one of events) {
        if ('run' in one) bench.run(one.run);
        else if ('heartbeat' in one) registry.heartbeat(one.heartbeat);
        else if ('disk' in one) await persistence[one.disk]();
        else {
          const t = Math.max(T0 + 1, bench.nextT() - one.tEarlier);
          number += 1;
          const payload = payloadNamed(String(number));
          const act =
            one.write === 'advertise'
              ? bench.advertise(key, one.by, { t, payload })
              : bench.withdraw(key, one.by, { t });
          void act.then(accept(one.by, t), refused);
        }
        for (const present of ['a', 'b', 'c']) {
          const name = nameOf(bench, present);
          if (name !== undefined)
            assert.equal(persistence.rows.get(present)?.name, name, 'it is not on the disk');
        }
      }
      await persistence.release();
      await settle();
      await persistence.release();
      // Time enough for what has expired to leave the disk.
      bench.run(600);
      for (const [present, times] of accepted) {
        assert.deepEqual(
          times,
          [...new Set(times)].sort((a, b) => a - b),
          'a t was accepted twice',
        );
        const known = registry.identities.get(present, bench.clock.wall());
        assert.ok((known?.lastT ?? 0) >= (times.at(-1) ?? 0));
        assert.deepEqual(persistence.identities.get(present)?.lastT, known?.lastT);
      }
      bench.run(3000);
      await settle();
      assert.deepEqual([...persistence.rows.keys()], [], 'rows stay for ever');
    }),
    { numRuns: 150 },
  );
});
