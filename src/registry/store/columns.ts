import { grown } from '../../lib/typed-arrays.js';
import { CONDITIONS, namesOfKind, type NameOfKind } from '../../protocol/filters/conditions.js';
import { priceMembers } from '../../protocol/filters/estimate.js';
import { outlineOf } from './row-prefilter.js';
import { type Fact, factsOf } from './facts/fact.js';
import type { AdvertisementRecord } from './records.js';

/** The conditions of each kind. A condition's index here is that of its column, or of its three prices. */
export const AMOUNTS = namesOfKind('at-least');
export const VALUES = namesOfKind('one-of');
export const ESTIMATES = namesOfKind('at-most');
export const FLAGS = namesOfKind('only');
export const EXCLUSIONS = namesOfKind('none-of');

/** How many prices an estimate is made of: of a core, a GB of memory and a GB of disk. */
export const PRICES_AN_ESTIMATE = 3;

export const CPU = AMOUNTS.indexOf('cpu');
export const MEMORY = AMOUNTS.indexOf('memory');
export const STORAGE = AMOUNTS.indexOf('storage');
export const COUNTRY = VALUES.indexOf('country');
export const USD = ESTIMATES.indexOf('max_usd_per_month');
export const GLM = ESTIMATES.indexOf('max_glm_per_month');
export const LIVE = FLAGS.indexOf('status');
export const VERIFIED = FLAGS.indexOf('verified');
export const IP_CONFIRMED = FLAGS.indexOf('ip_confirmed');

const NO_PRICES: readonly number[] = Array<number>(PRICES_AN_ESTIMATE).fill(Number.NaN);

/** Where in a row the numbers of each kind begin. */
const VALUES_AT = AMOUNTS.length;
const PRICES_AT = VALUES_AT + VALUES.length;
const FLAGS_AT = PRICES_AT + PRICES_AN_ESTIMATE * ESTIMATES.length;
const FACTS_AT = FLAGS_AT + FLAGS.length;
/** How many numbers a row has. */
export const ROW_NUMBERS = FACTS_AT + 1;

/** The values that `one-of` conditions compare. */
const VALUE_OF: Readonly<Record<NameOfKind<'one-of'>, (record: AdvertisementRecord) => string | null>> = {
  country: ({ country }) => country,
  platform: ({ platform }) => platform,
  payments_network: ({ paymentsNetwork }) => paymentsNetwork,
};

/** What `only` conditions test. */
const FLAG_OF: Readonly<Record<NameOfKind<'only'>, (record: AdvertisementRecord, live: boolean) => boolean>> =
  {
    status: (_, live) => live,
    verified: ({ proof }) => proof !== null,
    ip_confirmed: ({ ipConfirmed }) => ipConfirmed,
  };

const PRICE_MEMBERS = ESTIMATES.map((name) => priceMembers(CONDITIONS[name].currency));

/**
 * The attributes of an advertisement that filters test: amounts, numbers of values, prices (all three of a currency are NaN if one is
 * missing), flags, and the address of its facts.
 * @param numberOf The number of a value of the condition with this index in `VALUES`.
 * @param put Stores facts and returns their address.
 */
export function rowOf(
  record: AdvertisementRecord,
  live: boolean,
  numberOf: (place: number, value: string | null) => number,
  put: (facts: readonly Fact[]) => number,
): number[] {
  const row: number[] = [];
  for (const name of AMOUNTS) row.push(record.resources[name]!);
  VALUES.forEach((name, place) => row.push(numberOf(place, VALUE_OF[name](record))));
  for (const members of PRICE_MEMBERS) {
    const prices = members.map((member) => record.pricing?.[member]);
    const known = prices.filter((price) => typeof price === 'number');
    row.push(...(known.length === PRICES_AN_ESTIMATE ? known : NO_PRICES));
  }
  for (const name of FLAGS) row.push(FLAG_OF[name](record, live) ? 1 : 0);
  row[FACTS_AT] = put(factsOf(record.resources, record.attributes));
  return row;
}

/** Replaces a row's numbers of values and facts. */
export function renumberValues(
  row: Float64Array,
  from: number,
  numberOf: (place: number, number: number) => number,
  factsAt: (place: number) => number,
): void {
  for (let place = 0; place < VALUES.length; place += 1) {
    const at = from + VALUES_AT + place;
    row[at] = numberOf(place, row[at]!);
  }
  row[from + FACTS_AT] = factsAt(row[from + FACTS_AT]!);
}

/** The address of a row's facts. */
export function factsInRow(row: ArrayLike<number>, from: number): number {
  return row[from + FACTS_AT]!;
}

/** Whether a row is live. */
export function isLiveRow(row: ArrayLike<number>, from: number): boolean {
  return row[from + FLAGS_AT + LIVE] === 1;
}

/**
 * Filterable attributes of many advertisements in typed arrays, with one element type per kind of condition, so that one loop can read
 * all columns of a kind. The store keeps the present attributes in this form and the change log those before each change, so that the
 * same predicates work on both.
 */
export class AttributeColumns {
  readonly ids: readonly (string | undefined)[];
  readonly amounts: Int32Array[];
  /** The numbers of values: see `ValueNumbers`. */
  readonly values: Uint32Array[];
  /** US dollars or GLM a month for a core, a GB of memory, a GB of disk; NaN if any of the three is missing. */
  readonly prices: Float64Array[];
  /** 1 for true. */
  readonly flags: Uint8Array[];
  /** The address of each row's facts: see `FactLists`. */
  facts: Uint32Array;
  /** Country, cores, memory and disk in one word: see `outlineOf`. */
  outline: Int32Array;

  /** @param ids The provider id of each row, shared with the owner of the rows. */
  constructor(capacity: number, ids: readonly (string | undefined)[] = []) {
    this.ids = ids;
    this.amounts = AMOUNTS.map(() => new Int32Array(capacity));
    this.values = VALUES.map(() => new Uint32Array(capacity));
    this.prices = ESTIMATES.flatMap(() =>
      Array.from({ length: PRICES_AN_ESTIMATE }, () => new Float64Array(capacity)),
    );
    this.flags = FLAGS.map(() => new Uint8Array(capacity));
    this.facts = new Uint32Array(capacity);
    this.outline = new Int32Array(capacity);
  }

  /**
   * @param row The result of `rowOf`.
   * @param from Where the row begins in it.
   */
  write(index: number, row: ArrayLike<number>, from = 0): void {
    const { amounts, values, prices, flags } = this;
    let at = from;
    for (const column of amounts) column[index] = row[at++]!;
    for (const column of values) column[index] = row[at++]!;
    for (const column of prices) column[index] = row[at++]!;
    for (const column of flags) column[index] = row[at++]!;
    this.facts[index] = row[at]!;
    this.outline[index] = outlineOf(
      amounts[CPU]![index]!,
      amounts[MEMORY]![index]!,
      amounts[STORAGE]![index]!,
      values[COUNTRY]![index]!,
    );
  }

  copyRow(index: number, from: AttributeColumns, fromIndex: number): void {
    const { amounts, values, prices, flags } = this;
    for (let at = 0; at < amounts.length; at += 1) amounts[at]![index] = from.amounts[at]![fromIndex]!;
    for (let at = 0; at < values.length; at += 1) values[at]![index] = from.values[at]![fromIndex]!;
    for (let at = 0; at < prices.length; at += 1) prices[at]![index] = from.prices[at]![fromIndex]!;
    for (let at = 0; at < flags.length; at += 1) flags[at]![index] = from.flags[at]![fromIndex]!;
    this.facts[index] = from.facts[fromIndex]!;
    this.outline[index] = from.outline[fromIndex]!;
  }

  /** Whether no filter can tell two rows apart. */
  equal(index: number, other: AttributeColumns, otherIndex: number): boolean {
    const { amounts, values, prices, flags } = this;
    // Equal facts stored twice count as different, which only costs an extra check.
    if (this.facts[index] !== other.facts[otherIndex]) return false;
    for (let at = 0; at < amounts.length; at += 1)
      if (amounts[at]![index] !== other.amounts[at]![otherIndex]) return false;
    for (let at = 0; at < values.length; at += 1)
      if (values[at]![index] !== other.values[at]![otherIndex]) return false;
    for (let at = 0; at < flags.length; at += 1)
      if (flags[at]![index] !== other.flags[at]![otherIndex]) return false;
    // Missing prices are NaN, and count as equal.
    for (let at = 0; at < prices.length; at += 1)
      if (!Object.is(prices[at]![index], other.prices[at]![otherIndex])) return false;
    return true;
  }

  /** Makes room for `capacity` rows, keeping the present ones. */
  grow(capacity: number): void {
    for (const [place, column] of this.amounts.entries())
      this.amounts[place] = grown(column, new Int32Array(capacity));
    for (const [place, column] of this.values.entries())
      this.values[place] = grown(column, new Uint32Array(capacity));
    for (const [place, column] of this.prices.entries())
      this.prices[place] = grown(column, new Float64Array(capacity));
    for (const [place, column] of this.flags.entries())
      this.flags[place] = grown(column, new Uint8Array(capacity));
    this.facts = grown(this.facts, new Uint32Array(capacity));
    this.outline = grown(this.outline, new Int32Array(capacity));
  }
}
