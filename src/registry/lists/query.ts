import { askedAmounts } from '../../protocol/filters/filter.js';
import { formatPageCursor, type ListQuery, type PageCursor } from '../../protocol/filters/list-query.js';
import type { Work } from '../../lib/turns/work-queue.js';
import { sortByText } from '../../lib/radix-sort.js';
import { stableOrder } from '../../lib/stable-sort.js';
import { GLM, USD } from '../store/columns.js';
import type { Predicate } from '../store/predicate.js';
import type { Store } from '../store/store.js';
import type { EarlierMatches } from './earlier-matches.js';
import { FirstRows } from './first-rows.js';
import type { FrozenMatches } from './frozen-matches.js';
import { cursorOfRank, isBefore, type Ranked, rankOfCursor } from './rank.js';

/** The slots of one page, in the requested order, and where the next page begins. */
export interface Page {
  slots: number[];
  /** The value of `after` for the next page; null on the last. */
  next: string | null;
}

/** Approximate rows per step: index chunks are not divided. */
const STEP = 4096;
/** A short page is not worth a whole step. */
const FIRST_LOOK = 1024;
/** Rows whose place in a list is searched for per step, and what each of them costs. */
const PLACES_A_STEP = 256;
const LOOKS_A_PLACE = 16;
/** A list of more rows is too long to be made in one piece, however short they are. */
const LONG_ROWS = 4096;
/** Up to this many rows, a scan is as fast as the price index: it takes 0.9 times as long at 1,000, 1.4 at 2,000, and 6 at 16,000. */
const FEW_ROWS = 1500;
/** Once the price index has passed this many rows, it is not saving much. */
const MAX_FROM_PRICE_INDEX = 8192;

/** Matching slots in id order. */
export function matchingSlots(store: Store, predicate: Predicate): number[] {
  const found: number[] = [];
  store.rowsFor(predicate).scan(null, (slots, from) => {
    predicate.select(store.attributes, slots, from, found, Number.POSITIVE_INFINITY);
    return true;
  });
  return found;
}

/**
 * Answers a list request from memory, in steps of some thousand rows.
 * @param matches Opened in the same turn as the first step is made.
 * @param checkLong See `ListReader.read`.
 */
export function* findPage(
  store: Store,
  query: ListQuery,
  matches: FrozenMatches,
  checkLong?: () => void,
): Work<Page> {
  const { sort, limit, after } = query;
  if (sort !== 'id' && limit !== null) return yield* firstByRank(store, query, limit, matches);
  // One more than requested tells whether there is a next page.
  const wanted = limit === null ? Number.POSITIVE_INFINITY : limit + 1;
  const slots = yield* matchesById(store, query, wanted, matches, checkLong);
  if (sort !== 'id') return { slots: yield* sortedByRank(slots, after, matches), next: null };
  if (slots.length < wanted) return { slots, next: null };
  slots.length = wanted - 1;
  const providerId = matches.idOf(slots.at(-1)!);
  return { slots, next: formatPageCursor({ sort, key: null, providerId }) };
}

/**
 * Visits the matches in id order, skipping changed ones.
 * @param visit Receives some matches; returns false to stop.
 */
function* walk(
  store: Store,
  { filter }: ListQuery,
  behind: string | null,
  matches: EarlierMatches,
  visit: (slots: readonly number[]) => boolean,
): Work<void> {
  let after = behind;
  for (let isWanted = true; isWanted;) {
    // Texts may get other numbers when rows come and go.
    const predicate = store.predicates.of(filter);
    const found: number[] = [];
    let looked = 0;
    store.rowsFor(predicate).scan(after, (slots, from) => {
      predicate.select(store.attributes, slots, from, found, Number.POSITIVE_INFINITY);
      looked += slots.length - from;
      after = store.ids[slots.at(-1)!]!;
      return looked < STEP && found.length < FIRST_LOOK;
    });
    if (looked === 0) return;
    isWanted = visit(matches.isUntouched ? found : found.filter((slot) => !matches.hasChanged(slot)));
    yield looked;
    matches.check();
  }
}

function* matchesById(
  store: Store,
  query: ListQuery,
  wanted: number,
  matches: FrozenMatches,
  checkLong: (() => void) | undefined,
): Work<number[]> {
  const slots: number[] = [];
  const behind = query.sort === 'id' ? (query.after?.providerId ?? null) : null;
  yield* walk(store, query, behind, matches, (found) => {
    for (const slot of found) slots.push(slot);
    if (slots.length > LONG_ROWS) checkLong?.();
    return slots.length < wanted;
  });
  if (!matches.isUntouched) {
    yield* insert(slots, yield* missedBy(slots, behind, matches));
    matches.check();
  }
  if (slots.length > wanted) slots.length = wanted;
  return slots;
}

/** A match that the walk did not find, and before which of its finds it belongs. */
interface Missed {
  readonly slot: number;
  readonly place: number;
}

/** The matches that changed before the walk reached them, by id. */
function* missedBy(slots: readonly number[], behind: string | null, matches: FrozenMatches): Work<Missed[]> {
  // What changes from now on has been walked past.
  const changed = matches.rows.filter(({ id }) => behind === null || id > behind);
  yield changed.length;
  const ids = changed.map(({ id }) => id);
  const order = Uint32Array.from(ids.keys());
  sortByText(ids, order);
  yield changed.length;
  const missed: Missed[] = [];
  for (let from = 0; from < order.length; from += PLACES_A_STEP) {
    const some = order.subarray(from, from + PLACES_A_STEP);
    for (const number of some) {
      const { slot, id } = changed[number]!;
      const place = placeOf(slots, id, matches);
      if (slots[place] !== slot) missed.push({ slot, place });
    }
    yield some.length * LOOKS_A_PLACE;
  }
  return missed;
}

/** Inserts slots at their places, from the last on, in steps: a list may have a million. */
function* insert(slots: number[], missed: readonly Missed[]): Work<void> {
  let end = slots.length;
  let moved = 0;
  for (const { slot } of missed) slots.push(slot);
  for (let shift = missed.length; shift > 0; shift -= 1) {
    const { slot, place } = missed[shift - 1]!;
    while (end > place) {
      end -= 1;
      slots[end + shift] = slots[end]!;
      moved += 1;
      if (moved < STEP) continue;
      yield moved;
      moved = 0;
    }
    slots[place + shift - 1] = slot;
  }
  yield moved;
}

/** The first position whose id is not before this one. */
function placeOf(slots: readonly number[], id: string, matches: FrozenMatches): number {
  let low = 0;
  let high = slots.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (matches.idOf(slots[middle]!) < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Sorts slots, given in id order, by their keys, and drops those up to a position. */
function* sortedByRank(
  slots: readonly number[],
  after: PageCursor | null,
  matches: FrozenMatches,
): Work<number[]> {
  const place = after === null ? null : rankOfCursor(after);
  const keys = new Float64Array(slots.length);
  for (let from = 0; from < slots.length; from += STEP) {
    const to = Math.min(from + STEP, slots.length);
    for (let at = from; at < to; at += 1) keys[at] = matches.keyOf(slots[at]!);
    yield to - from;
  }
  const order = yield* stableOrder(keys);
  const sorted: number[] = [];
  for (let from = 0; from < order.length; from += STEP) {
    const to = Math.min(from + STEP, order.length);
    for (let at = from; at < to; at += 1) {
      const slot = slots[order[at]!]!;
      if (place === null || isBefore(place, { slot, key: matches.keyOf(slot), id: matches.idOf(slot) }))
        sorted.push(slot);
    }
    yield to - from;
  }
  return sorted;
}

function* firstByRank(store: Store, query: ListQuery, limit: number, matches: FrozenMatches): Work<Page> {
  const rows = yield* firstRows(store, query, limit + 1, matches);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const more = rows.length > page.length && last !== undefined;
  return {
    slots: page.map(({ slot }) => slot),
    next: more ? formatPageCursor(cursorOfRank(query.sort, last)) : null,
  };
}

/**
 * The first matches after `after`, at most `count` of them, in order; in steps of some thousand rows.
 * @param matches Opened in the same turn as the first step is made, if not before.
 */
export function* firstRows(
  store: Store,
  query: ListQuery,
  count: number,
  matches: EarlierMatches,
): Work<Ranked[]> {
  const best = new FirstRows(count, query.after === null ? null : rankOfCursor(query.after));
  let least = Number.NEGATIVE_INFINITY;
  let isFound = false;
  const isByPrice = query.sort === 'price' || query.sort === 'price_glm';
  if (isByPrice && store.rowsFor(store.predicates.of(query.filter)).size > FEW_ROWS) {
    ({ least, isFound } = findCheapest(store, query, best, matches));
    yield STEP;
    matches.check();
  }
  if (!isFound) {
    best.clear();
    const unwanted = Math.max(least, best.floor);
    yield* walk(store, query, null, matches, (slots) => {
      for (const slot of slots) {
        const key = matches.keyOf(slot);
        // They come in id order, so of equal keys the first are wanted.
        if (best.wants(key)) best.add({ slot, key, id: store.ids[slot]! });
      }
      return !best.isFull || best.ceiling > unwanted;
    });
  }
  return best.sortedWith(matches.isUntouched ? [] : matches.rows);
}

/**
 * Searches for the cheapest among the candidates of the price index, if there are not too many.
 * @returns `least`: a lower bound on all costs; `isFound`: whether no other row can be among the first.
 */
function findCheapest(
  store: Store,
  { filter, sort }: ListQuery,
  best: FirstRows,
  matches: EarlierMatches,
): { least: number; isFound: boolean } {
  const predicate = store.predicates.of(filter);
  const { attributes, ids } = store;
  const inGlm = sort === 'price_glm';
  const budget = inGlm ? filter.max_glm_per_month : filter.max_usd_per_month;
  const most = budget ?? Number.MAX_VALUE;
  let looked = 0;
  const least = store.prices[inGlm ? GLM : USD]!.scan(
    askedAmounts(filter),
    best.floor,
    most,
    (slots, costs) => {
      looked += slots.length;
      let ceiling = Math.min(most, best.ceiling);
      for (let at = 0; at < slots.length; at += 1) {
        const key = costs[at]!;
        const slot = slots[at]!;
        if (key > ceiling || key < best.floor) continue;
        if (matches.hasChanged(slot) || !predicate.matches(attributes, slot)) continue;
        best.add({ slot, key, id: ids[slot]! });
        ceiling = Math.min(most, best.ceiling);
      }
      return looked > MAX_FROM_PRICE_INDEX ? Number.NEGATIVE_INFINITY : ceiling;
    },
  );
  // A budget in the currency of the order excludes unpriced providers.
  const isAll = best.isFull || budget !== undefined;
  return { least, isFound: looked <= MAX_FROM_PRICE_INDEX && isAll };
}
