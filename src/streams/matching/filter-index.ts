import type { Filter } from '../../protocol/filters/filter.js';
import { lowestBit, wordsFor } from '../../lib/bitmap.js';
import { grown } from '../../lib/typed-arrays.js';
import { Anchors, HeldFacts } from './anchors.js';
import { Budgets } from './budgets.js';
import {
  AMOUNTS,
  type AttributeColumns,
  COUNTRY,
  ESTIMATES,
  EXCLUSIONS,
  FLAGS,
  PRICES_AN_ESTIMATE,
  VALUES,
} from '../../registry/store/columns.js';
import { askedFacts } from '../../registry/store/facts/fact-tests.js';
import { Handles } from './handles.js';
import { Predicate } from '../../registry/store/predicate.js';
import { ThresholdIndex } from './threshold-index.js';
import { ValueIndex } from './value-index.js';
import type { ValueNumbers } from '../../registry/store/value-numbers.js';

const INITIAL_BITS = 128;
/** The group of filters without a country. */
const ANY_COUNTRY = -1;

interface Entry {
  /** Whether it has conditions that no index covers. */
  asksMore: boolean;
  filter: Filter;
  predicate: Predicate;
  /** The numbers of accepted values, by the index of the condition; null if it does not ask. */
  values: readonly (readonly number[] | null)[];
  facts: HeldFacts;
}

/**
 * Tests one row against many filters at once, the inverse of a list. Each filter has a handle, which is a bit; each condition has an index of
 * the filters that a row may satisfy; the few filters left after intersecting all of them are tested individually.
 */
export class FilterIndex {
  readonly #entries: (Entry | undefined)[] = [];
  readonly #handles = new Handles();
  readonly #numbers: ValueNumbers;
  #words = wordsFor(INITIAL_BITS);

  readonly #amounts = AMOUNTS.map(() => new ThresholdIndex());
  readonly #values = VALUES.map(() => new ValueIndex(this.#words));
  readonly #anchors: Anchors;
  readonly #budgets = ESTIMATES.map((name) => new Budgets(name));
  /** The amounts each filter asks for, side by side, by handle. */
  #leasts = new Int32Array(INITIAL_BITS * AMOUNTS.length);
  /** The flags each filter asks for, one bit each, by handle. */
  #flags = new Uint32Array(INITIAL_BITS);
  /** The amounts of the row being tested, and its bitmaps except that of its country. */
  readonly #rowAmounts = new Int32Array(AMOUNTS.length);
  readonly #bitmaps: Uint32Array[] = [];

  constructor(numbers: ValueNumbers) {
    this.#numbers = numbers;
    this.#anchors = new Anchors(numbers.facts, this.#words);
  }

  /** How many filters are in the index. */
  get size(): number {
    return this.#handles.size;
  }

  /** Adds a filter and returns its handle, valid until `remove`. */
  add(filter: Filter): number {
    // Held for as long as the filter is indexed, so that a number means the same text to it and to all rows.
    const values = VALUES.map(
      (name, place) => filter[name]?.map((value) => this.#numbers.acquire(place, value)) ?? null,
    );
    const facts = new HeldFacts(askedFacts(filter), this.#numbers.facts);
    // The country is the most selective condition, so that most words can be skipped.
    const handle = this.#handles.take(values[COUNTRY]?.[0] ?? ANY_COUNTRY);
    if (this.#handles.words > this.#words) this.#grow(this.#words * 2);
    const asksMore =
      filter.exclude !== undefined ||
      EXCLUSIONS.some((name) => filter[name] !== undefined) ||
      facts.anchor !== null;
    const predicate = new Predicate(filter, this.#numbers);
    this.#entries[handle] = { filter, asksMore, predicate, values, facts };
    this.#anchors.insert(facts.anchor, handle);
    AMOUNTS.forEach((name, place) => {
      this.#amounts[place]!.insert(filter[name] ?? 0, handle);
    });
    values.forEach((accepted, place) => {
      this.#values[place]!.insert(accepted, handle);
    });
    for (const budgets of this.#budgets) budgets.set(handle, filter);
    this.#leasts.set(
      AMOUNTS.map((name) => filter[name] ?? 0),
      handle * AMOUNTS.length,
    );
    this.#flags[handle] = FLAGS.reduce(
      (flags, name, place) => flags | (filter[name] === undefined ? 0 : 1 << place),
      0,
    );
    return handle;
  }

  remove(handle: number): void {
    const { filter, values, facts } = this.#entries[handle]!;
    this.#anchors.remove(facts.anchor, handle);
    facts.release();
    AMOUNTS.forEach((name, place) => {
      this.#amounts[place]!.remove(filter[name] ?? 0, handle);
    });
    values.forEach((accepted, place) => {
      this.#values[place]!.remove(accepted, handle);
      for (const number of accepted ?? []) this.#numbers.release(place, number);
    });
    for (const budgets of this.#budgets) budgets.remove(filter);
    this.#entries[handle] = undefined;
    this.#handles.giveBack(handle);
  }

  /** The predicate of a filter in the index. */
  predicate(handle: number): Predicate {
    return this.#entries[handle]!.predicate;
  }

  /** The handles of the filters that a row matches. */
  match(columns: AttributeColumns, index: number): number[] {
    const found: number[] = [];
    const bitmaps = this.#bitmaps;
    bitmaps.length = 0;
    for (let place = 0; place < AMOUNTS.length; place += 1) {
      const candidates = this.#amounts[place]!.candidates(columns.amounts[place]![index]!, this.#words);
      if (candidates === null) return found;
      if (this.#amounts[place]!.isAsked) bitmaps.push(candidates);
    }
    for (let place = 0; place < VALUES.length; place += 1) {
      const values = this.#values[place]!;
      if (place !== COUNTRY && values.isAsked) bitmaps.push(values.accepting(columns.values[place]![index]!));
    }
    if (this.#anchors.isAsked) bitmaps.push(this.#anchors.candidates(columns.facts[index]!));
    const country = this.#values[COUNTRY]!.accepting(columns.values[COUNTRY]![index]!);
    const amounts = this.#rowAmounts;
    for (let place = 0; place < amounts.length; place += 1) amounts[place] = columns.amounts[place]![index]!;
    let flags = 0;
    for (let place = 0; place < FLAGS.length; place += 1) flags |= columns.flags[place]![index]! << place;
    const { words } = this.#handles;
    for (let word = 0; word < words; word += 1) {
      let left = country[word]!;
      if (left === 0) continue;
      for (const bitmap of bitmaps) left &= bitmap[word]!;
      for (; left !== 0; left &= left - 1) {
        const handle = word * 32 + lowestBit(left);
        if (!this.#isEnough(handle, amounts, flags) || !this.#isAffordable(columns, index, handle)) continue;
        const { asksMore, predicate } = this.#entries[handle]!;
        if (!asksMore || predicate.matches(columns, index)) found.push(handle);
      }
    }
    return found;
  }

  /** Tests what the bitmaps cannot: they let through a few filters that ask for more, and do not cover flags. */
  #isEnough(handle: number, amounts: Int32Array, flags: number): boolean {
    if ((this.#flags[handle]! & ~flags) !== 0) return false;
    const first = handle * AMOUNTS.length;
    for (let place = 0; place < amounts.length; place += 1)
      if (amounts[place]! < this.#leasts[first + place]!) return false;
    return true;
  }

  #isAffordable({ prices }: AttributeColumns, index: number, handle: number): boolean {
    for (let place = 0; place < this.#budgets.length; place += 1) {
      const budgets = this.#budgets[place]!;
      const first = place * PRICES_AN_ESTIMATE;
      if (
        budgets.isAsked &&
        !budgets.allow(handle, prices[first]![index]!, prices[first + 1]![index]!, prices[first + 2]![index]!)
      )
        return false;
    }
    return true;
  }

  #grow(words: number): void {
    this.#words = words;
    this.#leasts = grown(this.#leasts, new Int32Array(words * 32 * AMOUNTS.length));
    this.#flags = grown(this.#flags, new Uint32Array(words * 32));
    for (const amounts of this.#amounts) amounts.invalidate();
    for (const values of this.#values) values.grow(words);
    this.#anchors.grow(words);
  }
}
