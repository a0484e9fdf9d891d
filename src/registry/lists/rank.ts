import { askedAmounts } from '../../protocol/filters/filter.js';
import type { ListQuery, PageCursor } from '../../protocol/filters/list-query.js';
import { type AttributeColumns, GLM, USD } from '../store/columns.js';
import { estimate } from '../store/predicate.js';
import { finite } from '../store/price-index.js';
import type { Store } from '../store/store.js';

/** A row's position in a sorted list: the smaller key comes first, and of equal keys the smaller id. */
export interface Ranked {
  readonly slot: number;
  readonly key: number;
  readonly id: string;
}

export function isBefore(a: Ranked, b: Ranked): boolean {
  return a.key !== b.key ? a.key < b.key : a.id < b.id;
}

/** The key of unpriced providers, which come last. */
const UNPRICED = Number.POSITIVE_INFINITY;

/** The position at which a page ended. */
export function rankOfCursor({ sort, key, providerId }: PageCursor): Ranked {
  const unsigned = key ?? UNPRICED;
  return { slot: -1, key: sort === 'updated' ? -unsigned : unsigned, id: providerId };
}

/** The inverse of `rankOfCursor`. */
export function cursorOfRank(sort: ListQuery['sort'], { key, id }: Ranked): PageCursor {
  const shown = sort === 'updated' ? -key : key;
  return { sort, key: shown === UNPRICED ? null : shown, providerId: id };
}

/** The present sort key of a slot. */
export function keysOf(store: Store, { sort, filter }: ListQuery): (slot: number) => number {
  if (sort === 'id') return () => 0;
  if (sort === 'updated') {
    // Heartbeats do not count as changes, so their times are copied for the duration of the search.
    const updatedAt = store.copyUpdatedAt();
    return (slot) => -updatedAt[slot]!;
  }
  return keysIn(store.attributes, { sort, filter });
}

/** The sort key of a row in columns, in an order by price. */
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
