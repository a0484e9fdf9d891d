import { countBits, lowestBit } from '../../lib/bitmap.js';
import { Heap } from '../../lib/heap.js';
import type { Work } from '../../lib/turns/work-queue.js';
import type { Explanation, ProviderExplanation } from '../../protocol/answers.js';
import { ProtocolError } from '../../protocol/errors.js';
import { askedAmounts, type Filter } from '../../protocol/filters/filter.js';
import type { ChangeLog } from '../change-log.js';
import { USD } from '../store/columns.js';
import { estimate } from '../store/predicate.js';
import type { Store } from '../store/store.js';
import { Misses } from './misses.js';
import { RowsAt } from './rows-at.js';
import { priceOf } from './tests.js';

/** How many of the providers that miss the fewest conditions are listed. */
const MAX_NEAREST = 10;

/** All bits of a word. */
const MAX_CONDITIONS = 32;

/** A row that does not match. */
interface Near {
  readonly slot: number;
  readonly id: string;
  /** How many conditions it misses. */
  readonly missed: number;
  /** Its cost for the requested amounts; unpriced rows cost most. */
  readonly cost: number;
}

function isNearer(a: Near, b: Near): boolean {
  if (a.missed !== b.missed) return a.missed < b.missed;
  return a.cost !== b.cost ? a.cost < b.cost : a.id < b.id;
}

/** Explains a list, as of now, in steps: how many providers each condition rules out, and which come nearest. */
export function* explain(store: Store, changes: ChangeLog, filter: Filter): Work<Explanation> {
  const rows = new RowsAt(store, changes);
  const misses = new Misses(filter, store.numbers);
  const only = new Float64Array(MAX_CONDITIONS);
  const amounts = askedAmounts(filter);
  /** The least near on top. */
  const nearest = new Heap<Near>((a, b) => isNearer(b, a));
  /** How few conditions a row must miss to be among them. */
  let most = MAX_CONDITIONS;
  let dearest = Number.POSITIVE_INFINITY;
  let matched = 0;
  yield* misses.visit(rows, (columns, indexes, slots, bits) => {
    for (let at = 0; at < indexes.length; at += 1) {
      const missing = bits[at]!;
      if (missing === 0) {
        matched += 1;
        continue;
      }
      const isOnlyOne = (missing & (missing - 1)) === 0;
      if (isOnlyOne) only[lowestBit(missing)]! += 1;
      else if (most === 1) continue;
      const missed = isOnlyOne ? 1 : countBits(missing);
      if (missed > most) continue;
      const index = indexes[at]!;
      const cost = sortable(estimate(columns, index, amounts, USD));
      if (missed === most && cost > dearest) continue;
      const near = { slot: slots[at]!, id: columns.ids[index]!, missed, cost };
      if (nearest.size < MAX_NEAREST) nearest.push(near);
      else if (isNearer(near, nearest.top!)) nearest.replaceTop(near);
      if (nearest.size < MAX_NEAREST) continue;
      most = nearest.top!.missed;
      dearest = nearest.top!.cost;
    }
  });
  return {
    cursor: rows.cursor,
    providers: rows.size,
    matched,
    rejected_by: misses.rejectedBy,
    only_by: misses.byMember(only),
    nearest: nearest
      .takeAll()
      .sort((a, b) => (isNearer(a, b) ? -1 : 1))
      .map(({ id, slot }) => ({ provider_id: id, misses: misses.describe(rows.at(slot)!) })),
  };
}

/**
 * Explains which conditions one provider misses, and how it ranks among the matches.
 * @throws ProtocolError `ADV_004` if there is no such advertisement.
 */
export function* explainProvider(
  store: Store,
  changes: ChangeLog,
  filter: Filter,
  providerId: string,
): Work<ProviderExplanation> {
  const rows = new RowsAt(store, changes);
  const misses = new Misses(filter, store.numbers);
  const slot = store.find(providerId);
  if (slot === undefined) {
    throw new ProtocolError('ADV_004', `there is no advertisement of ${JSON.stringify(providerId)}`);
  }
  const own = misses.describe({ columns: store.attributes, index: slot });
  const amounts = askedAmounts(filter);
  const ownCost = sortable(estimate(store.attributes, slot, amounts, USD));
  let before = 0;
  let matched = 0;
  yield* misses.visit(rows, (columns, indexes, _slots, bits) => {
    for (let at = 0; at < indexes.length; at += 1) {
      if (bits[at] !== 0) continue;
      matched += 1;
      const index = indexes[at]!;
      const cost = sortable(estimate(columns, index, amounts, USD));
      if (cost < ownCost || (cost === ownCost && columns.ids[index]! < providerId)) before += 1;
    }
  });
  const matches = own.length === 0;
  return {
    cursor: rows.cursor,
    provider_id: providerId,
    matches,
    misses: own,
    rank: { by_price: matches ? before + 1 : null, of: matched },
  };
}

/** The sort key of lists by price. */
function sortable(cost: number): number {
  return priceOf(cost) ?? Number.POSITIVE_INFINITY;
}
