import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../support/properties.js';
import { scaled } from '../support/scale.js';
import { type DurableEntry, type Entry, isDurable } from '../../src/registry/entry.js';
import type { CountRecord } from '../../src/registry/store/records.js';
import { advertised, bound, withdrawn } from '../support/data/entries.js';
import { WITHOUT_ETCD } from '../support/hubs/etcd.js';
import { MemoryDisk, MemoryLog } from '../support/worlds/memory-log.js';
import { advertisementOf, identityOf, T0 } from './mirror/support.js';

import { cpuAfter, cpuIn, durable, entryAt, LOGS, nameOf, Opened, subjectOf } from './log-support.js';

for (const [name, { make, isShared }] of Object.entries(LOGS)) {
  const skip = isShared ? WITHOUT_ETCD : false;
  const ofOneHub = isShared ? 'each hub of a shared store keeps this for itself, and in memory' : false;

  test(
    `${name}: entries come back in one order, each before its proposer hears of it`,
    { skip },
    async (t) => {
      const { log, delivered } = await Opened.on(make(t));
      const start = log.position;
      // Each entry of a provider waits for the one before it: a turn of the network each.
      const length = isShared ? 420 : 3000;
      const entries = Array.from({ length }, (_, index) => entryAt(index, log.hub));
      await Promise.all(
        entries.map(async (entry) => {
          const position = await log.propose(entry);
          assert.ok(
            delivered.some((one) => one.position === position && nameOf(one.entry) === nameOf(entry)),
            `${nameOf(entry)} resolved before its delivery`,
          );
        }),
      );
      const positions = delivered.map(({ position }) => position);
      assert.equal(log.position, positions.at(-1));
      if (isShared) {
        assert.deepEqual(
          positions,
          [...positions].sort((a, b) => a - b),
        );
      } else {
        assert.equal(start, 0);
        assert.deepEqual(
          positions,
          Array.from(entries, (_, index) => index + 1),
          'positions that do not grow by one with each entry',
        );
      }
      const all = delivered.map(({ entry }) => entry);
      const alike = isShared
        ? Array.from({ length: 7 }, (_, id) => (entry: Entry) => subjectOf(entry) === `p${String(id)}`)
        : [isDurable, (entry: Entry) => !isDurable(entry)];
      for (const one of alike) {
        assert.deepEqual(
          all.filter(one).map(nameOf),
          entries.filter(one).map(nameOf),
          'not in the order of their proposals',
        );
      }
      assert.equal(delivered.length, entries.length);
      await log.close();
    },
  );

  test(
    `${name}: whoever is told of an entry and fails fails its proposer, and nobody else`,
    { skip },
    async (t) => {
      const { log } = await Opened.on(make(t));
      const delivered: string[] = [];
      log.deliverTo((entry) => {
        if (entry.kind === 'withdraw' || entry.kind === 'attach') throw new Error('no such entry');
        delivered.push(nameOf(entry));
      });
      const outcomes = await Promise.allSettled([
        log.propose(advertised(advertisementOf('a'))),
        log.propose(withdrawn('a')),
        log.propose({
          kind: 'attach',
          providerId: 'c',
          hub: log.hub,
          token: 1,
          at: T0,
          from: null,
          again: false,
        }),
        log.propose(advertised(advertisementOf('b'))),
      ]);
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
      );
      assert.deepEqual(delivered.sort(), ['advertise a', 'advertise b']);
      await log.close();
    },
  );

  test(`${name}: whatever was acknowledged is handed over at the next start`, { skip }, async (t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(durable, { maxLength: 12 }), { minLength: 1, maxLength: 4 }),
        async (runs) => {
          const open = make(t);
          const epochs = new Set<string>();
          const acknowledged: DurableEntry[] = [];
          for (const entries of runs) {
            const { log, kept } = await Opened.on(open);
            assert.deepEqual(cpuIn(kept), cpuAfter(acknowledged));
            epochs.add(log.epoch);
            const sessions = entries.map((_, token) =>
              log.propose({
                kind: 'attach',
                providerId: 'a',
                hub: log.hub,
                token,
                at: T0,
                from: null,
                again: false,
              }),
            );
            await Promise.all([...entries.map((entry) => log.propose(entry)), ...sessions]);
            acknowledged.push(...entries);
            await log.close();
          }
          // Positions of a shared log go on, so its epoch does.
          assert.equal(epochs.size, isShared ? 1 : runs.length);
          const { log, kept } = await Opened.on(open);
          assert.deepEqual(cpuIn(kept), cpuAfter(acknowledged));
          for (const entry of acknowledged) {
            if (entry.identity === null) continue;
            assert.ok(kept.identities.has(entry.identity.providerId), 'a binding was forgotten');
          }
          await log.close();
        },
      ),
      { numRuns: scaled(3, 20) },
    );
  });

  test(
    `${name}: who withdraws or advertises without a signature leaves the binding as it is`,
    { skip },
    async (t) => {
      const open = make(t);
      const { log } = await Opened.on(open);
      for (const id of ['a', 'b']) await log.propose(bound(identityOf(id)));
      await log.propose(withdrawn('a'));
      await log.propose(advertised(advertisementOf('b')));
      await log.close();
      const { log: again, kept } = await Opened.on(open);
      assert.deepEqual([...kept.identities.keys()].sort(), ['a', 'b']);
      await again.close();
    },
  );

  test(
    `${name}: heartbeats and removals that nobody waited for are there after a close`,
    { skip: ofOneHub },
    async (t) => {
      const open = make(t);
      const first = await Opened.on(open);
      await Promise.all(['a', 'b', 'c'].map((id) => first.log.propose(advertised(advertisementOf(id)))));
      const anchor = { steady: T0 + 7000, wall: T0 + 9000, boot: { id: 'one', uptimeMs: 5 } };
      first.log.saveHeartbeats({
        anchor,
        providerIds: ['a', 'b'],
        updatedAt: Float64Array.of(T0 + 5000, T0 + 6000),
        attached: Uint8Array.of(1, 0),
      });
      first.log.purge(['c'], T0);
      await first.log.close();
      assert.equal(first.log.pending, 0);
      assert.equal(first.log.lagMs, 0);
      const { log, kept } = await Opened.on(open);
      const heard = [...kept.advertisements.values()].map((one) => [one.providerId, one.updatedAt]);
      assert.deepEqual(heard.sort(), [
        // Still attached when the last heartbeats were saved.
        ['a', T0 + 7000],
        ['b', T0 + 6000],
      ]);
      assert.deepEqual(kept.anchor, anchor);
      await log.close();
      const third = await Opened.on(open);
      assert.equal(
        third.kept.advertisements.get('a')?.updatedAt,
        T0 + 7000,
        'nobody was attached in the last run',
      );
      await third.log.close();
    },
  );

  test(
    `${name}: the last that was counted of each address is handed over at the next start, until it has ended`,
    { skip: ofOneHub },
    async (t) => {
      const open = make(t);
      const { log } = await Opened.on(open);
      const countOf = (key: string, count: number): CountRecord => ({
        kind: 'names',
        key,
        count,
        endsAt: T0 + count,
      });
      log.saveCounts([countOf('192.0.2.1', 1), countOf('192.0.2.2', 2)]);
      log.saveCounts([{ ...countOf('192.0.2.1', 3), kind: 'blocks' }, countOf('192.0.2.1', 4)]);
      await log.close();
      const second = await Opened.on(open);
      assert.deepEqual([...second.kept.counts.values()].map(({ count }) => count).sort(), [2, 3, 4]);
      second.log.purge([], T0 + 3);
      await second.log.close();
      const third = await Opened.on(open);
      assert.deepEqual([...third.kept.counts.values()], [countOf('192.0.2.1', 4)]);
      await third.log.close();
    },
  );

  test(
    `${name}: a log that is closed takes no more that has to be durable, and says so`,
    { skip },
    async (t) => {
      const { log, names } = await Opened.on(make(t));
      assert.equal(log.problem, null);
      await log.close();
      await assert.rejects(log.propose(withdrawn('good')), /shutting down/);
      assert.deepEqual(names, []);
    },
  );
}

test('SQLite: what was not written is not delivered', async (t) => {
  const opened = await Opened.on(LOGS['SQLite']!.make(t));
  const outcomes = await Promise.allSettled([
    opened.log.propose(advertised(advertisementOf('good'))),
    // No time at all: SQLite refuses the row.
    opened.log.propose(advertised(advertisementOf('bad', { updatedAt: Number.NaN }))),
    opened.log.propose(advertised(advertisementOf('better'))),
  ]);
  assert.equal(outcomes[1].status, 'rejected');
  assert.deepEqual(opened.names, ['advertise good', 'advertise better']);
  await opened.log.close();
});

test('in memory: what the disk refuses is not delivered', async () => {
  const log = new MemoryLog();
  const delivered: string[] = [];
  log.deliverTo((entry) => delivered.push(nameOf(entry)));
  log.hold();
  const lost = assert.rejects(log.propose(advertised(advertisementOf('lost'))), /the disk is full/);
  const kept = log.propose(advertised(advertisementOf('kept')));
  assert.deepEqual(delivered, []);
  await log.fail();
  await lost;
  await log.succeed();
  await kept;
  assert.deepEqual(delivered, ['advertise kept']);
});

test('in memory: a crash loses what was not durable, and nothing else', async () => {
  const disk = new MemoryDisk();
  const { log } = await Opened.on(MemoryLog.in(disk));
  await log.propose(advertised(advertisementOf('durable')));
  log.hold();
  void log.propose(advertised(advertisementOf('lost')));
  log.crash();
  void log.propose(advertised(advertisementOf('late')));
  const { kept } = await Opened.on(MemoryLog.in(disk));
  assert.deepEqual([...kept.advertisements.keys()], ['durable']);
});
