import type { Work } from '../../lib/turns/work-queue.js';
import type { Market, MarketKey } from '../../protocol/answers.js';
import { CONDITION_NAMES } from '../../protocol/filters/conditions.js';
import { askedAmounts, type Filter } from '../../protocol/filters/filter.js';
import type { ChangeLog } from '../change-log.js';
import { VALUES } from '../store/columns.js';
import { Predicate } from '../store/predicate.js';
import type { Store } from '../store/store.js';
import { AttributeGroups } from './attribute-groups.js';
import { Buckets, type Grouping, ONE_GROUP } from './buckets.js';
import { RowsAt } from './rows-at.js';

/** How many buckets are returned; the largest ones. */
const MAX_BUCKETS = 100;
/** How many buckets to sort at once, and the work of each. */
const STEP = 1024;
const WORK_A_BUCKET = 4;
/** The work of summing up a row, relative to visiting one for a list. */
const WORK_A_ROW = 0.5;

/**
 * Sums up supply and prices of a filter's matches, as of now, in steps.
 * @param by What to group by; null for the total alone.
 */
export function* market(
  store: Store,
  changes: ChangeLog,
  filter: Filter,
  by: MarketKey | null,
): Work<Market> {
  const rows = new RowsAt(store, changes);
  const predicate = CONDITION_NAMES.some((name) => filter[name] !== undefined)
    ? new Predicate(filter, store.numbers)
    : null;
  const grouping = by === null ? ONE_GROUP : groupingBy(by, store);
  const buckets = new Buckets(grouping, askedAmounts(filter), rows.size);
  const found: number[] = [];
  yield* rows.visit(
    (columns, indexes) => {
      if (predicate === null) return buckets.add(columns, indexes);
      found.length = 0;
      predicate.select(columns, indexes, 0, found, Number.POSITIVE_INFINITY);
      buckets.add(columns, found);
    },
    (looked) => looked * WORK_A_ROW,
  );
  const largest = by === null ? [] : yield* largestOf(buckets);
  const { all, of } = yield* buckets.quantiles(largest);
  return {
    cursor: rows.cursor,
    total: buckets.total(all),
    buckets: largest.map((bucket, place) => buckets.describe(bucket, of[place]!)),
  };
}

function groupingBy(by: MarketKey, { numbers }: Store): Grouping {
  if (by !== 'country' && by !== 'platform')
    return new AttributeGroups(by.slice('attr.'.length), numbers.facts);
  const place = VALUES.indexOf(by);
  return {
    number: ({ values }, rows, found) => {
      const column = values[place]!;
      for (let at = 0; at < rows.length; at += 1) found[at] = column[rows[at]!]!;
    },
    keyOf: (number) => numbers.text(place, number),
  };
}

/** The largest buckets, the largest first. */
function* largestOf(buckets: Buckets): Work<number[]> {
  let largest: number[] = [];
  for (let from = 0; from < buckets.count; from += STEP) {
    const to = Math.min(from + STEP, buckets.count);
    for (let bucket = from; bucket < to; bucket += 1) largest.push(bucket);
    largest = largest.sort((a, b) => buckets.compare(a, b)).slice(0, MAX_BUCKETS);
    yield (to - from) * WORK_A_BUCKET;
  }
  return largest;
}
