import { quantiles } from '../../lib/quantiles.js';
import type { Work } from '../../lib/turns/work-queue.js';
import type { Standing } from '../../protocol/answers.js';
import { askedAmounts } from '../../protocol/filters/filter.js';
import type { ChangeLog } from '../change-log.js';
import { COUNTRY, USD } from '../store/columns.js';
import { estimate, Predicate } from '../store/predicate.js';
import { finite } from '../store/price-index.js';
import type { Store } from '../store/store.js';
import { RowsAt } from './rows-at.js';

const LEAST = askedAmounts({});

/**
 * How a provider ranks by price in its country, for one core, one GB of memory and one GB of disk, as of now, in steps; null if it lacks
 * the prices.
 */
export function* standing(store: Store, changes: ChangeLog, slot: number): Work<Standing | null> {
  const rows = new RowsAt(store, changes);
  const { attributes, ids, numbers } = store;
  const id = ids[slot]!;
  const own = finite(estimate(attributes, slot, LEAST, USD));
  if (Number.isNaN(own)) return null;
  const country = numbers.text(COUNTRY, attributes.values[COUNTRY]![slot]!)!;
  const predicate = new Predicate({ country: [country] }, numbers);
  const costs: number[] = [];
  const found: number[] = [];
  let before = 0;
  yield* rows.visit(
    (columns, indexes) => {
      found.length = 0;
      predicate.select(columns, indexes, 0, found, Number.POSITIVE_INFINITY);
      for (const index of found) {
        const cost = finite(estimate(columns, index, LEAST, USD));
        if (Number.isNaN(cost)) continue;
        costs.push(cost + 0);
        if (cost < own || (cost === own && columns.ids[index]! < id)) before += 1;
      }
    },
    (looked) => looked / 4,
  );
  const of = costs.length;
  yield of / 16;
  const [p50] = yield* quantiles(Float64Array.from(costs), [0.5]);
  return { usd_per_month: own, rank: before + 1, of, p50: p50! };
}
