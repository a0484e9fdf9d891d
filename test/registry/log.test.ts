import assert from 'node:assert/strict';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { DurableEntry } from '../../src/registry/entry.js';
import type { Log } from '../../src/registry/log.js';
import { advertised, bound, withdrawn } from '../support/entries.js';
import { MemoryLog } from '../support/memory-log.js';
import { advertisementOf, identityOf, openMirror, temporaryFolder } from './mirror/support.js';

/** What every implementation of the port has to do. */
const LOGS: Record<string, (t: TestContext) => Promise<Log>> = {
  'in memory': () => Promise.resolve(new MemoryLog()),
  SQLite: (t) => openMirror(join(temporaryFolder(t), 'hub.db')),
};

function nameOf(entry: DurableEntry): string {
  if (entry.kind === 'advertise') return `advertise ${entry.record.providerId}`;
  return entry.kind === 'withdraw' ? `withdraw ${entry.providerId}` : `bind ${entry.identity.providerId}`;
}

for (const [name, open] of Object.entries(LOGS)) {
  test(`${name}: entries are delivered in the order of their proposals, each before its proposer hears of it`, async (t) => {
    const log = await open(t);
    const delivered: string[] = [];
    log.deliverTo((entry) => delivered.push(nameOf(entry)));
    const entries = Array.from({ length: 3000 }, (_, index): DurableEntry => {
      const id = `p${String(index % 7)}`;
      if (index % 3 === 0) return advertised(advertisementOf(id), identityOf(id));
      return index % 3 === 1 ? withdrawn(id, identityOf(id)) : bound(identityOf(id));
    });
    await Promise.all(
      entries.map(async (entry, index) => {
        await log.propose(entry);
        assert.ok(delivered.length > index, `proposal ${String(index)} resolved before its delivery`);
      }),
    );
    assert.deepEqual(delivered, entries.map(nameOf));
    await log.close();
  });

  test(`${name}: whoever is told of an entry and fails fails its proposer, and nobody else`, async (t) => {
    const log = await open(t);
    const delivered: string[] = [];
    log.deliverTo((entry) => {
      if (entry.kind === 'withdraw') throw new Error('no such entry');
      delivered.push(nameOf(entry));
    });
    const outcomes = await Promise.allSettled([
      log.propose(advertised(advertisementOf('a'))),
      log.propose(withdrawn('a')),
      log.propose(advertised(advertisementOf('b'))),
    ]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.deepEqual(delivered, ['advertise a', 'advertise b']);
    await log.close();
  });
}

test('SQLite: what was not written is not delivered', async (t) => {
  const log = await LOGS['SQLite']!(t);
  const delivered: string[] = [];
  log.deliverTo((entry) => delivered.push(nameOf(entry)));
  const outcomes = await Promise.allSettled([
    log.propose(advertised(advertisementOf('good'))),
    // No time at all: SQLite refuses the row.
    log.propose(advertised(advertisementOf('bad', { updatedAt: Number.NaN }))),
    log.propose(advertised(advertisementOf('better'))),
  ]);
  assert.equal(outcomes[1].status, 'rejected');
  assert.deepEqual(delivered, ['advertise good', 'advertise better']);
  await log.close();
  await assert.rejects(log.propose(withdrawn('good')), /shutting down/);
  assert.deepEqual(delivered, ['advertise good', 'advertise better']);
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
