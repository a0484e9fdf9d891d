import type { Work } from '../lib/turns/work-queue.js';
import { MAX_MISSED, type Visibility } from '../protocol/answers.js';
import { type RowPlace, RowsAt } from '../registry/answers/rows-at.js';
import { testsOf } from '../registry/answers/tests.js';
import type { Registry } from '../registry/registry.js';
import type { ValueNumbers } from '../registry/store/value-numbers.js';
import type { StreamHub } from './stream-hub.js';
import type { Stream, Subscriber } from './stream.js';

/** The name of the miss if all conditions are met but other matches come first. */
const LIMIT = 'limit';

/** How many streams and subscriptions to visit per step. */
const STEP = 1024;
/** The work of visiting each, relative to finding a row of a list. */
const WORK_A_STREAM = 0.5;

/**
 * Which condition of a stream, its limit included, a provider misses; null for none, undefined for several.
 */
type Verdict = string | null | undefined;

const NOBODY: Visibility = {
  listed: false,
  status: null,
  streams: 0,
  subscribers: 0,
  missed: [],
  price: null,
};

/** Who sees a provider, as of now, in steps. Streams that end meanwhile are not counted. */
export function* visibilityOf(registry: Registry, hub: StreamHub, providerId: string): Work<Visibility> {
  const { store, changes, answers } = registry;
  const slot = store.find(providerId);
  if (slot === undefined) return NOBODY;
  const status = store.isLive(slot) ? 'live' : 'suspect';
  const rows = new RowsAt(store, changes);
  const streams = hub.all();
  // First matches change, so all of them are queried now.
  const outranking = new Set(streams.filter(({ top }) => top?.holds(slot) === false));
  const standing = answers.standing(slot);
  // Its first step is now, too, so both show the same moment.
  const first = standing.next();
  const seeing: Stream[] = [];
  const missed = new Map<string, number>();
  for (let from = 0; from < streams.length; from += STEP) {
    const row = rows.at(slot)!;
    const part = streams.slice(from, from + STEP);
    for (const stream of part) {
      if (stream.subscriptions.size === 0) continue;
      const verdict = verdictOf(stream, row, store.numbers, outranking.has(stream));
      if (verdict === null) seeing.push(stream);
      else if (verdict !== undefined) missed.set(verdict, (missed.get(verdict) ?? 0) + 1);
    }
    yield part.length * WORK_A_STREAM;
  }
  const subscribers = yield* subscribersOf(seeing);
  let price;
  if (first.done === true) {
    price = first.value;
  } else {
    yield first.value;
    price = yield* standing;
  }
  return {
    listed: true,
    status,
    streams: seeing.length,
    subscribers,
    missed: [...missed]
      .map(([member, count]) => ({ member, streams: count }))
      .sort((a, b) => b.streams - a.streams || (a.member < b.member ? -1 : 1))
      .slice(0, MAX_MISSED),
    price,
  };
}

const scratch = new Int32Array(1);

/** @param isOutranked Whether at least as many matches as the stream shows come before it. */
function verdictOf(
  stream: Stream,
  { columns, index }: RowPlace,
  numbers: ValueNumbers,
  isOutranked: boolean,
): Verdict {
  // The filter index holds the filter's texts, so these are valid for as long as the stream exists.
  stream.tests ??= testsOf(stream.filter, numbers);
  const row = { first: index, count: 1 };
  let missed: Verdict = isOutranked ? LIMIT : null;
  for (const test of stream.tests) {
    scratch[0] = 0;
    test.mark(columns, row, 0, scratch);
    if (scratch[0] === 0) continue;
    if (missed !== null) return undefined;
    missed = test.member;
  }
  return missed;
}

/** How many connections follow at least one of these. */
function* subscribersOf(streams: readonly Stream[]): Work<number> {
  const subscribers = new Set<Subscriber>();
  let looked = 0;
  for (const { subscriptions } of streams) {
    for (const { subscriber } of subscriptions) {
      subscribers.add(subscriber);
      looked += 1;
      if (looked % STEP === 0) yield STEP * WORK_A_STREAM;
    }
  }
  return subscribers.size;
}
