import { quantiles } from '../../lib/quantiles.js';
import type { Work } from '../../lib/turns/work-queue.js';
import type { Market, MarketBucket, MarketKey, Quantiles } from '../../protocol/answers.js';
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
const SHARES = [0, 0.25, 0.5, 0.75, 1] as const;
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
  const buckets = new Buckets(by === null ? ONE_GROUP : groupingBy(by, store), askedAmounts(filter));
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
  const answered: MarketBucket[] = [];
  const largest = by === null ? [] : yield* largestOf(buckets);
  const costs = yield* buckets.costsIn(largest);
  for (const [at, bucket] of largest.entries())
    answered.push(buckets.describe(bucket, yield* quantilesOf(costs[at]!)));
  const total = buckets.total(yield* quantilesOf(buckets.costs));
  return { cursor: rows.cursor, total, buckets: answered };
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

function* quantilesOf(costs: Float64Array): Work<Quantiles> {
  const priced = costs.length;
  if (priced === 0) return { priced, min: null, p25: null, p50: null, p75: null, max: null };
  const found = yield* quantiles(costs, SHARES);
  const [min, p25, p50, p75, max] = found as [number, number, number, number, number];
  return { priced, min, p25, p50, p75, max };
}
