import { askedAmounts } from '../../protocol/filter.js';
import { formatPageCursor, type ListQuery, type PageCursor } from '../../protocol/list-query.js';
import { Heap } from '../../lib/heap.js';
import { USD } from '../store/columns.js';
import type { Predicate } from '../store/predicate.js';
import type { Store } from '../store/store.js';

/** The slots of one page, in the asked order, and where the next one begins. */
export interface Page {
  slots: number[];
  /** The value of `after` for the next page; null when this is the last. */
  next: string | null;
}

/** Answers a list request from memory. */
export function runQuery(store: Store, query: ListQuery): Page {
  return query.sort === 'id' ? pageById(store, query) : pageByRank(store, query);
}

/**
 * Matching slots in the order of their ids.
 * @param after Only ids behind this one; null for all.
 * @param wanted At most so many.
 */
export function matchingSlots(
  store: Store,
  predicate: Predicate,
  after: string | null = null,
  wanted = Number.POSITIVE_INFINITY,
): number[] {
  const { attributes } = store;
  const found: number[] = [];
  store.index.scan(after, (slots, from) => {
    predicate.select(attributes, slots, from, found, wanted);
    return found.length < wanted;
  });
  return found;
}

/** One more than asked for tells whether there is a next page. */
function rowsToFind(limit: number | null): number {
  return limit === null ? Number.POSITIVE_INFINITY : limit + 1;
}

function pageById(store: Store, { filter, limit, after }: ListQuery): Page {
  const wanted = rowsToFind(limit);
  const slots = matchingSlots(store, store.predicates.of(filter), after?.providerId ?? null, wanted);
  if (slots.length < wanted) return { slots, next: null };
  slots.pop();
  return { slots, next: formatPageCursor({ sort: 'id', key: null, providerId: store.ids[slots.at(-1)!]! }) };
}

/** A row and what it is sorted by: a smaller key comes first, and of equal keys the smaller id. */
interface Ranked {
  slot: number;
  key: number;
  id: string;
}

function isBefore(a: Ranked, b: Ranked): boolean {
  return a.key !== b.key ? a.key < b.key : a.id < b.id;
}

/** The key of unpriced providers, who come last. */
const UNPRICED = Number.POSITIVE_INFINITY;

function pageByRank(store: Store, query: ListQuery): Page {
  const { sort, limit, after } = query;
  const best = new FirstRows(rowsToFind(limit), after === null ? null : rankOfCursor(after));
  if (sort === 'updated') findNewest(store, query, best);
  else findCheapest(store, query, best);
  const rows = best.sorted();
  const page = limit === null ? rows : rows.slice(0, limit);
  const last = page.at(-1);
  const more = rows.length > page.length && last !== undefined;
  return {
    slots: page.map((row) => row.slot),
    next: more ? formatPageCursor(cursorOfRank(sort, last)) : null,
  };
}

function findNewest(store: Store, { filter }: ListQuery, best: FirstRows): void {
  const predicate = store.predicates.of(filter);
  for (let slot = 0; slot < store.slotLimit; slot += 1) {
    const key = -store.updatedAt(slot);
    if (!best.wants(key)) continue;
    const id = store.ids[slot];
    if (id !== undefined && predicate.matches(store.attributes, slot)) best.add({ slot, key, id });
  }
}

function findCheapest(store: Store, { filter, after }: ListQuery, best: FirstRows): void {
  const predicate = store.predicates.of(filter);
  const { attributes, ids } = store;
  const prices = store.prices[USD]!;
  const asked = askedAmounts(filter);
  const most = filter.max_usd_per_month ?? Number.MAX_VALUE;
  const { floor } = best;
  prices.scan(asked, floor, most, (slots, costs) => {
    let ceiling = Math.min(most, best.ceiling);
    for (let at = 0; at < slots.length; at += 1) {
      const key = costs[at]!;
      const slot = slots[at]!;
      if (key > ceiling || key < floor || !predicate.matches(attributes, slot)) continue;
      best.add({ slot, key, id: ids[slot]! });
      ceiling = Math.min(most, best.ceiling);
    }
    return ceiling;
  });
  if (best.isFull || filter.max_usd_per_month !== undefined) return;
  store.index.scan(after?.key === null ? after.providerId : null, (slots, from) => {
    for (let at = from; at < slots.length && !best.isFull; at += 1) {
      const slot = slots[at]!;
      if (prices.isPriced(slot) || !predicate.matches(attributes, slot)) continue;
      best.add({ slot, key: UNPRICED, id: ids[slot]! });
    }
    return !best.isFull;
  });
}

function rankOfCursor({ sort, key, providerId }: PageCursor): Ranked {
  const unsigned = key ?? UNPRICED;
  return { slot: -1, key: sort === 'updated' ? -unsigned : unsigned, id: providerId };
}

function cursorOfRank(sort: ListQuery['sort'], { key, id }: Ranked): PageCursor {
  const shown = sort === 'updated' ? -key : key;
  return { sort, key: shown === UNPRICED ? null : shown, providerId: id };
}

/** Keeps the first rows behind a place, at most `capacity`, of all that are added. */
class FirstRows {
  readonly #capacity: number;
  readonly #after: Ranked | null;
  /** The last of them on top. */
  readonly #rows = new Heap<Ranked>((a, b) => isBefore(b, a));

  constructor(capacity: number, after: Ranked | null) {
    this.#capacity = capacity;
    this.#after = after;
  }

  get isFull(): boolean {
    return this.#rows.size >= this.#capacity;
  }

  /** No row with a smaller key is wanted. */
  get floor(): number {
    return this.#after?.key ?? Number.NEGATIVE_INFINITY;
  }

  /** No row with a greater key is wanted any more. */
  get ceiling(): number {
    return this.isFull ? this.#rows.top!.key : Number.POSITIVE_INFINITY;
  }

  /** Whether a row with this key could be among the first. */
  wants(key: number): boolean {
    return key <= this.ceiling && key >= this.floor;
  }

  add(row: Ranked): void {
    if (this.#after !== null && !isBefore(this.#after, row)) return;
    if (!this.isFull) this.#rows.push(row);
    else if (isBefore(row, this.#rows.top!)) this.#rows.replaceTop(row);
  }

  sorted(): Ranked[] {
    return this.#rows.takeAll().sort((a, b) => (isBefore(a, b) ? -1 : 1));
  }
}
