import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../../support/properties.js';
import { renderHead } from '../../../src/registry/store/advertisement-json.js';
import type { AdvertisementRecord, ProofRecord } from '../../../src/registry/store/records.js';
import { type Lease, Store } from '../../../src/registry/store/store.js';
import { type Content, content, recordOf } from '../../support/data/arbitraries.js';
import { published } from '../../support/worlds/naive.js';
import { sequences, steps } from '../../support/worlds/steps.js';
import { SMALLEST } from '../../support/data/contents.js';

const T0 = 1_740_063_600_000;

interface Expected {
  record: AdvertisementRecord;
  lease: Lease;
  live: boolean;
}

/** Compares a store with plain objects. */
class StoreModel {
  readonly store = new Store();
  readonly rows = new Map<string, Expected>();

  put(id: string, one: Content, lease: Lease, live: boolean, proof: ProofRecord | null): void {
    const known = this.rows.get(id);
    const record = recordOf(id, one, { createdAt: known?.record.createdAt ?? lease.updatedAt, proof });
    const head = renderHead(record);
    const slot = this.store.find(id);
    if (slot === undefined) {
      this.store.add(record, head, lease, live);
    } else {
      const differs = this.store.differs(slot, record, head, live);
      const shown = (row: Expected) => published(row.record, { updatedAt: 0, expiresAt: 0 }, row.live);
      const expected = JSON.stringify(shown(known!)) !== JSON.stringify(shown({ record, lease, live }));
      assert.equal(differs, expected);
      this.store.replace(slot, record, head, lease, live);
    }
    this.rows.set(id, { record, lease, live });
  }

  setLive(id: string, live: boolean): void {
    const row = this.rows.get(id);
    if (row === undefined) return;
    this.store.setStanding(this.store.find(id)!, live, false);
    row.live = live;
  }

  setLease(id: string, lease: Lease): void {
    const row = this.rows.get(id);
    if (row === undefined) return;
    this.store.setLease(this.store.find(id)!, lease);
    row.lease = lease;
  }

  remove(id: string): void {
    const slot = this.store.find(id);
    if (slot !== undefined) this.store.remove(slot);
    this.rows.delete(id);
  }

  /** @param onlyId Reads just one, so that others stay unread over several changes. */
  check(onlyId?: string): void {
    assert.equal(this.store.size, this.rows.size);
    assert.equal(this.store.suspects, [...this.rows.values()].filter(({ live }) => !live).length);
    for (const [id, { record, lease, live }] of this.rows) {
      if (onlyId !== undefined && id !== onlyId) continue;
      const slot = this.store.find(id)!;
      const text = this.store.fragment(slot).toString('utf8');
      assert.equal(text, JSON.stringify(published(record, lease, live)));
      assert.equal(this.store.ids[slot], id);
      assert.equal(this.store.isLive(slot), live);
      assert.equal(this.store.deadline(slot), lease.deadline);
      assert.equal(this.store.createdAt(slot), record.createdAt);
      const proof = this.store.proof(slot);
      assert.deepEqual(proof && { ...proof, payload: Buffer.from(proof.payload) }, record.proof);
    }
  }
}

const id = fc.constantFrom('a', 'b', 'c', 'dd', 'p-1', 'P');
const lease = fc
  .record({ updatedAt: fc.integer({ min: T0, max: T0 + 10 ** 10 }), deadline: fc.nat(10 ** 7) })
  .map(({ updatedAt, deadline }): Lease => ({ updatedAt, expiresAt: updatedAt + 300_000, deadline }));
const proof: fc.Arbitrary<ProofRecord> = fc.record(
  {
    publicKey: fc.constantFrom('ab'.repeat(32), '00'.repeat(32)),
    t: fc.nat(2 ** 45),
    payload: fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)),
    signature: fc.constantFrom('cd'.repeat(64), 'ff'.repeat(64)),
  },
  { noNullPrototype: true },
);
const step = fc.oneof(
  steps(
    'put',
    [id, content, lease, fc.boolean(), fc.option(proof)],
    (model: StoreModel, one, said, until, live, signed) => {
      model.put(one, said, until, live, signed);
    },
  ),
  steps('say the same again', [id, lease, fc.option(proof)], (model: StoreModel, one, until, signed) => {
    const row = model.rows.get(one);
    if (row !== undefined) model.put(one, row.record, until, row.live, signed);
  }),
  steps('set live', [id, fc.boolean()], (model: StoreModel, one, live) => {
    model.setLive(one, live);
  }),
  steps('set lease', [id, lease], (model: StoreModel, one, until) => {
    model.setLease(one, until);
  }),
  steps('remove', [id], (model: StoreModel, one) => {
    model.remove(one);
  }),
  steps('check one', [id], (model: StoreModel, one) => {
    model.check(one);
  }),
);

test('the text of an advertisement always equals one that is made anew', () => {
  fc.assert(
    fc.property(sequences(step, 50), (sequence) => {
      const model = new StoreModel();
      for (const one of sequence) one.run(model);
      model.check();
      for (const one of [...model.rows.keys()]) model.remove(one);
      assert.equal(model.store.arena.usedBytes, 0, 'room is taken that nobody uses');
      assert.equal(model.store.numbers.size, 0);
    }),
    { numRuns: 300 },
  );
});

test('a store grows beyond its first capacity, with slots of removed advertisements used again', () => {
  const model = new StoreModel();
  const said: Content = {
    ipAddress: '203.0.113.7',
    country: 'ZW',
    resources: { cpu: 4096, memory: 65_536, storage: 10_000_000 },
    platform: 'x86_64',
    pricing: { usd_per_core_month: 0.1, note: 'é' },
    name: null,
    paymentsNetwork: null,
    attributes: null,
    endpoint: null,
  };
  const until: Lease = { updatedAt: T0, expiresAt: T0 + 1, deadline: 5 };
  for (let count = 0; count < 2500; count += 1)
    model.put(`p${String(count)}`, said, until, count % 2 === 0, null);
  for (let count = 0; count < 2500; count += 3) model.remove(`p${String(count)}`);
  for (let count = 0; count < 500; count += 1) model.put(`q${String(count)}`, said, until, true, null);
  model.check();
  assert.ok(model.store.slotLimit <= 2500);
});

test('an earlier deadline is filed anew, so that it is not missed', () => {
  const store = new Store();
  const record = recordOf('a', { ...SMALLEST });
  const slot = store.add(record, renderHead(record), { updatedAt: 0, expiresAt: 0, deadline: 100_000 }, true);
  store.setLease(slot, { updatedAt: 0, expiresAt: 0, deadline: 1000 });
  const looked: number[] = [];
  store.wheel.advance(1000, 10, (one) => looked.push(one));
  assert.deepEqual(looked, [slot]);
});
