import { grown } from '../../lib/typed-arrays.js';
import type { MarketBucket, Quantiles } from '../../protocol/answers.js';
import type { Amounts } from '../../protocol/filters/estimate.js';
import { type AttributeColumns, CPU, LIVE, MEMORY, STORAGE, USD } from '../store/columns.js';
import { estimates } from '../store/predicate.js';

type Key = MarketBucket['key'];

/** What rows have in common, as a small number, and what that stands for. */
export interface Grouping {
  numberOf(columns: AttributeColumns, index: number): number;
  keyOf(number: number): Key;
}

/** All in one. */
export const ONE_GROUP: Grouping = { numberOf: () => 0, keyOf: () => null };

/** The sums of a bucket, side by side. */
const [PROVIDERS, LIVES, CORES, MEMORIES, STORAGES, PRICED, SUMS] = [0, 1, 2, 3, 4, 5, 6];
/** The order of keys of different types. */
const TYPES: readonly string[] = ['string', 'number', 'boolean'];
/** Where there is no bucket. */
const NONE = -1;
/** Costs that are looked at before others get their turn, and how many are as much work as looking at a row. */
const STEP = 32_768;
const COSTS_A_ROW = 16;

/** Sums over some providers by what they have in common, and what each of them costs. */
export class Buckets {
  readonly #grouping: Grouping;
  readonly #amounts: Amounts;
  readonly #keys: Key[] = [];
  #sums = new Float64Array(SUMS * 64);
  /** By the number of what is common; `NONE` where no row came yet. */
  #byNumber = new Int32Array(64).fill(NONE);
  /** The cost and the bucket of each priced row. */
  #costs = new Float64Array(1024);
  #bucketsOfCosts = new Int32Array(1024);
  #priced = 0;
  /** The bucket of each row that is being added, and what it costs. */
  #buckets = new Int32Array(0);
  #rowCosts = new Float64Array(0);

  /** @param amounts What costs are estimated for. */
  constructor(grouping: Grouping, amounts: Amounts) {
    this.#grouping = grouping;
    this.#amounts = amounts;
  }

  /** How many there are. */
  get count(): number {
    return this.#keys.length;
  }

  /** What all priced rows cost; good until more are added. */
  get costs(): Float64Array {
    return this.#costs.subarray(0, this.#priced);
  }

  /** Adds rows, a column after the other. */
  add(columns: AttributeColumns, rows: readonly number[]): void {
    if (this.#buckets.length < rows.length) {
      this.#buckets = new Int32Array(rows.length);
      this.#rowCosts = new Float64Array(rows.length);
    }
    const buckets = this.#buckets;
    const grouping = this.#grouping;
    for (let at = 0; at < rows.length; at += 1)
      buckets[at] = this.#bucketOf(grouping.numberOf(columns, rows[at]!));
    const { amounts, flags } = columns;
    const sums = this.#sums;
    addColumn(sums, CORES, amounts[CPU]!, rows, buckets);
    addColumn(sums, MEMORIES, amounts[MEMORY]!, rows, buckets);
    addColumn(sums, STORAGES, amounts[STORAGE]!, rows, buckets);
    addColumn(sums, LIVES, flags[LIVE]!, rows, buckets);
    for (let at = 0; at < rows.length; at += 1) sums[SUMS * buckets[at]! + PROVIDERS]! += 1;
    estimates(columns, rows, this.#amounts, USD, this.#rowCosts);
    this.#addCosts(rows.length);
  }

  /** The order of two by size: first that with more providers, and of equally many that whose key comes first: texts, then numbers. */
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

  /** What the priced rows of each of these buckets cost, in steps. */
  *costsIn(wanted: readonly number[]): Generator<number, Float64Array[]> {
    const found = wanted.map((bucket) => new Float64Array(this.#sums[SUMS * bucket + PRICED]!));
    const counts = new Uint32Array(wanted.length);
    const placeOf = new Int32Array(this.count).fill(NONE);
    for (const [place, bucket] of wanted.entries()) placeOf[bucket] = place;
    for (let from = 0; from < this.#priced; from += STEP) {
      const to = Math.min(from + STEP, this.#priced);
      for (let at = from; at < to; at += 1) {
        const place = placeOf[this.#bucketsOfCosts[at]!]!;
        if (place !== NONE) found[place]![counts[place]!++] = this.#costs[at]!;
      }
      yield (to - from) / COSTS_A_ROW;
    }
    return found;
  }

  describe(bucket: number, usdPerMonth: Quantiles): MarketBucket {
    return describe(
      this.#keys[bucket]!,
      this.#sums.subarray(SUMS * bucket, SUMS * (bucket + 1)),
      usdPerMonth,
    );
  }

  /** All of them together. */
  total(usdPerMonth: Quantiles): MarketBucket {
    const sums = new Float64Array(SUMS);
    for (let at = 0; at < SUMS * this.count; at += 1) sums[at % SUMS]! += this.#sums[at]!;
    return describe(null, sums, usdPerMonth);
  }

  /** The bucket of a number, which is made for its first row. */
  #bucketOf(number: number): number {
    const known = number < this.#byNumber.length ? this.#byNumber[number]! : NONE;
    return known === NONE ? this.#make(number) : known;
  }

  #make(number: number): number {
    const made = this.#keys.push(this.#grouping.keyOf(number)) - 1;
    if (SUMS * this.#keys.length > this.#sums.length)
      this.#sums = grown(this.#sums, new Float64Array(2 * this.#sums.length));
    if (number >= this.#byNumber.length)
      this.#byNumber = grown(this.#byNumber, new Int32Array(2 * number).fill(NONE));
    this.#byNumber[number] = made;
    return made;
  }

  #addCosts(rows: number): void {
    if (this.#priced + rows > this.#costs.length) {
      const room = 2 * (this.#priced + rows);
      this.#costs = grown(this.#costs, new Float64Array(room));
      this.#bucketsOfCosts = grown(this.#bucketsOfCosts, new Int32Array(room));
    }
    for (let at = 0; at < rows; at += 1) {
      const cost = this.#rowCosts[at]!;
      if (Number.isNaN(cost)) continue;
      const bucket = this.#buckets[at]!;
      this.#sums[SUMS * bucket + PRICED]! += 1;
      // A price of -0 is 0.
      this.#costs[this.#priced] = cost + 0;
      this.#bucketsOfCosts[this.#priced] = bucket;
      this.#priced += 1;
    }
  }
}

function addColumn(
  sums: Float64Array,
  place: number,
  column: Int32Array | Uint8Array,
  rows: readonly number[],
  buckets: Int32Array,
): void {
  for (let at = 0; at < rows.length; at += 1) sums[SUMS * buckets[at]! + place]! += column[rows[at]!]!;
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
