import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../support/properties.js';
import type { PublishedAdvertisement } from '../../src/protocol/advertisement.js';
import type { Change } from '../../src/registry/change-log.js';
import type { HeartbeatBatch } from '../../src/registry/log.js';
import type { ProofRecord } from '../../src/registry/store/records.js';
import { Registry } from '../../src/registry/registry.js';
import { content, filter, recordOf } from '../support/data/arbitraries.js';
import { FakeClock } from '../support/fake-clock.js';
import { MemoryLog } from '../support/worlds/memory-log.js';
import { comparable, RegistryWorld, T0 } from '../support/worlds/registry-world.js';
import { sequences, steps } from '../support/worlds/steps.js';
import { listText } from '../support/data/list-text.js';
import { advertised, withdrawn } from '../support/data/entries.js';
import { CONTENT } from '../support/data/contents.js';

const DAY = 24 * 3_600_000;
const PROOF: ProofRecord = {
  publicKey: 'ab'.repeat(32),
  t: 5,
  payload: Buffer.from('{}'),
  signature: 'cd'.repeat(64),
};

class Bench {
  readonly clock = new FakeClock(T0);
  readonly persistence = new MemoryLog();
  readonly registry = new Registry(
    { expiryMs: 300_000, restartGraceMs: 60_000, replayEvents: 100, cleanupMs: 60_000 },
    this.clock,
  );
  readonly changes: Change[] = [];

  constructor() {
    this.registry.keepIn(this.persistence);
    this.registry.onChange((change) => this.changes.push(change));
  }

  advertise(id: string, overSession = false): void {
    const record = recordOf(id, CONTENT, { createdAt: T0, updatedAt: this.clock.wall(), proof: PROOF });
    void this.persistence.propose(advertised(record, null, overSession));
  }

  bind(id: string): void {
    this.registry.restore.identity({ providerId: id, publicKey: 'ab'.repeat(32), lastT: 5, seenAt: T0 });
  }

  status(id: string): string | undefined {
    return this.registry.advertisement(id)?.status;
  }

  run(ms: number): void {
    for (let passed = 0; passed < ms; passed += 200) {
      this.clock.advance(200);
      this.registry.tick();
    }
  }

  batches(): HeartbeatBatch[] {
    return this.persistence.writes.flatMap((write) => (write.kind === 'heartbeats' ? [write.batch] : []));
  }
}

test('whatever happens, the registry makes exactly the changes that the contract knows, and a list is their result', () => {
  const id = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  const overSession = fc.boolean();
  const step = fc.oneof(
    steps(
      'advertise',
      [id, content, overSession, fc.boolean()],
      (world: RegistryWorld, one, said, over, signed) => {
        world.advertise(one, said, { overSession: over, signed });
      },
    ),
    steps('repeat', [id], (world: RegistryWorld, one) => {
      world.repeat(one);
    }),
    steps('withdraw', [id], (world: RegistryWorld, one) => {
      world.withdraw(one);
    }),
    steps('heartbeat', [id], (world: RegistryWorld, one) => {
      world.heartbeat(one);
    }),
    steps('attach', [id], (world: RegistryWorld, one) => {
      world.attach(one);
    }),
    steps('detach', [id], (world: RegistryWorld, one) => {
      world.detach(one);
    }),
    steps('pass', [fc.constantFrom(100, 200, 900, 2000)], (world: RegistryWorld, ms) => {
      world.pass(ms);
    }),
    steps('jump', [fc.constantFrom(DAY, -DAY, 1000)], (world: RegistryWorld, ms) => {
      world.clock.jump(ms);
    }),
  );
  fc.assert(
    fc.property(sequences(step, 60), filter, (sequence, asked) => {
      const world = new RegistryWorld();
      for (const one of sequence) one.run(world);
      const answer = world.registry.list({ filter: asked, sort: 'id', limit: null, after: null });
      const advertisements = JSON.parse(listText(answer)) as PublishedAdvertisement[];
      const expected = [...world.matching(asked, world.seq).entries()].sort(([a], [b]) => (a < b ? -1 : 1));
      assert.deepEqual(
        advertisements.map((one) => [one.provider_id, comparable(one)]),
        expected,
      );
      assert.equal(answer.found.slots.length, expected.length);
      assert.equal(answer.cursor, `${world.registry.changes.epoch}:${String(world.seq)}`);
    }),
    { numRuns: 400 },
  );
});

test('a provider is suspect from the end of its session on, and live again with the next, without advertising anew', () => {
  const bench = new Bench();
  const first = bench.registry.attach('a').token;
  bench.advertise('a', true);
  assert.equal(bench.status('a'), 'live');
  bench.run(1000);
  bench.registry.detach('a', first);
  assert.equal(bench.status('a'), 'suspect');
  bench.run(298_600);
  assert.equal(bench.status('a'), 'suspect');
  bench.registry.attach('a');
  assert.equal(bench.status('a'), 'live');
  assert.deepEqual(
    bench.changes.map(({ seq, beforeRow, reason }) => [seq, beforeRow !== null, reason]),
    [
      // The attachment of a provider without an advertisement is an entry that nobody sees.
      [2, false, null],
      [3, true, null],
      [4, true, null],
    ],
  );
});

test('a provider whose session was lost expires 300 s after its last heartbeat', () => {
  const bench = new Bench();
  const session = bench.registry.attach('a').token;
  bench.advertise('a', true);
  bench.run(100_000);
  bench.registry.heartbeat('a');
  bench.run(50_000);
  bench.registry.detach('a', session);
  bench.run(249_800);
  assert.equal(bench.status('a'), 'suspect');
  bench.run(400);
  assert.equal(bench.status('a'), undefined);
  assert.deepEqual([bench.changes.at(-1)!.reason, bench.changes.at(-1)!.slot], ['expired', null]);
});

test('only the newest session holds its provider', () => {
  const bench = new Bench();
  bench.advertise('a');
  const old = bench.registry.attach('a').token;
  const newer = bench.registry.attach('a').token;
  assert.equal(bench.registry.holds('a', old), false);
  assert.equal(bench.registry.holds('a', newer), true);
  bench.registry.detach('a', old);
  assert.equal(bench.status('a'), 'live');
  bench.registry.detach('a', newer);
  assert.equal(bench.status('a'), 'suspect');
  bench.registry.detach('a', newer);
  assert.equal(bench.changes.length, 2, 'a session ends once');
});

test('heartbeats show in the times and cause no change', () => {
  const bench = new Bench();
  bench.advertise('a');
  bench.run(5000);
  bench.registry.heartbeat('a');
  const advertisement = bench.registry.advertisement('a')!;
  assert.equal(Date.parse(advertisement.updated_at), T0 + 5000);
  assert.equal(Date.parse(advertisement.expires_at), T0 + 305_000);
  assert.equal(bench.changes.length, 1);
});

test('heartbeats are written together about once a second, each provider once, with whether a session is open', () => {
  const bench = new Bench();
  for (const id of ['a', 'b', 'c']) bench.advertise(id);
  bench.run(1200);
  bench.persistence.writes.length = 0;
  bench.registry.attach('a');
  for (let count = 0; count < 5; count += 1) bench.registry.heartbeat('b');
  bench.registry.heartbeat('nobody');
  bench.registry.heartbeat('c');
  void bench.persistence.propose(withdrawn('c'));
  bench.run(1000);
  const [batch, ...more] = bench.batches();
  assert.deepEqual(more, []);
  assert.deepEqual(batch?.providerIds, ['a', 'b']);
  assert.deepEqual([...batch.updatedAt], [T0 + 1200, T0 + 1200]);
  assert.deepEqual([...batch.attached], [1, 0]);
  bench.run(5000);
  assert.equal(bench.batches().length, 1, 'nothing new is not written');
});

test('the end of a session is written, so that a restart does not take it for open', () => {
  const bench = new Bench();
  bench.advertise('a');
  const session = bench.registry.attach('a').token;
  bench.run(2000);
  bench.registry.detach('a', session);
  bench.registry.flushHeartbeats();
  assert.deepEqual([...bench.batches().at(-1)!.attached], [0]);
});

test('a session without an advertisement keeps its name alive, with one write a day', () => {
  const bench = new Bench();
  bench.bind('a');
  for (let hour = 1; hour <= 96; hour += 1) {
    bench.clock.advance(3_600_000);
    bench.registry.heartbeat('a');
  }
  const seen = bench.persistence.writes.flatMap((write) =>
    write.kind === 'identity' ? [write.identity.seenAt] : [],
  );
  assert.deepEqual(
    seen,
    [1, 2, 3, 4].map((day) => T0 + day * DAY),
  );
  bench.clock.advance(31 * DAY);
  bench.registry.heartbeat('a');
  assert.equal(bench.registry.identities.get('a', bench.clock.wall()), undefined, 'it had lapsed already');
});

test('when a provider expires, the time of its last heartbeat counts for its binding', () => {
  const bench = new Bench();
  bench.bind('a');
  bench.advertise('a');
  bench.run(100_000);
  bench.registry.heartbeat('a');
  bench.run(301_000);
  assert.equal(bench.status('a'), undefined);
  assert.equal(bench.registry.identities.get('a', bench.clock.wall())?.seenAt, T0 + 100_000);
});

test('expired rows leave the file with the next clean-up, unless they are back by then', () => {
  const bench = new Bench();
  bench.run(10_000);
  for (const id of ['a', 'b']) bench.advertise(id);
  bench.run(300_400);
  assert.equal(bench.registry.store.size, 0);
  bench.advertise('b');
  bench.run(60_000);
  const purges = bench.persistence.writes.flatMap((write) => (write.kind === 'purge' ? [write] : []));
  assert.deepEqual(
    purges.flatMap(({ expiredIds }) => expiredIds),
    ['a'],
  );
  for (const { wall } of purges) assert.ok(wall <= bench.clock.wall());
});

test('what was found is a copy that stays as it was', () => {
  const bench = new Bench();
  bench.advertise('a');
  const found = bench.registry.find('a')!;
  const text = found.toString('utf8');
  void bench.persistence.propose(withdrawn('a'));
  bench.advertise('b');
  assert.equal(found.toString('utf8'), text);
  assert.equal(bench.registry.find('a'), null);
  assert.equal(bench.registry.advertisement('a'), null);
});

test('every run of the hub has an epoch of its own', () => {
  const epochs = Array.from({ length: 20 }, () => new Bench().registry.changes.epoch);
  assert.equal(new Set(epochs).size, 20);
  for (const epoch of epochs) assert.match(epoch, /^[0-9a-z]{1,32}$/);
});

test('until it is told where to persist, a registry keeps nothing and says so', async () => {
  const { noLog, PersistenceError } = await import('../../src/registry/log.js');
  assert.notEqual(noLog.problem, null);
  await assert.rejects(noLog.propose(withdrawn('a')), PersistenceError);
  noLog.purge([], 0);
  await noLog.close();
});
