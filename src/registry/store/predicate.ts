import { type Amounts, askedAmounts, type Filter } from '../../protocol/filter.js';
import { COUNTRIES } from '../../protocol/countries.js';
import { type AttributeColumns, countryNumber } from './columns.js';
import type { Interner } from '../../lib/interner.js';
import { mayMatch, type Outline, outlineOf } from './row-prefilter.js';

const EVERY_COUNTRY = new Uint8Array(COUNTRIES.length).fill(1);

/** Where a filter's texts become numbers. A store is one of these. */
export interface Interners {
  platforms: Interner;
  networks: Interner;
}

/** The monthly estimate in US dollars for some amounts at these prices; NaN where a price is NaN. */
export function monthlyCost(core: number, memory: number, storage: number, asked: Amounts): number {
  return core * asked.cpu + memory * asked.memory + storage * asked.storage;
}

/** The monthly estimate in US dollars of one row for some amounts; NaN where a price is missing. */
export function estimate(columns: AttributeColumns, index: number, asked: Amounts): number {
  return monthlyCost(columns.usdCore[index]!, columns.usdMemory[index]!, columns.usdStorage[index]!, asked);
}

/**
 * A filter made ready to be asked of many rows. Its texts have become numbers, so it is good only until the store
 * changes, or for as long as somebody holds those texts.
 */
export class Predicate {
  readonly #outline: Outline;
  readonly #cpu: number;
  readonly #memory: number;
  readonly #storage: number;
  /** 1 for each country that is asked for. */
  readonly #countries: Uint8Array;
  readonly #platforms: readonly number[] | null;
  readonly #networks: readonly number[] | null;
  readonly #maxUsd: number | null;
  readonly #liveOnly: boolean;
  readonly #asked: Amounts;

  constructor(filter: Filter, interners: Interners) {
    this.#asked = askedAmounts(filter);
    this.#cpu = filter.cpu ?? 0;
    this.#memory = filter.memory ?? 0;
    this.#storage = filter.storage ?? 0;
    this.#outline = outlineOf(this.#cpu, this.#memory, this.#storage, 0);
    this.#platforms = filter.platform?.flatMap((text) => interners.platforms.find(text) ?? []) ?? null;
    this.#networks = filter.payments_network?.flatMap((text) => interners.networks.find(text) ?? []) ?? null;
    this.#maxUsd = filter.max_usd_per_month ?? null;
    this.#liveOnly = filter.status === 'live';
    this.#countries = filter.country === undefined ? EVERY_COUNTRY : new Uint8Array(COUNTRIES.length);
    for (const code of filter.country ?? []) this.#countries[countryNumber(code)] = 1;
  }

  /** Whether the row at this index meets every condition. */
  matches(columns: AttributeColumns, index: number): boolean {
    return (
      columns.cpu[index]! >= this.#cpu &&
      columns.memory[index]! >= this.#memory &&
      columns.storage[index]! >= this.#storage &&
      this.#countries[columns.country[index]!] === 1 &&
      (!this.#liveOnly || columns.live[index] === 1) &&
      (this.#platforms === null || this.#platforms.includes(columns.platform[index]!)) &&
      (this.#networks === null || this.#networks.includes(columns.network[index]!)) &&
      // Written so that NaN, a provider without the three prices, does not match.
      (this.#maxUsd === null || estimate(columns, index, this.#asked) <= this.#maxUsd)
    );
  }

  /**
   * Adds those of some slots that meet every condition to `found`, in their order.
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
    const { outline } = columns;
    const asked = this.#outline;
    const countries = this.#countries;
    for (let at = from; at < slots.length; at += 1) {
      const slot = slots[at]!;
      if (mayMatch(outline[slot]!, asked, countries) === 0 || !this.matches(columns, slot)) continue;
      found.push(slot);
      if (found.length === wanted) return;
    }
  }
}

/** Predicates of filters that come again, each as long as the numbers of its texts are good. */
export class Predicates {
  readonly #interners: Interners;
  readonly #kept = new WeakMap<Filter, { predicate: Predicate; platforms: number; networks: number }>();

  constructor(interners: Interners) {
    this.#interners = interners;
  }

  /** The predicate of a filter; the same filter, not an equal one, finds the one made before. */
  of(filter: Filter): Predicate {
    const kept = this.#kept.get(filter);
    const platforms = this.#interners.platforms.version;
    const networks = this.#interners.networks.version;
    if (kept?.platforms === platforms && kept.networks === networks) return kept.predicate;
    const predicate = new Predicate(filter, this.#interners);
    this.#kept.set(filter, { predicate, platforms, networks });
    return predicate;
  }
}
