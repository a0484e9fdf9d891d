import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../../support/properties.js';
import type { Filter } from '../../../src/protocol/filters/filter.js';
import { parseListQuery, type PageCursor, type SortOrder } from '../../../src/protocol/filters/list-query.js';
import { renderHead } from '../../../src/registry/store/advertisement-json.js';
import { FrozenMatches } from '../../../src/registry/lists/frozen-matches.js';
import { findPage, type Page } from '../../../src/registry/lists/query.js';
import { RowWatchers } from '../../../src/registry/store/row-watchers.js';
import { Store } from '../../../src/registry/store/store.js';
import { type Content, content, filter, recordOf } from '../../support/data/arbitraries.js';
import { list } from '../../support/worlds/naive.js';
import { sequences } from '../../support/worlds/steps.js';
import { SMALLEST } from '../../support/data/contents.js';

const SORTS: readonly SortOrder[] = ['id', 'price', 'price_glm', 'updated'];

const PROOF = { publicKey: 'ab'.repeat(32), t: 1, payload: '{}', signature: 'cd'.repeat(64) };

interface Row {
  id: number;
  content: Content;
  updatedAt: number;
  live: boolean;
  signed: boolean;
}

const row: fc.Arbitrary<Row> = fc.record({
  id: fc.nat(500),
  content,
  // Many at the same time, so that ids have to decide.
  updatedAt: fc.constantFrom(1000, 1001, 1_740_063_600_000),
  live: fc.boolean(),
  signed: fc.boolean(),
});

function idOf(number: number): string {
  return number % 2 === 0 ? `p${String(number)}` : `P-${number.toString(36)}`;
}

function put(store: Store, { id, content: one, updatedAt, live, signed }: Row): void {
  if (store.find(idOf(id)) !== undefined) return;
  const record = recordOf(idOf(id), one, signed ? { proof: PROOF } : {});
  store.add(record, renderHead(record), { updatedAt, expiresAt: updatedAt + 300_000, deadline: 0 }, live);
}

/** What a client makes of `next`: a parameter of its next request. */
function cursorFrom(next: string, sort: SortOrder): PageCursor | null {
  return parseListQuery(`after=${next}${sort === 'id' ? '' : `&sort=${sort}`}`).after;
}

function page(store: Store, asked: Filter, sort: SortOrder, limit: number | null, next: string | null): Page {
  const query = { filter: asked, sort, limit, after: next === null ? null : cursorFrom(next, sort) };
  const steps = findPage(store, query, new FrozenMatches(store, new RowWatchers(), query));
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

function everything(store: Store) {
  return store.ids.flatMap((id, slot) => (id === undefined ? [] : [store.advertisement(slot)]));
}

const idsOf = (store: Store, slots: readonly number[]): string[] => slots.map((slot) => store.ids[slot]!);

const rows = sequences(row, 40);
const sorts = fc.constantFrom(...SORTS);
/** Of which some are so few that rows have to keep their facts as texts. */
const maxFacts = fc.constantFrom(0, 2, 5, 1000);

test('a list without a limit is what a naive filter and sort give, in all orders', () => {
  fc.assert(
    fc.property(rows, filter, sorts, maxFacts, (all, asked, sort, most) => {
      const store = new Store(most);
      for (const one of all) put(store, one);
      const { slots, next } = page(store, asked, sort, null, null);
      const expected = list(everything(store), asked, sort).map((one) => one.provider_id);
      assert.deepEqual(idsOf(store, slots), expected);
      assert.equal(next, null);
    }),
    { numRuns: 300 },
  );
});

test('pages of any size put one behind the other are the whole list, and only the last has no next', () => {
  fc.assert(
    fc.property(
      rows,
      filter,
      sorts,
      fc.integer({ min: 1, max: 9 }),
      maxFacts,
      (all, asked, sort, limit, most) => {
        const store = new Store(most);
        for (const one of all) put(store, one);
        const expected = list(everything(store), asked, sort).map((one) => one.provider_id);
        const seen: string[] = [];
        let next: string | null = null;
        do {
          const answer: Page = page(store, asked, sort, limit, next);
          const ids = idsOf(store, answer.slots);
          seen.push(...ids);
          ({ next } = answer);
          assert.ok(ids.length <= limit);
          assert.equal(
            next === null,
            seen.length === expected.length,
            'a next page is announced that is not there',
          );
          if (next !== null) assert.equal(ids.length, limit);
        } while (next !== null);
        assert.deepEqual(seen, expected);
      },
    ),
    { numRuns: 300 },
  );
});

test('rows that stay are each seen once while others come and go between the pages', () => {
  fc.assert(
    fc.property(
      rows,
      filter,
      fc.constantFrom<SortOrder>('id', 'price', 'price_glm'),
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.record({ add: row, remove: fc.nat() }), { maxLength: 12 }),
      (all, asked, sort, limit, changes) => {
        const store = new Store();
        for (const one of all) put(store, one);
        const stay = new Set(list(everything(store), asked, sort).map((one) => one.provider_id));
        const seen: string[] = [];
        let next: string | null = null;
        do {
          const answer: Page = page(store, asked, sort, limit, next);
          seen.push(...idsOf(store, answer.slots));
          ({ next } = answer);
          const change = changes.pop();
          if (change === undefined) continue;
          const present = store.ids.filter((id) => id !== undefined);
          const gone = present[change.remove % Math.max(1, present.length)];
          if (gone !== undefined) {
            store.remove(store.find(gone)!);
            stay.delete(gone);
          }
          // Whoever comes back at another price may rightly be seen again.
          if (!seen.includes(idOf(change.add.id))) put(store, change.add);
        } while (next !== null);
        assert.equal(new Set(seen).size, seen.length, 'a row was seen twice');
        for (const id of stay) assert.ok(seen.includes(id), `${id} was there all the time, and not seen`);
      },
    ),
    { numRuns: 300 },
  );
});

test('unpriced providers come last in the order of prices, by their ids, and can be paged through', () => {
  const store = new Store();
  const priced = { usd_per_core_month: 1, usd_per_gb_ram_month: 1, usd_per_gb_storage_month: 0 };
  const base: Content = SMALLEST;
  const pricings: Record<string, Content['pricing']> = {
    none: null,
    empty: {},
    two: { usd_per_core_month: 0, usd_per_gb_ram_month: 0 },
    glm: { glm_per_core_month: 0, glm_per_gb_ram_month: 0, glm_per_gb_storage_month: 0 },
    dear: { ...priced, usd_per_core_month: 1e308 },
    dearer: { usd_per_core_month: 1e308, usd_per_gb_ram_month: 1e308, usd_per_gb_storage_month: 1e308 },
    fair: priced,
    free: { usd_per_core_month: 0, usd_per_gb_ram_month: 0, usd_per_gb_storage_month: 0 },
  };
  for (const [id, pricing] of Object.entries(pricings)) {
    const record = recordOf(id, { ...base, pricing });
    store.add(record, renderHead(record), { updatedAt: 0, expiresAt: 0, deadline: 0 }, true);
  }
  // A price beyond all numbers is as good as none.
  const expected = ['free', 'fair', 'dear', 'dearer', 'empty', 'glm', 'none', 'two'];
  const seen: string[] = [];
  let next: string | null = null;
  do {
    const answer: Page = page(store, {}, 'price', 1, next);
    seen.push(...idsOf(store, answer.slots));
    ({ next } = answer);
  } while (next !== null);
  assert.deepEqual(seen, expected);
  assert.deepEqual(
    idsOf(store, page(store, { max_usd_per_month: Number.MAX_VALUE }, 'price', null, null).slots),
    ['free', 'fair', 'dear'],
  );
});

test('a budget in US dollars does not leave out who has no price in GLM of a long list by these', () => {
  const store = new Store();
  const usd = { usd_per_core_month: 1, usd_per_gb_ram_month: 1, usd_per_gb_storage_month: 0 };
  const glm = { glm_per_core_month: 1, glm_per_gb_ram_month: 1, glm_per_gb_storage_month: 0 };
  // So many that the price index is asked.
  for (let number = 0; number < 1600; number += 1) {
    const pricing = number === 1000 ? { ...usd, ...glm } : usd;
    const record = recordOf(`p${String(number).padStart(4, '0')}`, { ...SMALLEST, pricing });
    store.add(record, renderHead(record), { updatedAt: 0, expiresAt: 0, deadline: 0 }, true);
  }
  const { slots } = page(store, { max_usd_per_month: 5 }, 'price_glm', 3, null);
  assert.deepEqual(idsOf(store, slots), ['p1000', 'p0000', 'p0001']);
});
