import type { Filter } from '../protocol/filter.js';
import { clearBit, forEachBit, setBit, wordsFor } from './bitmap.js';
import { type AttributeColumns, countryNumber } from './columns.js';
import { type Interners, Predicate } from './predicate.js';
import { ThresholdIndex } from './threshold-index.js';
import { ValueIndex } from './value-index.js';

const INITIAL_BITS = 128;

interface Entry {
  filter: Filter;
  predicate: Predicate;
  countries: number[] | null;
  platforms: number[] | null;
  networks: number[] | null;
}

/**
 * Many filters asked about one row at once: the reverse of a list. Each filter has a handle, a bit; each
 * attribute has an index that says which filters a value satisfies; what is left after all of them is the answer.
 * Only price limits, which depend on the amounts a filter asks for, are then checked one by one.
 */
export class FilterIndex {
  readonly #entries: (Entry | undefined)[] = [];
  readonly #freeHandles: number[] = [];
  readonly #interners: Interners;
  #words = wordsFor(INITIAL_BITS);

  readonly #cpu = new ThresholdIndex();
  readonly #memory = new ThresholdIndex();
  readonly #storage = new ThresholdIndex();
  readonly #country = new ValueIndex(this.#words);
  readonly #platform = new ValueIndex(this.#words);
  readonly #network = new ValueIndex(this.#words);
  #liveOnly = new Uint32Array(this.#words);
  #priced = new Uint32Array(this.#words);
  #scratch = new Uint32Array(this.#words);

  constructor(interners: Interners) {
    this.#interners = interners;
  }

  /** Words of 32 bits that `match` fills. */
  get words(): number {
    return this.#words;
  }

  /** How many filters are in the index. */
  get size(): number {
    return this.#entries.length - this.#freeHandles.length;
  }

  /** Adds a filter and returns its handle, which is free again after `remove`. */
  add(filter: Filter): number {
    const handle = this.#freeHandles.pop() ?? this.#entries.length;
    if (wordsFor(handle + 1) > this.#words) this.#grow(this.#words * 2);
    // Held for as long as the filter is here, so that a number means the same text to it and to all rows.
    const platforms = filter.platform?.map((text) => this.#interners.platforms.acquire(text)) ?? null;
    const networks = filter.payments_network?.map((text) => this.#interners.networks.acquire(text)) ?? null;
    const countries = filter.country?.map(countryNumber) ?? null;
    const predicate = new Predicate(filter, this.#interners);
    this.#entries[handle] = { filter, predicate, countries, platforms, networks };
    this.#cpu.insert(filter.cpu ?? 0, handle);
    this.#memory.insert(filter.memory ?? 0, handle);
    this.#storage.insert(filter.storage ?? 0, handle);
    this.#country.insert(countries, handle);
    this.#platform.insert(platforms, handle);
    this.#network.insert(networks, handle);
    if (filter.status === 'live') setBit(this.#liveOnly, handle);
    if (filter.max_usd_per_month !== undefined) setBit(this.#priced, handle);
    return handle;
  }

  remove(handle: number): void {
    const { filter, countries, platforms, networks } = this.#entries[handle]!;
    this.#cpu.remove(filter.cpu ?? 0, handle);
    this.#memory.remove(filter.memory ?? 0, handle);
    this.#storage.remove(filter.storage ?? 0, handle);
    this.#country.remove(countries, handle);
    this.#platform.remove(platforms, handle);
    this.#network.remove(networks, handle);
    clearBit(this.#liveOnly, handle);
    clearBit(this.#priced, handle);
    for (const number of platforms ?? []) this.#interners.platforms.release(number);
    for (const number of networks ?? []) this.#interners.networks.release(number);
    this.#entries[handle] = undefined;
    this.#freeHandles.push(handle);
  }

  /** The predicate of a filter in the index. */
  predicate(handle: number): Predicate {
    return this.#entries[handle]!.predicate;
  }

  /** Sets `into` (of `words` words) to the handles of the filters that a row satisfies. */
  match(columns: AttributeColumns, index: number, into: Uint32Array): void {
    const scratch = this.#scratch;
    this.#cpu.collect(columns.cpu[index]!, into);
    this.#memory.collect(columns.memory[index]!, scratch);
    for (let word = 0; word < into.length; word += 1) into[word]! &= scratch[word]!;
    this.#storage.collect(columns.storage[index]!, scratch);
    for (let word = 0; word < into.length; word += 1) into[word]! &= scratch[word]!;
    this.#country.restrict(columns.country[index]!, into, scratch);
    this.#platform.restrict(columns.platform[index]!, into, scratch);
    this.#network.restrict(columns.network[index]!, into, scratch);
    if (columns.live[index] === 0) {
      for (let word = 0; word < into.length; word += 1) into[word]! &= ~this.#liveOnly[word]!;
    }
    for (let word = 0; word < into.length; word += 1) {
      forEachBit(into[word]! & this.#priced[word]!, word * 32, (handle) => {
        if (!this.#entries[handle]!.predicate.matches(columns, index)) clearBit(into, handle);
      });
    }
  }

  #grow(words: number): void {
    const lengthen = (bitmap: Uint32Array): Uint32Array<ArrayBuffer> => {
      const longer = new Uint32Array(words);
      longer.set(bitmap);
      return longer;
    };
    this.#words = words;
    this.#cpu.invalidate();
    this.#memory.invalidate();
    this.#storage.invalidate();
    this.#country.grow(words);
    this.#platform.grow(words);
    this.#network.grow(words);
    this.#liveOnly = lengthen(this.#liveOnly);
    this.#priced = lengthen(this.#priced);
    this.#scratch = new Uint32Array(words);
  }
}
