import { groupedQuantiles, quantiles } from '../../lib/quantiles.js';
import { grown } from '../../lib/typed-arrays.js';
import type { MarketBucket, Quantiles } from '../../protocol/answers.js';
import type { Amounts } from '../../protocol/filters/estimate.js';
import { type AttributeColumns, CPU, LIVE, MEMORY, STORAGE, USD } from '../store/columns.js';
import { estimates } from '../store/predicate.js';

type Key = MarketBucket['key'];

/** Assigns rows to groups, by small numbers, and knows what the numbers stand for. */
export interface Grouping {
  /** Writes the group number of each row to `numbers`. */
  number(columns: AttributeColumns, rows: readonly number[], numbers: Int32Array): void;
  keyOf(number: number): Key;
}

/** Everything in one group. */
export const ONE_GROUP: Grouping = {
  number: (_columns, rows, numbers) => {
    numbers.fill(0, 0, rows.length);
  },
  keyOf: () => null,
};

/** The sums of a bucket, side by side. */
const [PROVIDERS, LIVES, CORES, MEMORIES, STORAGES, PRICED, SUMS] = [0, 1, 2, 3, 4, 5, 6];
/** The order of keys of different types. */
const TYPES: readonly string[] = ['string', 'number', 'boolean'];
/** No bucket. */
const NONE = -1;
const SHARES = [0, 0.25, 0.5, 0.75, 1] as const;
const UNPRICED: Quantiles = { priced: 0, min: null, p25: null, p50: null, p75: null, max: null };
/** How many costs to process before yielding, and how many of them equal the work of one row. */
const STEP = 32_768;
const COSTS_A_ROW = 64;

/** Sums over providers by group, and the cost of each provider. */
export class Buckets {
  readonly #grouping: Grouping;
  readonly #amounts: Amounts;
  readonly #keys: Key[] = [];
  #sums = new Float64Array(SUMS * 64);
  /** The bucket of each group; `NONE` if it has no row yet. */
  #byNumber = new Int32Array(64).fill(NONE);
  /** The cost and the bucket of each priced row. */
  readonly #costs: Float64Array;
  readonly #bucketsOfCosts: Int32Array;
  #priced = 0;
  /** Of the rows being added: the group, then the bucket of each, and its cost. */
  #buckets = new Int32Array(0);
  #rowCosts = new Float64Array(0);

  /**
   * @param amounts What costs are estimated for.
   * @param most How many rows may be added. Room that is not used takes no memory, because the system only provides pages that are
   * written to.
   */
  constructor(grouping: Grouping, amounts: Amounts, most: number) {
    this.#grouping = grouping;
    this.#amounts = amounts;
    this.#costs = new Float64Array(most);
    this.#bucketsOfCosts = new Int32Array(most);
  }

  /** How many there are. */
  get count(): number {
    return this.#keys.length;
  }

  /** Adds rows. */
  add(columns: AttributeColumns, rows: readonly number[]): void {
    if (this.#buckets.length < rows.length) {
      this.#buckets = new Int32Array(rows.length);
      this.#rowCosts = new Float64Array(rows.length);
    }
    const buckets = this.#buckets;
    this.#grouping.number(columns, rows, buckets);
    let byNumber = this.#byNumber;
    for (let at = 0; at < rows.length; at += 1) {
      const number = buckets[at]!;
      let bucket = number < byNumber.length ? byNumber[number]! : NONE;
      if (bucket === NONE) {
        bucket = this.#make(number);
        byNumber = this.#byNumber;
      }
      buckets[at] = bucket;
    }
    this.#addAmounts(columns, rows);
    estimates(columns, rows, this.#amounts, USD, this.#rowCosts);
    this.#addCosts(rows.length);
  }

  /** Compares two buckets: more providers come first; ties go by key, texts before numbers. */
  compare(a: number, b: number): number {
    const difference = this.#sums[SUMS * b + PROVIDERS]! - this.#sums[SUMS * a + PROVIDERS]!;
    if (difference !== 0) return difference;
    const first = this.#keys[a] ?? null;
    const second = this.#keys[b] ?? null;
    // Those without a key come last.
    if (first === null || second === null) return first === null ? 1 : -1;
    const byType = TYPES.indexOf(typeof first) - TYPES.indexOf(typeof second);
    if (byType !== 0) return byType;
    return first < second ? -1 : 1;
  }

  /**
   * The quantiles of all costs, and of those in some buckets, in steps. No rows can be added afterwards.
   * @param wanted Some buckets.
   */
  *quantiles(wanted: readonly number[]): Generator<number, { all: Quantiles; of: Quantiles[] }> {
    const costs = this.#costs.subarray(0, this.#priced);
    if (costs.length === 0) return { all: UNPRICED, of: wanted.map(() => UNPRICED) };
    if (wanted.length === 0) return { all: named(costs.length, yield* quantiles(costs, SHARES)), of: [] };
    const sizes = wanted.map((bucket) => this.#sums[SUMS * bucket + PRICED]!);
    const groups = this.#bucketsOfCosts.subarray(0, this.#priced);
    yield* this.#number(groups, wanted);
    const found = yield* groupedQuantiles(costs, groups, sizes, SHARES);
    return {
      all: named(this.#priced, found.all),
      of: sizes.map((size, group) => (size === 0 ? UNPRICED : named(size, found.of[group]!))),
    };
  }

  /** Replaces buckets by their places among some, in steps; by how many these are where a bucket is none of them. */
  *#number(buckets: Int32Array, wanted: readonly number[]): Generator<number> {
    const placeOf = new Int32Array(this.count).fill(wanted.length);
    wanted.forEach((bucket, place) => (placeOf[bucket] = place));
    for (let from = 0; from < buckets.length; from += STEP) {
      const to = Math.min(from + STEP, buckets.length);
      replace(buckets, placeOf, from, to);
      yield (to - from) / COSTS_A_ROW;
    }
  }

  describe(bucket: number, usdPerMonth: Quantiles): MarketBucket {
    return describe(
      this.#keys[bucket]!,
      this.#sums.subarray(SUMS * bucket, SUMS * (bucket + 1)),
      usdPerMonth,
    );
  }

  /** All buckets together. */
  total(usdPerMonth: Quantiles): MarketBucket {
    const sums = new Float64Array(SUMS);
    for (let at = 0; at < SUMS * this.count; at += 1) sums[at % SUMS]! += this.#sums[at]!;
    return describe(null, sums, usdPerMonth);
  }

  /** Creates the bucket of a group, for its first row. */
  #make(number: number): number {
    const made = this.#keys.push(this.#grouping.keyOf(number)) - 1;
    if (SUMS * this.#keys.length > this.#sums.length)
      this.#sums = grown(this.#sums, new Float64Array(2 * this.#sums.length));
    if (number >= this.#byNumber.length)
      this.#byNumber = grown(this.#byNumber, new Int32Array(2 * number).fill(NONE));
    this.#byNumber[number] = made;
    return made;
  }

  #addAmounts({ amounts, flags }: AttributeColumns, rows: readonly number[]): void {
    const sums = this.#sums;
    const buckets = this.#buckets;
    const [cores, memories, storages, lives] = [
      amounts[CPU]!,
      amounts[MEMORY]!,
      amounts[STORAGE]!,
      flags[LIVE]!,
    ];
    for (let at = 0; at < rows.length; at += 1) {
      const row = rows[at]!;
      const first = SUMS * buckets[at]!;
      sums[first + PROVIDERS]! += 1;
      sums[first + LIVES]! += lives[row]!;
      sums[first + CORES]! += cores[row]!;
      sums[first + MEMORIES]! += memories[row]!;
      sums[first + STORAGES]! += storages[row]!;
    }
  }

  #addCosts(rows: number): void {
    const sums = this.#sums;
    const rowCosts = this.#rowCosts;
    const buckets = this.#buckets;
    const costs = this.#costs;
    const bucketsOfCosts = this.#bucketsOfCosts;
    let priced = this.#priced;
    for (let at = 0; at < rows; at += 1) {
      const cost = rowCosts[at]!;
      if (Number.isNaN(cost)) continue;
      const bucket = buckets[at]!;
      sums[SUMS * bucket + PRICED]! += 1;
      // A price of -0 is 0.
      costs[priced] = cost + 0;
      bucketsOfCosts[priced] = bucket;
      priced += 1;
    }
    this.#priced = priced;
  }
}

function replace(buckets: Int32Array, placeOf: Int32Array, from: number, to: number): void {
  for (let at = from; at < to; at += 1) buckets[at] = placeOf[buckets[at]!]!;
}

function named(priced: number, found: readonly number[]): Quantiles {
  const [min, p25, p50, p75, max] = found as [number, number, number, number, number];
  return { priced, min, p25, p50, p75, max };
}

function describe(key: Key, sums: Float64Array, usdPerMonth: Quantiles): MarketBucket {
  return {
    key,
    providers: sums[PROVIDERS]!,
    live: sums[LIVES]!,
    resources: { cpu: sums[CORES]!, memory: sums[MEMORIES]!, storage: sums[STORAGES]! },
    usd_per_month: usdPerMonth,
  };
}
