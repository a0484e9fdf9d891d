import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { formatPageCursor, type ListQuery, parseListQuery } from '../../../src/protocol/list-query.js';
import { renderHead } from '../../../src/registry/store/advertisement-json.js';
import { PageCache } from '../../../src/registry/lists/page-cache.js';
import { runQuery } from '../../../src/registry/lists/query.js';
import { Store } from '../../../src/registry/store/store.js';
import { type Content, content, recordOf } from '../../support/arbitraries.js';
import { type Step, sequences, steps } from '../../support/steps.js';

const QUERIES: readonly ListQuery[] = [
  parseListQuery(''),
  parseListQuery('limit=3'),
  parseListQuery('cpu=2'),
  parseListQuery('status=live'),
  parseListQuery('sort=price&limit=4'),
  parseListQuery('sort=updated'),
  parseListQuery(`after=${formatPageCursor({ sort: 'id', key: null, providerId: 'p3' })}`),
];
const START = 1_740_063_600_000;

/** A store, and pages of it that are kept wherever they may be. */
class World {
  readonly store = new Store();
  readonly pages = new PageCache(this.store);
  /** How often a page was there. */
  found = 0;
  #now = START;

  #lease(): { updatedAt: number; expiresAt: number; deadline: number } {
    this.#now += 1;
    return { updatedAt: this.#now, expiresAt: this.#now + 300_000, deadline: this.#now };
  }

  advertise(number: number, one: Content, live: boolean): void {
    const record = recordOf(`p${String(number)}`, one);
    const slot = this.store.find(record.providerId);
    const head = renderHead(record);
    if (slot === undefined) this.store.add(record, head, this.#lease(), live);
    else if (!this.store.differs(slot, record, head, live))
      this.store.renew(slot, record, head, this.#lease(), live);
    else this.store.replace(slot, record, head, this.#lease(), live);
  }

  change(number: number, what: 'heartbeat' | 'remove' | 'live' | 'suspect'): void {
    const slot = this.store.find(`p${String(number)}`);
    if (slot === undefined) return;
    if (what === 'heartbeat') this.store.setLease(slot, this.#lease());
    else if (what === 'remove') this.store.remove(slot);
    else this.store.setLive(slot, what === 'live');
  }

  ask(query: ListQuery): void {
    const { slots, next } = runQuery(this.store, query);
    const rows = slots.map((slot) => this.store.fragment(slot).toString('utf8'));
    const body = Buffer.from(`[${rows.join(',')}]`);
    const page = { body, next, count: slots.length, kept: false };
    const kept = this.pages.find(query);
    if (kept === null) {
      this.pages.note(query, slots, page);
    } else {
      this.found += 1;
      assert.equal(kept.body.toString('utf8'), body.toString('utf8'));
      assert.deepEqual({ ...kept, body }, { ...page, kept: true });
    }
  }
}

const number = fc.nat(8);
const step: fc.Arbitrary<Step<World>> = fc.oneof(
  steps('advertise', [number, content, fc.boolean()], (world: World, ...args) => world.advertise(...args)),
  steps('change', [number, fc.constantFrom('remove', 'live', 'suspect')], (world: World, ...args) =>
    world.change(...args),
  ),
  {
    weight: 10,
    arbitrary: steps('heartbeat', [number], (world: World, one) => world.change(one, 'heartbeat')),
  },
  {
    weight: 20,
    arbitrary: steps('ask', [fc.constantFrom(...QUERIES)], (world: World, query) => world.ask(query)),
  },
);

test('a kept page is what would be made anew, whatever has happened since', () => {
  let found = 0;
  fc.assert(
    fc.property(sequences(step, 120), (sequence) => {
      const world = new World();
      for (let filled = 0; filled < 5; filled += 1) world.advertise(filled, SOME, true);
      for (const each of sequence) each.run(world);
      found += world.found;
    }),
    { numRuns: 200 },
  );
  assert.ok(found > 1000, 'pages were hardly ever kept');
});

const SOME: Content = {
  ipAddress: '203.0.113.7',
  country: 'SE',
  resources: { cpu: 2, memory: 2, storage: 2 },
  platform: null,
  pricing: null,
  name: null,
  paymentsNetwork: null,
};

test('a page is kept from the second time on that it is asked for, until more than times changes', () => {
  const world = new World();
  const asked = (query: ListQuery): number => {
    const before = world.found;
    world.ask(query);
    return world.found - before;
  };
  world.advertise(1, SOME, true);
  const [all, limited] = QUERIES as [ListQuery, ListQuery];
  assert.deepEqual([asked(all), asked(all), asked(all)], [0, 0, 1]);
  assert.deepEqual([asked(limited), asked(all)], [0, 1]);
  world.change(1, 'heartbeat');
  assert.equal(asked(all), 1);
  world.advertise(1, SOME, true);
  assert.equal(asked(all), 1, 'the same advertisement once more is a heartbeat');
  world.change(1, 'suspect');
  assert.deepEqual([asked(all), asked(all), asked(all)], [0, 0, 1]);
});

test('kept pages take no more memory than they may, and those that were made last stay', () => {
  const world = new World();
  // The longest name there is.
  for (let row = 0; row < 1400; row += 1) world.advertise(row, { ...SOME, name: 'n'.repeat(64) }, true);
  const queries = Array.from({ length: 30 }, (_, at) => parseListQuery(`cpu=2&limit=${String(900 + at)}`));
  for (const query of queries) for (let time = 0; time < 2; time += 1) world.ask(query);
  assert.ok(world.pages.bytes <= 8 << 20 && world.pages.bytes > 7 << 20, String(world.pages.bytes));
  assert.equal(world.pages.find(queries[0]!), null);
  assert.notEqual(world.pages.find(queries.at(-1)!), null);
  const short = Array.from({ length: 1100 }, () => parseListQuery('limit=1'));
  for (const query of short) for (let time = 0; time < 2; time += 1) world.ask(query);
  assert.equal(short.filter((query) => world.pages.find(query) !== null).length, 1024);
  assert.ok(world.pages.bytes < 1 << 20, 'those that went left nothing behind');
});
