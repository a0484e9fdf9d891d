import { askedAmounts } from '../../protocol/filters/filter.js';
import type { ListQuery, PageCursor } from '../../protocol/filters/list-query.js';
import { type AttributeColumns, GLM, USD } from '../store/columns.js';
import { estimate } from '../store/predicate.js';
import { finite } from '../store/price-index.js';
import type { Store } from '../store/store.js';

/** A row and what it is sorted by: a smaller key comes first, and of equal keys the smaller id. */
export interface Ranked {
  readonly slot: number;
  readonly key: number;
  readonly id: string;
}

export function isBefore(a: Ranked, b: Ranked): boolean {
  return a.key !== b.key ? a.key < b.key : a.id < b.id;
}

/** The key of unpriced providers, who come last. */
const UNPRICED = Number.POSITIVE_INFINITY;

/** Where a page ended. */
export function rankOfCursor({ sort, key, providerId }: PageCursor): Ranked {
  const unsigned = key ?? UNPRICED;
  return { slot: -1, key: sort === 'updated' ? -unsigned : unsigned, id: providerId };
}

/** The other way round. */
export function cursorOfRank(sort: ListQuery['sort'], { key, id }: Ranked): PageCursor {
  const shown = sort === 'updated' ? -key : key;
  return { sort, key: shown === UNPRICED ? null : shown, providerId: id };
}

/** What rows are sorted by, as of now: a smaller key comes first, and of equal keys the smaller id. */
export function keysOf(store: Store, { sort, filter }: ListQuery): (slot: number) => number {
  if (sort === 'id') return () => 0;
  if (sort === 'updated') {
    // Heartbeats are no changes, and do not wait until a list has been found.
    const updatedAt = store.copyUpdatedAt();
    return (slot) => -updatedAt[slot]!;
  }
  return keysIn(store.attributes, { sort, filter });
}

/** The same of rows in columns, in an order by price. */
export function keysIn(
  columns: AttributeColumns,
  { sort, filter }: Pick<ListQuery, 'sort' | 'filter'>,
): (index: number) => number {
  const asked = askedAmounts(filter);
  const currency = sort === 'price_glm' ? GLM : USD;
  return (index) => {
    const cost = estimate(columns, index, asked, currency);
    return Number.isNaN(cost) ? UNPRICED : finite(cost);
  };
}
