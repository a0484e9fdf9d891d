import { askedAmounts, type Filter } from '../protocol/filter.js';
import { COUNTRIES } from '../protocol/countries.js';
import { type AttributeColumns, countryNumber } from './columns.js';
import type { Interner } from './interner.js';

/** Where a filter's texts become numbers. A store is one of these. */
export interface Interners {
  platforms: Interner;
  networks: Interner;
}

/** The monthly estimate in US dollars of one row for some amounts; NaN where a price is missing. */
export function estimate(
  columns: AttributeColumns,
  index: number,
  asked: { cpu: number; memory: number; storage: number },
): number {
  return (
    columns.usdCore[index]! * asked.cpu +
    columns.usdMemory[index]! * asked.memory +
    columns.usdStorage[index]! * asked.storage
  );
}

/**
 * A filter made ready to be asked of many rows. Its texts have become numbers, so it is good only until the store
 * changes, or for as long as somebody holds those texts.
 */
export class Predicate {
  readonly #cpu: number;
  readonly #memory: number;
  readonly #storage: number;
  readonly #countries: Uint8Array | null;
  readonly #platforms: readonly number[] | null;
  readonly #networks: readonly number[] | null;
  readonly #maxUsd: number | null;
  readonly #liveOnly: boolean;
  readonly #asked: { cpu: number; memory: number; storage: number };

  constructor(filter: Filter, interners: Interners) {
    this.#asked = askedAmounts(filter);
    this.#cpu = filter.cpu ?? 0;
    this.#memory = filter.memory ?? 0;
    this.#storage = filter.storage ?? 0;
    this.#platforms = filter.platform?.flatMap((text) => interners.platforms.find(text) ?? []) ?? null;
    this.#networks = filter.payments_network?.flatMap((text) => interners.networks.find(text) ?? []) ?? null;
    this.#maxUsd = filter.max_usd_per_month ?? null;
    this.#liveOnly = filter.status === 'live';
    this.#countries = filter.country === undefined ? null : new Uint8Array(COUNTRIES.length);
    for (const code of filter.country ?? []) this.#countries![countryNumber(code)] = 1;
  }

  /** Whether the row at this index meets every condition. */
  matches(columns: AttributeColumns, index: number): boolean {
    return (
      columns.cpu[index]! >= this.#cpu &&
      columns.memory[index]! >= this.#memory &&
      columns.storage[index]! >= this.#storage &&
      (this.#countries === null || this.#countries[columns.country[index]!] === 1) &&
      (this.#platforms === null || this.#platforms.includes(columns.platform[index]!)) &&
      (this.#networks === null || this.#networks.includes(columns.network[index]!)) &&
      (!this.#liveOnly || columns.live[index] === 1) &&
      // Written so that NaN, a provider without the three prices, does not match.
      (this.#maxUsd === null || estimate(columns, index, this.#asked) <= this.#maxUsd)
    );
  }
}
