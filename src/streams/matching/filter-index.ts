import type { Filter } from '../../protocol/filter.js';
import { lowestBit, wordsFor } from '../../lib/bitmap.js';
import { Budgets } from './budgets.js';
import { type AttributeColumns, countryNumber } from '../../registry/store/columns.js';
import { Handles } from './handles.js';
import { type Interners, Predicate } from '../../registry/store/predicate.js';
import { ThresholdIndex } from './threshold-index.js';
import { ValueIndex } from './value-index.js';

const INITIAL_BITS = 128;
/** The group of filters that ask for no country. */
const ANY_COUNTRY = -1;

interface Entry {
  filter: Filter;
  predicate: Predicate;
  countries: number[] | null;
  platforms: number[] | null;
  networks: number[] | null;
}

/**
 * Many filters asked about one row at once: the reverse of a list. Each filter has a handle, a bit; each attribute has
 * an index that says which filters a value may satisfy; the few that are left after all of them are asked one by one.
 */
export class FilterIndex {
  readonly #entries: (Entry | undefined)[] = [];
  readonly #handles = new Handles();
  readonly #interners: Interners;
  #words = wordsFor(INITIAL_BITS);

  readonly #cpu = new ThresholdIndex();
  readonly #memory = new ThresholdIndex();
  readonly #storage = new ThresholdIndex();
  readonly #country = new ValueIndex(this.#words);
  readonly #platform = new ValueIndex(this.#words);
  readonly #network = new ValueIndex(this.#words);
  readonly #budgets = new Budgets();

  constructor(interners: Interners) {
    this.#interners = interners;
  }

  /** How many filters are in the index. */
  get size(): number {
    return this.#handles.size;
  }

  /** Adds a filter and returns its handle, which is free again after `remove`. */
  add(filter: Filter): number {
    const countries = filter.country?.map(countryNumber) ?? null;
    // The country leaves fewer filters than anything else, so that most words need not be looked at.
    const handle = this.#handles.take(countries?.[0] ?? ANY_COUNTRY);
    if (this.#handles.words > this.#words) this.#grow(this.#words * 2);
    // Held for as long as the filter is here, so that a number means the same text to it and to all rows.
    const platforms = filter.platform?.map((text) => this.#interners.platforms.acquire(text)) ?? null;
    const networks = filter.payments_network?.map((text) => this.#interners.networks.acquire(text)) ?? null;
    const predicate = new Predicate(filter, this.#interners);
    this.#entries[handle] = { filter, predicate, countries, platforms, networks };
    this.#cpu.insert(filter.cpu ?? 0, handle);
    this.#memory.insert(filter.memory ?? 0, handle);
    this.#storage.insert(filter.storage ?? 0, handle);
    this.#country.insert(countries, handle);
    this.#platform.insert(platforms, handle);
    this.#network.insert(networks, handle);
    this.#budgets.set(handle, filter);
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
    for (const number of platforms ?? []) this.#interners.platforms.release(number);
    for (const number of networks ?? []) this.#interners.networks.release(number);
    this.#entries[handle] = undefined;
    this.#handles.giveBack(handle);
  }

  /** The predicate of a filter in the index. */
  predicate(handle: number): Predicate {
    return this.#entries[handle]!.predicate;
  }

  /** The handles of the filters that a row satisfies. */
  match(columns: AttributeColumns, index: number): number[] {
    const found: number[] = [];
    const cpu = this.#cpu.candidates(columns.cpu[index]!, this.#words);
    const memory = this.#memory.candidates(columns.memory[index]!, this.#words);
    const storage = this.#storage.candidates(columns.storage[index]!, this.#words);
    if (cpu === null || memory === null || storage === null) return found;
    const country = this.#country.accepting(columns.country[index]!);
    const platform = this.#platform.accepting(columns.platform[index]!);
    const network = this.#network.accepting(columns.network[index]!);
    const usdCore = columns.usdCore[index]!;
    const usdMemory = columns.usdMemory[index]!;
    const usdStorage = columns.usdStorage[index]!;
    const { words } = this.#handles;
    for (let word = 0; word < words; word += 1) {
      const here = country[word]!;
      if (here === 0) continue;
      let left = here & cpu[word]! & memory[word]! & storage[word]! & platform[word]! & network[word]!;
      for (; left !== 0; left &= left - 1) {
        const handle = word * 32 + lowestBit(left);
        if (!this.#budgets.allow(handle, usdCore, usdMemory, usdStorage)) continue;
        if (this.#entries[handle]!.predicate.matches(columns, index)) found.push(handle);
      }
    }
    return found;
  }

  #grow(words: number): void {
    this.#words = words;
    this.#cpu.invalidate();
    this.#memory.invalidate();
    this.#storage.invalidate();
    this.#country.grow(words);
    this.#platform.grow(words);
    this.#network.grow(words);
  }
}
