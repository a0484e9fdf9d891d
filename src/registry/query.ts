import { askedAmounts } from '../protocol/filter.js';
import { formatPageCursor, type ListQuery, type PageCursor } from '../protocol/list-query.js';
import { estimate, Predicate } from './predicate.js';
import type { Store } from './store.js';

/** The slots of one page, in the asked order, and where the next one begins. */
export interface Page {
  slots: number[];
  /** The value of `after` for the next page; null when this is the last. */
  next: string | null;
}

/** Answers a list request from memory. */
export function runQuery(store: Store, query: ListQuery): Page {
  return query.sort === 'id' ? pageById(store, query) : pageByKey(store, query);
}

/** All matching slots in the order of their ids. */
export function matchingSlots(store: Store, predicate: Predicate): number[] {
  const slots: number[] = [];
  store.index.scan(null, (slot) => {
    if (predicate.matches(store.attributes, slot)) slots.push(slot);
    return true;
  });
  return slots;
}

function pageById(store: Store, { filter, limit, after }: ListQuery): Page {
  const predicate = new Predicate(filter, store);
  const slots: number[] = [];
  // One more than asked for tells whether there is a next page.
  const wanted = limit === null ? Number.POSITIVE_INFINITY : limit + 1;
  store.index.scan(after?.providerId ?? null, (slot) => {
    if (predicate.matches(store.attributes, slot)) slots.push(slot);
    return slots.length < wanted;
  });
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

function pageByKey(store: Store, { filter, sort, limit, after }: ListQuery): Page {
  const predicate = new Predicate(filter, store);
  const asked = askedAmounts(filter);
  const floor = after === null ? null : rankOfCursor(after);
  const best = new BestFirst(limit === null ? Number.POSITIVE_INFINITY : limit + 1);
  for (let slot = 0; slot < store.slotLimit; slot += 1) {
    const id = store.ids[slot];
    if (id === undefined || !predicate.matches(store.attributes, slot)) continue;
    const key =
      sort === 'updated' ? -store.updatedAt(slot) : priceKey(estimate(store.attributes, slot, asked));
    if (!best.wants(key)) continue;
    const row = { slot, key, id };
    if (floor === null || isBefore(floor, row)) best.add(row);
  }
  const rows = best.sorted();
  const page = limit === null ? rows : rows.slice(0, limit);
  const last = page.at(-1);
  const more = rows.length > page.length && last !== undefined;
  return {
    slots: page.map((row) => row.slot),
    next: more ? formatPageCursor(cursorOfRank(sort, last)) : null,
  };
}

/** Unpriced providers come last. */
function priceKey(price: number): number {
  return Number.isNaN(price) ? Number.POSITIVE_INFINITY : price;
}

function rankOfCursor({ sort, key, providerId }: PageCursor): Ranked {
  const unsigned = key ?? Number.POSITIVE_INFINITY;
  return { slot: -1, key: sort === 'updated' ? -unsigned : unsigned, id: providerId };
}

function cursorOfRank(sort: ListQuery['sort'], { key, id }: Ranked): PageCursor {
  const shown = sort === 'updated' ? -key : key;
  return { sort, key: Number.isFinite(shown) ? shown : null, providerId: id };
}

/** Keeps the first `capacity` rows of all that are added: a heap with the last of them on top. */
class BestFirst {
  readonly #capacity: number;
  readonly #heap: Ranked[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Whether a row with this key could still be among the first. */
  wants(key: number): boolean {
    return this.#heap.length < this.#capacity || key <= this.#heap[0]!.key;
  }

  add(row: Ranked): void {
    if (this.#heap.length < this.#capacity) {
      this.#heap.push(row);
      // Without a bound nothing is ever taken out, so no order has to be kept.
      if (Number.isFinite(this.#capacity)) this.#siftUp(this.#heap.length - 1);
    } else if (isBefore(row, this.#heap[0]!)) {
      this.#heap[0] = row;
      this.#siftDown();
    }
  }

  sorted(): Ranked[] {
    return this.#heap.sort((a, b) => (isBefore(a, b) ? -1 : 1));
  }

  #siftUp(at: number): void {
    const heap = this.#heap;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(heap[parent]!, heap[at]!)) return;
      [heap[parent], heap[at]] = [heap[at]!, heap[parent]!];
      at = parent;
    }
  }

  #siftDown(): void {
    const heap = this.#heap;
    for (let at = 0; ;) {
      let last = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && isBefore(heap[last]!, heap[child]!)) last = child;
      }
      if (last === at) return;
      [heap[last], heap[at]] = [heap[at]!, heap[last]!];
      at = last;
    }
  }
}
