import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../support/properties.js';
import type { AdvertisementRecord, ProofRecord } from '../../src/registry/store/records.js';
import { Registry } from '../../src/registry/registry.js';
import { content, recordOf } from '../support/data/arbitraries.js';
import { parseListQuery } from '../../src/protocol/filters/list-query.js';
import { FakeClock } from '../support/fake-clock.js';
import { MemoryLog } from '../support/worlds/memory-log.js';
import { published } from '../support/worlds/naive.js';
import { listText } from '../support/data/list-text.js';
import { advertised } from '../support/data/entries.js';
import { CONTENT } from '../support/data/contents.js';

const T0 = 1_740_063_600_000;
const EXPIRY_MS = 300_000;
const GRACE_MS = 60_000;
const LAG_MS = 2000;
const PROOF: ProofRecord = {
  publicKey: 'ab'.repeat(32),
  t: T0,
  payload: Buffer.from('{}'),
  signature: 'cd'.repeat(64),
};
class Restart {
  readonly clock = new FakeClock(T0);
  readonly persistence = new MemoryLog();
  readonly registry = new Registry(
    { expiryMs: EXPIRY_MS, restartGraceMs: GRACE_MS, replayEvents: 100, cleanupMs: 60_000 },
    this.clock,
  );

  /** @returns For each, whether it was taken back. */
  restore(...records: AdvertisementRecord[]): boolean[] {
    const results = records.map((record) => this.registry.restore.advertisement(record));
    this.registry.restore.finish();
    this.registry.keepIn(this.persistence);
    return results;
  }

  run(ms: number): void {
    for (let passed = 0; passed < ms; passed += 200) {
      this.clock.advance(200);
      this.registry.tick();
    }
  }
}

function record(
  id: string,
  heardMsAgo: number,
  changes: Partial<AdvertisementRecord> = {},
): AdvertisementRecord {
  const updatedAt = T0 - heardMsAgo;
  return recordOf(id, CONTENT, { createdAt: T0 - 10 ** 9, updatedAt, proof: PROOF, ...changes });
}

test('what expired during the down time stays gone; the rest has what is left of its time, but at least the grace', () => {
  const attached = fc.boolean();
  // Also heartbeats of a wall clock that was ahead.
  const ago = fc.oneof(
    fc.integer({ min: -100_000_000, max: 100_000_000 }),
    fc.integer({ min: 290_000, max: 310_000 }),
  );
  fc.assert(
    fc.property(ago, attached, (heardMsAgo, isAttached) => {
      const restart = new Restart();
      const [isBack] = restart.restore(record('a', heardMsAgo, { attached: isAttached }));
      const left = Math.min(EXPIRY_MS - heardMsAgo, EXPIRY_MS);
      assert.equal(isBack, left + (isAttached ? LAG_MS : 0) > 0);
      const advertisement = restart.registry.advertisement('a');
      assert.equal(advertisement !== null, isBack);
      if (advertisement === null) return;
      assert.equal(Date.parse(advertisement.expires_at), T0 + Math.max(left, GRACE_MS));
    }),
    { numRuns: 500 },
  );
});

test('what was taken back is suspect, with everything as it was but the time it has left', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(1000), { maxLength: 20 }), content, (numbers, said) => {
      const restart = new Restart();
      const records = numbers.map((number) =>
        recordOf(`p${String(number)}`, said, { createdAt: number, updatedAt: T0 - number, proof: PROOF }),
      );
      assert.ok(restart.restore(...records).every((isBack) => isBack));
      const expected = records
        .map((one) =>
          published(one, { updatedAt: one.updatedAt, expiresAt: one.updatedAt + EXPIRY_MS }, false),
        )
        .sort((a, b) => (a.provider_id < b.provider_id ? -1 : 1));
      const answer = restart.registry.list({ filter: {}, sort: 'id', limit: null, after: null });
      assert.deepEqual(JSON.parse(listText(answer)), JSON.parse(JSON.stringify(expected)));
      assert.equal(restart.registry.store.suspects, records.length);
    }),
    { numRuns: 60 },
  );
});

test('whoever is not heard from again expires when its time or the grace is over', () => {
  const restart = new Restart();
  restart.restore(record('short', 299_000), record('long', 100_000));
  restart.run(59_800);
  assert.equal(restart.registry.store.size, 2);
  restart.run(1000);
  assert.equal(restart.registry.find('short'), null);
  restart.run(138_000);
  assert.notEqual(restart.registry.find('long'), null);
  restart.run(2000);
  assert.equal(restart.registry.find('long'), null);
});

test('a wall clock that was set back meanwhile does not keep anybody longer than the expiry', () => {
  const restart = new Restart();
  restart.restore(record('a', -24 * 3_600_000));
  restart.run(299_800);
  assert.notEqual(restart.registry.find('a'), null);
  restart.run(1000);
  assert.equal(restart.registry.find('a'), null);
});

test('who does not sign comes back live, whatever the wall clock was set to: an hour ahead made it suspect', () => {
  const restart = new Restart();
  const anHourAgo = T0 - 3_600_000;
  restart.registry.resumeClock({ steady: anHourAgo, wall: T0, boot: null });
  restart.restore(recordOf('a', CONTENT, { updatedAt: anHourAgo - 10_000 }));
  assert.equal(restart.registry.advertisement('a')?.status, 'live');
});

test('a session makes what was taken back live again, for the whole expiry', () => {
  const restart = new Restart();
  restart.restore(record('a', 299_000));
  restart.registry.attach('a');
  const advertisement = restart.registry.advertisement('a')!;
  assert.equal(advertisement.status, 'live');
  assert.equal(Date.parse(advertisement.expires_at), T0 + EXPIRY_MS);
  assert.equal(advertisement.created_at, new Date(T0 - 10 ** 9).toISOString());
  restart.run(299_000);
  assert.notEqual(restart.registry.find('a'), null);
});

test('the written heartbeat of an open session may lag by two seconds, that of any other is exact', () => {
  const [within, beyond, plain] = new Restart().restore(
    record('within', EXPIRY_MS + LAG_MS - 1, { attached: true }),
    record('beyond', EXPIRY_MS + LAG_MS, { attached: true }),
    record('plain', EXPIRY_MS),
  );
  assert.deepEqual([within, beyond, plain], [true, false, false]);
});

/** In its canonical form. */
const ADDRESS = '0x52908400098527886E0F7030069857D2E4169EE7';

test('what was not signed is only taken back when it would be accepted today', () => {
  const bad: Record<string, Partial<AdvertisementRecord>> = {
    country: { country: 'XX' },
    'no-cpu': { resources: { memory: 1, storage: 1 } },
    cpu: { resources: { cpu: 0, memory: 1, storage: 1 } },
    address: { ipAddress: 'localhost' },
    platform: { platform: '' },
    pricing: { pricing: { usd_per_core_month: -1 } },
    name: { name: 'a\u0000' },
    network: { paymentsNetwork: 'x'.repeat(65) },
  };
  const restart = new Restart();
  const badRecords = Object.entries(bad).map(([id, changes]) => record(id, 0, { ...changes, proof: null }));
  const results = restart.restore(
    record('good', 0, { proof: null }),
    record(ADDRESS, 0, { proof: null }),
    record('not an id', 0, { proof: null }),
    record(ADDRESS.toLowerCase(), 0, { proof: null }),
    record(`0X${'ab'.repeat(20)}`, 0, { proof: null }),
    record('AB'.repeat(32), 0, { proof: null }),
    ...badRecords,
  );
  assert.deepEqual(results, [true, true, ...Array<boolean>(4 + badRecords.length).fill(false)]);
  assert.equal(restart.registry.advertisement('good')?.verified, false);
});

// A row of the first generation in lower case was filed as one of Andorra, and found by no filter.
test('what was not signed is filed as it would be today: its country in upper case, and live, as it has no session to lose', () => {
  const restart = new Restart();
  restart.restore(
    record('lower', 0, { proof: null, country: 'se' }),
    record('alias', 0, { proof: null, country: 'UK' }),
    record('signed', 0),
  );
  const found = (country: string): string[] =>
    JSON.parse(listText(restart.registry.list(parseListQuery(`country=${country}`)))) as string[];
  assert.deepEqual(found('AD'), []);
  for (const [id, country, status] of [
    ['lower', 'SE', 'live'],
    ['alias', 'GB', 'live'],
    ['signed', 'SE', 'suspect'],
  ] as const) {
    const advertisement = restart.registry.advertisement(id);
    assert.deepEqual([advertisement?.country, advertisement?.status], [country, status], id);
  }
});

test('what was not signed and would not be accepted is counted by what is wrong with it, and not what has expired', () => {
  const restart = new Restart();
  restart.restore(
    record('a', 0, { proof: null, country: 'XX' }),
    record('b', 0, { proof: null, country: '' }),
    record('c', 0, { proof: null, ipAddress: 'localhost' }),
    record('d', 0, { proof: null, pricing: { usd_per_core_month: -1 } }),
    record('no id', 0, { proof: null }),
    record('expired', EXPIRY_MS + 1, { proof: null, country: 'SE' }),
    record('good', 0, { proof: null }),
  );
  assert.deepEqual(restart.registry.restore.unacceptable, {
    country: 2,
    ip_address: 1,
    pricing: 1,
    provider_id: 1,
  });
});

test('what was not signed does not come back under an id that a key owns', () => {
  const restart = new Restart();
  const key = 'ab'.repeat(32);
  restart.registry.restore.identity({ providerId: 'owned', publicKey: key, lastT: 1, seenAt: T0 });
  restart.registry.restore.identity({ providerId: 'lapsed', publicKey: key, lastT: 1, seenAt: 0 });
  const results = restart.restore(
    record('owned', 0, { proof: null }),
    record(key, 0, { proof: null }),
    record('lapsed', 0, { proof: null }),
    record('free', 0, { proof: null }),
  );
  assert.deepEqual(results, [false, false, true, true]);
  assert.equal(
    restart.registry.identities.ownerOf('lapsed', T0),
    undefined,
    'a lapsed binding was brought back',
  );
});

test('rows that were not taken back leave the file with the next clean-up, and no others', () => {
  const restart = new Restart();
  restart.restore(
    record('kept', 0),
    record('expired', EXPIRY_MS + 1),
    record('bad', 0, { proof: null, country: 'XX' }),
    record('again', EXPIRY_MS + 1),
  );
  void restart.persistence.propose(advertised(record('again', 0)));
  restart.run(60_200);
  const purged = restart.persistence.writes.flatMap((write) =>
    write.kind === 'purge' ? write.expiredIds : [],
  );
  assert.deepEqual(purged.sort(), ['bad', 'expired']);
});

test('a million rows that expired during the down time leave the file a few thousand at a time: they stopped the hub for a second', () => {
  const restart = new Restart();
  const ids = Array.from({ length: 12_000 }, (_, number) => `p${String(number)}`);
  restart.restore(...ids.map((id) => record(id, EXPIRY_MS + 1)));
  restart.run(61_000);
  const purges = restart.persistence.writes.flatMap((write) =>
    write.kind === 'purge' ? [write.expiredIds] : [],
  );
  assert.deepEqual(purges.flat().sort(), ids.sort());
  for (const { length } of purges) assert.ok(length <= 5000, `${String(length)} at once`);
  restart.run(58_000);
  const count = restart.persistence.writes.filter(({ kind }) => kind === 'purge').length;
  assert.equal(count, purges.length, 'the next clean-up comes in its own time');
});

test('a binding is taken back with its newest signed time, and lasts for 30 days after the last heartbeat', () => {
  const day = 24 * 3_600_000;
  const { registry } = new Restart();
  registry.restore.identity({
    providerId: 'a',
    publicKey: 'ab'.repeat(32),
    lastT: T0 - 5,
    seenAt: T0 - 29 * day,
  });
  registry.restore.identity({
    providerId: 'b',
    publicKey: 'ab'.repeat(32),
    lastT: T0 - 5,
    seenAt: T0 - 31 * day,
  });
  registry.restore.identity({
    providerId: 'c',
    publicKey: 'ab'.repeat(32),
    lastT: T0 - 5,
    seenAt: T0 - 31 * day,
  });
  registry.restore.advertisement(record('c', 0));
  registry.restore.finish();
  assert.equal(registry.identities.get('a', T0)?.lastT, T0 - 5);
  assert.equal(registry.identities.get('b', T0), undefined);
  assert.equal(
    registry.identities.get('c', T0)?.lastT,
    T0 - 5,
    'its heartbeats were written with the advertisement',
  );
});

test('what was not signed does not stay under an id that turns out to be owned', () => {
  const restart = new Restart();
  const key = 'ab'.repeat(32);
  for (const id of ['owned', 'lapsed', 'free'])
    restart.registry.restore.advertisement(record(id, 0, { proof: null }));
  restart.registry.restore.identity({ providerId: 'owned', publicKey: key, lastT: 1, seenAt: T0 });
  restart.registry.restore.identity({ providerId: 'lapsed', publicKey: key, lastT: 1, seenAt: 0 });
  restart.restore();
  assert.equal(restart.registry.find('owned'), null);
  assert.notEqual(restart.registry.find('lapsed'), null);
  assert.notEqual(restart.registry.find('free'), null);
  restart.run(60_200);
  const purged = restart.persistence.writes.flatMap((write) =>
    write.kind === 'purge' ? write.expiredIds : [],
  );
  assert.deepEqual(purged, ['owned']);
});

test('a binding is known from its advertisement alone, also when that has expired or expires', () => {
  const restart = new Restart();
  const [isBack, isBackToo] = restart.restore(record('here', 0), record('gone', EXPIRY_MS + 1));
  assert.deepEqual([isBack, isBackToo], [true, false]);
  const { identities } = restart.registry;
  for (const id of ['here', 'gone']) {
    assert.equal(identities.ownerOf(id, T0), PROOF.publicKey);
    assert.equal(identities.get(id, T0)?.lastT, PROOF.t);
  }
  assert.equal(identities.size, 1);
  restart.run(EXPIRY_MS + 1000);
  assert.equal(restart.registry.find('here'), null);
  const later = restart.clock.wall();
  assert.equal(identities.ownerOf('here', later), PROOF.publicKey);
  assert.equal(identities.get('here', later)?.lastT, PROOF.t);
  assert.equal(identities.ownerOf('here', T0 + 30 * 24 * 3_600_000 + 1), undefined);
});
