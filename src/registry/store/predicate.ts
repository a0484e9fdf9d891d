import { CONDITIONS } from '../../protocol/filters/conditions.js';
import { type Amounts, monthlyCost } from '../../protocol/filters/estimate.js';
import { askedAmounts, type Filter } from '../../protocol/filters/filter.js';
import {
  AMOUNTS,
  type AttributeColumns,
  COUNTRY,
  ESTIMATES,
  EXCLUSIONS,
  FLAGS,
  PRICES_AN_ESTIMATE,
  VALUES,
} from './columns.js';
import { FactTests } from './facts/fact-tests.js';
import { mayMatch, type Outline, outlineOf } from './row-prefilter.js';
import { finite } from './price-index.js';
import type { ValueNumbers } from './value-numbers.js';

/** The monthly estimate of one row for some amounts; NaN if a price is missing. */
export function estimate(columns: AttributeColumns, index: number, asked: Amounts, currency: number): number {
  const { prices } = columns;
  const first = currency * PRICES_AN_ESTIMATE;
  return monthlyCost(prices[first]![index]!, prices[first + 1]![index]!, prices[first + 2]![index]!, asked);
}

/** Writes the estimates of many rows, as lists compare them, to `costs`; NaN if a price is missing. */
export function estimates(
  { prices }: AttributeColumns,
  rows: readonly number[],
  asked: Amounts,
  currency: number,
  costs: Float64Array,
): void {
  const first = currency * PRICES_AN_ESTIMATE;
  const [core, memory, storage] = [prices[first]!, prices[first + 1]!, prices[first + 2]!];
  for (let at = 0; at < rows.length; at += 1) {
    const row = rows[at]!;
    costs[at] = finite(monthlyCost(core[row]!, memory[row]!, storage[row]!, asked));
  }
}

/** The accepted values of a condition with a fixed set of values: 1 for each. */
interface Listed {
  place: number;
  accepted: Uint8Array;
}

/** The accepted values of a condition whose values are interned. */
interface Interned {
  place: number;
  accepted: ReadonlySet<number>;
}

/** The upper bound on an estimate. */
interface Most {
  place: number;
  most: number;
}

const EVERY_COUNTRY = new Uint8Array(CONDITIONS.country.all!.length).fill(1);

/**
 * A filter compiled for testing many rows: a short list of tests for each kind of condition it uses. Its texts have become numbers, so it is
 * valid only until the store changes, or for as long as somebody holds those texts.
 */
export class Predicate {
  readonly #outline: Outline;
  /** 1 for each accepted country. */
  readonly #countries: Uint8Array;
  /** By the index of the amount; 0 if none is asked for. */
  readonly #leasts: Int32Array;
  readonly #listed: readonly Listed[];
  readonly #interned: readonly Interned[];
  readonly #mosts: readonly Most[];
  /** The indexes of flags that must be set. */
  readonly #flags: readonly number[];
  /** The tests of attributes and further resources; null for none. */
  readonly facts: FactTests | null;
  /** Excluded providers. */
  readonly #excluded: ReadonlySet<string> | null;
  readonly #asked: Amounts;

  constructor(filter: Filter, numbers: ValueNumbers) {
    this.#asked = askedAmounts(filter);
    const { cpu = 0, memory = 0, storage = 0 } = filter;
    this.#outline = outlineOf(cpu, memory, storage, 0);
    this.#leasts = Int32Array.from(AMOUNTS, (name) => filter[name] ?? 0);
    const listed: Listed[] = [];
    const interned: Interned[] = [];
    VALUES.forEach((name, place) => {
      const values = filter[name];
      if (values === undefined) return;
      const accepted = values.flatMap((value) => numbers.find(place, value) ?? []);
      const { all } = CONDITIONS[name];
      if (all === null) interned.push({ place, accepted: new Set(accepted) });
      else listed.push({ place, accepted: marks(all.length, accepted) });
    });
    for (const name of EXCLUSIONS) {
      const excluded = filter[name];
      if (excluded === undefined) continue;
      const { of } = CONDITIONS[name];
      const place = VALUES.indexOf(of);
      const others = Uint8Array.from(CONDITIONS[of].all!, (value) => (excluded.includes(value) ? 0 : 1));
      const asked = listed.find((one) => one.place === place);
      if (asked === undefined) listed.push({ place, accepted: others });
      else others.forEach((isLeft, number) => (asked.accepted[number]! &= isLeft));
    }
    this.#excluded = filter.exclude === undefined ? null : new Set(filter.exclude);
    this.#listed = listed;
    this.#interned = interned;
    this.#countries = listed.find(({ place }) => place === COUNTRY)?.accepted ?? EVERY_COUNTRY;
    this.#mosts = ESTIMATES.flatMap((name, place) => {
      const most = filter[name];
      return most === undefined ? [] : [{ place, most }];
    });
    const facts = new FactTests(filter, numbers.facts);
    this.facts = facts.tests.length === 0 ? null : facts;
    this.#flags = FLAGS.flatMap((name, place) => (filter[name] === undefined ? [] : [place]));
  }

  /** Whether a row meets every condition. */
  matches(columns: AttributeColumns, index: number): boolean {
    const { amounts, values, flags } = columns;
    const leasts = this.#leasts;
    for (let place = 0; place < leasts.length; place += 1)
      if (amounts[place]![index]! < leasts[place]!) return false;
    for (const { place, accepted } of this.#listed) {
      if (accepted[values[place]![index]!] !== 1) return false;
    }
    for (const place of this.#flags) if (flags[place]![index] !== 1) return false;
    for (const { place, accepted } of this.#interned) {
      if (!accepted.has(values[place]![index]!)) return false;
    }
    if (this.facts !== null && !this.facts.matches(columns.facts[index]!)) return false;
    for (const { place, most } of this.#mosts) {
      // Written so that NaN, for a provider without the three prices, does not match.
      if (!(estimate(columns, index, this.#asked, place) <= most)) return false;
    }
    return this.#excluded === null || !this.#excluded.has(columns.ids[index]!);
  }

  /**
   * Appends the slots that meet every condition to `found`, in order.
   * @param from The first position that counts.
   * @param wanted Stops as soon as `found` has so many.
   */
  select(
    columns: AttributeColumns,
    slots: readonly number[],
    from: number,
    found: number[],
    wanted: number,
  ): void {
    for (let at = from; at < slots.length; at += BLOCK) {
      let left = this.#outlined(columns, slots, at);
      if (left > 0) left = this.#tested(columns, left);
      for (let kept = 0; kept < left; kept += 1) {
        found.push(block[kept]!);
        if (found.length === wanted) return;
      }
    }
  }

  /** Collects the slots of a block whose outlines may match into `block`. @returns How many. */
  #outlined({ outline }: AttributeColumns, slots: readonly number[], from: number): number {
    const asked = this.#outline;
    const countries = this.#countries;
    const end = Math.min(from + BLOCK, slots.length);
    let left = 0;
    for (let at = from; at < end; at += 1) {
      const slot = slots[at]!;
      block[left] = slot;
      left += mayMatch(outline[slot]!, asked, countries);
    }
    return left;
  }

  /** Reduces `block` to the slots that meet all conditions, one condition after the other. @returns How many. */
  #tested(columns: AttributeColumns, count: number): number {
    let left = count;
    const leasts = this.#leasts;
    for (let place = 0; place < leasts.length; place += 1)
      if (leasts[place]! > 0) left = keepAmounts(columns.amounts[place]!, leasts[place]!, left);
    for (const { place, accepted } of this.#listed)
      // Outlines have already distinguished countries.
      if (place !== COUNTRY) left = keepListed(columns.values[place]!, accepted, left);
    for (const place of this.#flags) left = keepFlagged(columns.flags[place]!, left);
    for (const { place, accepted } of this.#interned)
      left = keepInterned(columns.values[place]!, accepted, left);
    if (this.facts !== null) left = keepWithFacts(columns.facts, this.facts, left);
    for (const { place, most } of this.#mosts) {
      const total = left;
      left = 0;
      for (let at = 0; at < total; at += 1) {
        const slot = block[at]!;
        block[left] = slot;
        if (estimate(columns, slot, this.#asked, place) <= most) left += 1;
      }
    }
    if (this.#excluded !== null) left = keepOthers(columns.ids, this.#excluded, left);
    return left;
  }
}

/** Rows tested together: going condition by condition is faster than row by row. */
const BLOCK = 64;
/** The remaining slots of the current block. */
const block = new Int32Array(BLOCK);

function keepAmounts(amounts: Int32Array, least: number, count: number): number {
  let left = 0;
  for (let at = 0; at < count; at += 1) {
    const slot = block[at]!;
    block[left] = slot;
    if (amounts[slot]! >= least) left += 1;
  }
  return left;
}

function keepListed(values: Uint32Array, accepted: Uint8Array, count: number): number {
  let left = 0;
  for (let at = 0; at < count; at += 1) {
    const slot = block[at]!;
    block[left] = slot;
    if (accepted[values[slot]!] === 1) left += 1;
  }
  return left;
}

function keepFlagged(flags: Uint8Array, count: number): number {
  let left = 0;
  for (let at = 0; at < count; at += 1) {
    const slot = block[at]!;
    block[left] = slot;
    left += flags[slot]!;
  }
  return left;
}

function keepInterned(values: Uint32Array, accepted: ReadonlySet<number>, count: number): number {
  let left = 0;
  for (let at = 0; at < count; at += 1) {
    const slot = block[at]!;
    block[left] = slot;
    if (accepted.has(values[slot]!)) left += 1;
  }
  return left;
}

function keepWithFacts(addresses: Uint32Array, facts: FactTests, count: number): number {
  let left = 0;
  for (let at = 0; at < count; at += 1) {
    const slot = block[at]!;
    block[left] = slot;
    if (facts.matches(addresses[slot]!)) left += 1;
  }
  return left;
}

function keepOthers(
  ids: readonly (string | undefined)[],
  excluded: ReadonlySet<string>,
  count: number,
): number {
  let left = 0;
  for (let at = 0; at < count; at += 1) {
    const slot = block[at]!;
    block[left] = slot;
    if (!excluded.has(ids[slot]!)) left += 1;
  }
  return left;
}

function marks(length: number, marked: readonly number[]): Uint8Array {
  const all = new Uint8Array(length);
  for (const number of marked) all[number] = 1;
  return all;
}

/** Caches predicates of recurring filters, each for as long as the numbers of its texts are valid. */
export class Predicates {
  readonly #numbers: ValueNumbers;
  readonly #kept = new WeakMap<Filter, { predicate: Predicate; version: number }>();

  constructor(numbers: ValueNumbers) {
    this.#numbers = numbers;
  }

  /** The predicate of a filter, cached by identity, not equality. */
  of(filter: Filter): Predicate {
    const kept = this.#kept.get(filter);
    const { version } = this.#numbers;
    if (kept?.version === version) return kept.predicate;
    const predicate = new Predicate(filter, this.#numbers);
    this.#kept.set(filter, { predicate, version });
    return predicate;
  }
}
