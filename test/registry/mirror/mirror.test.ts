import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { LIMITS } from '../../../src/protocol/limits.js';
import { type HeartbeatBatch, PersistenceError } from '../../../src/registry/log.js';
import {
  advertisementOf,
  identityOf,
  loadFile,
  openMirror,
  T0,
  temporaryFolder,
  TestLog,
} from './support.js';
import type { CountRecord } from '../../../src/registry/store/records.js';
import { advertised, bound, withdrawn } from '../../support/data/entries.js';
import { randomSource } from '../../support/random.js';

function heartbeats(updatedAt: number, attached: boolean, ...providerIds: string[]): HeartbeatBatch {
  return {
    anchor: null,
    providerIds,
    updatedAt: new Float64Array(providerIds.length).fill(updatedAt),
    attached: new Uint8Array(providerIds.length).fill(attached ? 1 : 0),
  };
}

test('what arrives during a transaction shares the next one, in order', async (t) => {
  const mirror = await openMirror(join(temporaryFolder(t), 'hub.db'));
  const { worker } = mirror;
  worker.batches.length = 0;
  const resolved: number[] = [];
  const write = (i: number) =>
    mirror.propose(advertised(advertisementOf(`p${String(i)}`))).then(() => resolved.push(i));
  const release = worker.hold();
  const first = [write(0), write(1)];
  await new Promise(setImmediate);
  const rest = Array.from({ length: 2500 }, (_, i) => write(i + 2));
  assert.equal(mirror.pending, 2502);
  assert.ok(mirror.lagMs > 0);
  release();
  await Promise.all([...first, ...rest]);
  assert.deepEqual(
    worker.batches.map((batch) => batch.length),
    [2, 1000, 1000, 500],
  );
  assert.deepEqual(
    worker.batches.flat(),
    Array.from({ length: 2502 }, (_, i) => `advertise p${String(i)}`),
  );
  assert.deepEqual(resolved, [...resolved.keys()]);
  assert.equal(mirror.pending, 0);
  assert.equal(mirror.lagMs, 0);
  await mirror.close();
});

test('the last write of a provider wins', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  const mirror = await openMirror(path);
  const writes = [
    mirror.propose(advertised(advertisementOf('a', { name: 'first' }), identityOf('a', { lastT: 1 }))),
    mirror.propose(withdrawn('a', identityOf('a', { lastT: 2 }))),
    mirror.propose(advertised(advertisementOf('a', { name: 'second' }), identityOf('a', { lastT: 3 }))),
    mirror.propose(advertised(advertisementOf('b'))),
    mirror.propose(withdrawn('b')),
  ];
  await Promise.all(writes);
  await mirror.close();
  const { advertisements, identities } = await loadFile(path);
  assert.deepEqual(
    [...advertisements.values()].map(({ name }) => name),
    ['second'],
  );
  assert.equal(identities.get('a')?.lastT, 3);
});

test('an operation that cannot be written leaves the others alone, and nothing of itself', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  const mirror = await openMirror(path);
  const bad = null as unknown as string;
  const results = await Promise.allSettled([
    mirror.propose(advertised(advertisementOf('a'), identityOf('a'))),
    mirror.propose(advertised(advertisementOf('b', { ipAddress: bad }), identityOf('b'))),
    mirror.propose(advertised(advertisementOf('c'), identityOf('c', { publicKey: bad }))),
    mirror.propose(advertised(advertisementOf('d', { updatedAt: Number.NaN }))),
    mirror.propose(bound(identityOf('e'))),
  ]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected', 'rejected', 'fulfilled'],
  );
  for (const result of results) {
    if (result.status === 'rejected') assert.ok(result.reason instanceof PersistenceError);
  }
  assert.equal(mirror.problem, null);
  await mirror.close();
  const { advertisements, identities } = await loadFile(path);
  assert.deepEqual([...advertisements.keys()], ['a']);
  assert.deepEqual([...identities.keys()], ['a', 'e']);
});

test('heartbeats update rows that exist and make none', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  const mirror = await openMirror(path);
  await mirror.propose(advertised(advertisementOf('a')));
  await mirror.propose(advertised(advertisementOf('b', { attached: true })));
  mirror.saveHeartbeats(heartbeats(T0 + 1000, true, 'a', 'missing'));
  mirror.saveHeartbeats(heartbeats(T0 + 2000, true, 'a'));
  mirror.saveHeartbeats(heartbeats(T0 + 3000, false, 'b'));
  await mirror.close();
  assert.deepEqual(
    [...(await loadFile(path)).advertisements.values()],
    [
      advertisementOf('a', { updatedAt: T0 + 2000, attached: true }),
      advertisementOf('b', { updatedAt: T0 + 3000, attached: false }),
    ],
  );
});

test('a purge removes what expired, and identities that nobody uses', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  const mirror = await openMirror(path);
  const old = { seenAt: T0 - 1000 };
  const proof = { publicKey: 'ab'.repeat(32), t: T0, payload: Buffer.from('{}'), signature: 'cd'.repeat(64) };
  await mirror.propose(advertised(advertisementOf('expired', { proof }), identityOf('expired', old)));
  // Somebody else's unsigned advertisement does not revive the binding of a key that is long gone.
  await mirror.propose(advertised(advertisementOf('unsigned'), identityOf('unsigned', old)));
  await mirror.propose(advertised(advertisementOf('longLived'), identityOf('longLived', old)));
  await mirror.propose(bound(identityOf('lapsed', old)));
  await mirror.propose(bound(identityOf('recent')));
  mirror.purge(['expired', 'unsigned', 'missing'], T0 - 500 + LIMITS.bindingLifetimeMs);
  await mirror.close();
  const { advertisements, identities } = await loadFile(path);
  assert.deepEqual([...advertisements.keys()], ['longLived']);
  assert.deepEqual([...identities.keys()].sort(), ['expired', 'longLived', 'recent']);
  // Its last heartbeat was that of the advertisement, to the second.
  assert.equal(identities.get('expired')?.seenAt, Math.floor(T0 / 1000) * 1000);
});

test('a purge removes key ids that have been silent for half an hour, and keeps names', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  const mirror = await openMirror(path);
  const keyId = 'ab'.repeat(32);
  const fresh = 'cd'.repeat(32);
  await mirror.propose(withdrawn(keyId, identityOf(keyId)));
  await mirror.propose(withdrawn(fresh, identityOf(fresh, { publicKey: fresh, seenAt: T0 + 1 })));
  await mirror.propose(bound(identityOf('name')));
  mirror.purge([], T0 + LIMITS.keyMemoryMs + 1);
  await mirror.close();
  assert.deepEqual([...(await loadFile(path)).identities.keys()].sort(), [fresh, 'name']);
});

test('counts are there again until they have ended, each with the last that was said of it', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  const mirror = await openMirror(path);
  const countOf = (key: string, count: number, endsAt: number): CountRecord => ({
    kind: 'names',
    key,
    count,
    endsAt,
  });
  const other: CountRecord = { kind: 'blocks', key: '192.0.2.1', count: 9, endsAt: T0 + 9 };
  mirror.saveCounts([countOf('192.0.2.1', 1, T0 + 1), countOf('192.0.2.2', 2, T0 + 2), other]);
  await mirror.propose(bound(identityOf('a')));
  mirror.saveCounts([countOf('192.0.2.1', 7, T0 + 7.5)]);
  await mirror.close();
  const { counts } = await loadFile(path);
  assert.deepEqual(
    counts.toSorted((a, b) => a.count - b.count),
    [countOf('192.0.2.2', 2, T0 + 2), countOf('192.0.2.1', 7, T0 + 8), other],
  );
  const again = await openMirror(path);
  again.purge([], T0 + 8);
  await again.close();
  assert.deepEqual((await loadFile(path)).counts, [other]);
});

test('many lapsed identities go over several purges', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  const mirror = await openMirror(path);
  const ids = Array.from({ length: 45_000 }, (_, i) => `i${String(i)}`);
  await Promise.all(
    ids.map((id, i) => mirror.propose(bound(identityOf(id, { seenAt: i % 2 === 0 ? 0 : T0 })))),
  );
  for (let i = 0; i < 3; i += 1) {
    mirror.purge([], T0 + LIMITS.bindingLifetimeMs);
    await mirror.propose(bound(identityOf('i1')));
    while (mirror.pending > 0) await new Promise(setImmediate);
  }
  await mirror.close();
  assert.equal((await loadFile(path)).identities.size, 22_500);
});

test('writes that nobody waits for leave no gap for others to slip through', async (t) => {
  // Whatever the grouping, the file ends as if each had been written by itself, in order.
  const path = join(temporaryFolder(t), 'hub.db');
  const random = randomSource(42);
  const expected = new Map<string, { updatedAt: number; attached: boolean; name: string | null }>();
  const mirror = await openMirror(path);
  for (let step = 0; step < 20_000; step += 1) {
    const id = `p${String(Math.floor(random() * 50))}`;
    const choice = random();
    const updatedAt = T0 + step;
    const attached = random() < 0.5;
    const entry = expected.get(id);
    if (choice < 0.3) {
      void mirror.propose(advertised(advertisementOf(id, { updatedAt, attached, name: String(step) })));
      expected.set(id, { updatedAt, attached, name: String(step) });
    } else if (choice < 0.4) {
      void mirror.propose(withdrawn(id));
      expected.delete(id);
    } else if (choice < 0.5) {
      mirror.purge([id], 0);
      expected.delete(id);
    } else {
      mirror.saveHeartbeats(heartbeats(updatedAt, attached, id));
      if (entry !== undefined) Object.assign(entry, { updatedAt, attached });
    }
    if (random() < 0.01) await new Promise(setImmediate);
    // Kills a thread that lives for certain, with writes under way.
    if (step % 5000 === 2400) await mirror.propose(bound(identityOf('alive')));
    if (step % 5000 === 2500) void mirror.worker.terminate();
  }
  await mirror.close();
  const actual = [...(await loadFile(path)).advertisements].map(([id, { updatedAt, attached, name }]) => [
    id,
    { updatedAt, attached, name },
  ]);
  assert.deepEqual(Object.fromEntries(actual), Object.fromEntries(expected));
  assert.equal(mirror.restarts, 4);
});

test('refuses more writes than it can hold', async (t) => {
  const mirror = await openMirror(join(temporaryFolder(t), 'hub.db'));
  const release = mirror.worker.hold();
  void mirror.propose(bound(identityOf('first')));
  await new Promise(setImmediate);
  const held = Array.from({ length: 50_000 }, (_, i) => mirror.propose(bound(identityOf(`i${String(i)}`))));
  await assert.rejects(mirror.propose(bound(identityOf('last'))), (error: unknown) => {
    assert.ok(error instanceof PersistenceError);
    assert.match(error.message, /^overloaded: 50000 writes are waiting/);
    return true;
  });
  release();
  await Promise.all(held);
  await mirror.propose(bound(identityOf('last')));
  await mirror.close();
});

test('a write that takes long is a problem while it lasts, and nothing is made to wait behind it', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const mirror = await openMirror(join(temporaryFolder(t), 'hub.db'));
  const release = mirror.worker.hold();
  const written = mirror.propose(bound(identityOf('slow')));
  await new Promise(setImmediate);
  t.mock.timers.tick(4000);
  assert.equal(mirror.problem, null);
  const behind = mirror.propose(bound(identityOf('behind')));
  t.mock.timers.tick(3000);
  assert.equal(mirror.problem, 'the disk has not finished a write for 7 s');
  await assert.rejects(mirror.propose(bound(identityOf('late'))), {
    name: 'PersistenceError',
    message: 'the disk has not finished a write for 7 s',
  });
  release();
  await Promise.all([written, behind]);
  assert.equal(mirror.problem, null);
  await mirror.propose(bound(identityOf('next')));
  await mirror.close();
});

test('a disk that hangs does not keep the mirror from closing for ever', async (t) => {
  const mirror = await openMirror(join(temporaryFolder(t), 'hub.db'));
  const release = mirror.worker.hold();
  const written = mirror.propose(bound(identityOf('slow')));
  await new Promise(setImmediate);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const closed = mirror.close();
  t.mock.timers.tick(10_000);
  await assert.rejects(closed, {
    name: 'PersistenceError',
    message:
      /^the disk hangs: .* within 10 s, and 1 of them, none of them acknowledged, may be lost; check it/,
  });
  assert.equal(mirror.close(), closed);
  t.mock.timers.reset();
  // For a later reader of the file: it is closed after all.
  release();
  await written;
});

test('close writes what waits, leaves no log behind, and ends writing', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  const mirror = await openMirror(path);
  const writes = Array.from({ length: 3000 }, (_, i) =>
    mirror.propose(advertised(advertisementOf(`p${String(i)}`))),
  );
  mirror.saveHeartbeats(heartbeats(T0 + 5, true, 'p2999'));
  const closed = mirror.close();
  assert.equal(mirror.close(), closed);
  await assert.rejects(mirror.propose(withdrawn('p0')), /shutting down/);
  await closed;
  await Promise.all(writes);
  assert.ok(!existsSync(`${path}-wal`));
  const { advertisements } = await loadFile(path);
  assert.equal(advertisements.size, 3000);
  assert.equal(advertisements.get('p2999')?.updatedAt, T0 + 5);
});

test('a payload of the caller may change once it was handed over', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  const log = new TestLog();
  const mirror = await openMirror(path, log);
  const slab = Buffer.from('xx{"a":1}xx');
  const proof = {
    publicKey: 'ab'.repeat(32),
    t: 1,
    payload: slab.subarray(2, 9),
    signature: 'cd'.repeat(64),
  };
  const written = mirror.propose(advertised(advertisementOf('p', { proof })));
  slab.fill(0);
  await written;
  await mirror.close();
  assert.equal((await loadFile(path)).advertisements.get('p')?.proof?.payload.toString(), '{"a":1}');
  assert.deepEqual(log.lines, []);
});
