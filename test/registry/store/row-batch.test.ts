import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../../support/properties.js';
import { type JsonTexts, renderHead } from '../../../src/registry/store/advertisement-json.js';
import type { AdvertisementRecord } from '../../../src/registry/store/records.js';
import { type RowBatch, RowBatcher } from '../../../src/registry/store/row-batch.js';
import { content, payloadOf, recordOf } from '../../support/data/arbitraries.js';
import { FakeClock } from '../../support/fake-clock.js';
import { listText } from '../../support/data/list-text.js';
import { withdrawn } from '../../support/data/entries.js';
import { LoggedRegistry } from '../../support/worlds/logged-registry.js';

const T0 = 1_740_063_600_000;
const EXPIRY_MS = 300_000;

function registryNow(): LoggedRegistry {
  const settings = { expiryMs: EXPIRY_MS, restartGraceMs: 60_000, replayEvents: 10, cleanupMs: 60_000 };
  return new LoggedRegistry(settings, new FakeClock(T0));
}

function textsOf({ resources, pricing, attributes }: AdvertisementRecord): JsonTexts {
  return {
    resources: JSON.stringify(resources),
    pricing: JSON.stringify(pricing),
    attributes: JSON.stringify(attributes),
  };
}

/** Collects records, and lets the batches travel as they would between threads. */
function batchesOf(records: readonly AdvertisementRecord[], perBatch: number): RowBatch[] {
  const batcher = new RowBatcher();
  const batches: RowBatch[] = [];
  const send = (): void => {
    const batch = batcher.take();
    batches.push(structuredClone(batch, { transfer: [batch.slab.buffer, batch.numbers.buffer] }));
  };
  let inBatch = 0;
  for (const record of records) {
    const texts = textsOf(record);
    if (inBatch === perBatch || !batcher.add(record, texts)) {
      send();
      assert.ok(batcher.isEmpty);
      assert.ok(batcher.add(record, texts));
      inBatch = 0;
    }
    inBatch += 1;
  }
  if (!batcher.isEmpty) send();
  return batches;
}

const signed = fc
  .record({
    said: content,
    heardMsAgo: fc.integer({ min: -1000, max: EXPIRY_MS + 5000 }),
    attached: fc.boolean(),
    ownKey: fc.boolean(),
  })
  .map(({ said, heardMsAgo, attached, ownKey }) => (number: number): AdvertisementRecord => {
    const id = ownKey ? number.toString(16).padStart(64, 'a') : `p-${String(number)}`;
    const updatedAt = T0 - heardMsAgo;
    return recordOf(id, said, {
      createdAt: updatedAt - number,
      updatedAt,
      attached,
      proof: {
        publicKey: ownKey ? id : 'ab'.repeat(32),
        t: updatedAt,
        payload: Buffer.from(payloadOf(said)),
        signature: 'cd'.repeat(64),
      },
    });
  });

const rows = fc.array(signed, { maxLength: 40 });

test('rows that travelled are taken back as if each had come by itself', () => {
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 15 }), fc.boolean(), (made, perBatch, isToldFirst) => {
      const records = made.map((make, index) => make(index));
      const expected = registryNow();
      for (const record of records) expected.restore.advertisement(record);
      expected.restore.finish();
      const registry = registryNow();
      registry.restore.expect(records.length);
      const restoreIdentities = (): void => {
        for (const { providerId, proof, updatedAt } of records)
          registry.restore.identity({
            providerId,
            publicKey: proof!.publicKey,
            lastT: proof!.t,
            seenAt: updatedAt,
          });
      };
      if (isToldFirst) restoreIdentities();
      for (const batch of batchesOf(records, perBatch)) registry.restore.rows(batch);
      if (!isToldFirst) restoreIdentities();
      registry.restore.finish();

      assert.equal(registry.identities.size, records.length - registry.store.size);
      const all = { filter: {}, sort: 'id', limit: null, after: null } as const;
      assert.equal(listText(registry.list(all)), listText(expected.list(all)));
      for (const { providerId } of records) {
        assert.deepEqual(registry.proof(providerId), expected.proof(providerId));
        assert.deepEqual(registry.identities.get(providerId, T0), expected.identities.get(providerId, T0));
        const filter = { country: ['SE'], platform: ['x86_64'], cpu: 2, max_usd_per_month: 2.5 };
        assert.equal(
          listText(registry.list({ ...all, filter })),
          listText(expected.list({ ...all, filter })),
        );
      }
      assert.equal(registry.store.arena.usedBytes, expected.store.arena.usedBytes);
      assert.equal(registry.store.numbers.size, expected.store.numbers.size);
      for (const { providerId } of records) registry.propose(withdrawn(providerId));
      assert.equal(registry.store.arena.usedBytes, 0, 'room is taken that nobody uses');
    }),
    { numRuns: 150 },
  );
});

test('a slab takes as many rows as fit, and the rest goes into the next', () => {
  const said = fc.sample(content, 1)[0]!;
  const records = Array.from({ length: 6000 }, (_, index) => {
    const payload = Buffer.from(payloadOf(said));
    const proof = { publicKey: 'ab'.repeat(32), t: 1, payload, signature: 'cd'.repeat(64) };
    return recordOf(`p${String(index)}`, said, { updatedAt: T0, proof });
  });
  const batches = batchesOf(records, Number.POSITIVE_INFINITY);
  assert.ok(batches.length > 1);
  const registry = registryNow();
  for (const batch of batches) registry.restore.rows(batch);
  registry.restore.finish();
  assert.equal(registry.store.size, records.length);
  const last = records.at(-1)!;
  assert.ok(registry.find(last.providerId)!.toString('utf8').startsWith(renderHead(last)));
});

test('a row that is too large for any slab is refused', () => {
  const said = { ...fc.sample(content, 1)[0]!, name: 'x'.repeat(1 << 20) };
  const batcher = new RowBatcher();
  assert.ok(!batcher.add(recordOf('p', said), { resources: '{}', pricing: 'null', attributes: 'null' }));
  assert.ok(batcher.isEmpty);
});
