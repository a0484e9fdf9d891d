import { grown } from '../../lib/typed-arrays.js';
import { COUNTRIES } from '../../protocol/countries.js';
import { outlineOf } from './row-prefilter.js';
import type { AdvertisementRecord } from './records.js';

const countryIndex = new Map(COUNTRIES.map((code, index) => [code, index]));

/** The position of an assigned country in its columns and bitmaps. */
export function countryNumber(code: string): number {
  return countryIndex.get(code)!;
}

/**
 * What filters look at in an advertisement.
 * @param platform Its number.
 * @param network Its number.
 */
export function attributesOf(
  record: AdvertisementRecord,
  platform: number,
  network: number,
  live: boolean,
): Attributes {
  const { resources, pricing } = record;
  const usdCore = pricing?.['usd_per_core_month'];
  const usdMemory = pricing?.['usd_per_gb_ram_month'];
  const usdStorage = pricing?.['usd_per_gb_storage_month'];
  const priced =
    typeof usdCore === 'number' && typeof usdMemory === 'number' && typeof usdStorage === 'number';
  return {
    cpu: resources['cpu']!,
    memory: resources['memory']!,
    storage: resources['storage']!,
    country: countryNumber(record.country),
    platform,
    network,
    usdCore: priced ? usdCore : Number.NaN,
    usdMemory: priced ? usdMemory : Number.NaN,
    usdStorage: priced ? usdStorage : Number.NaN,
    live: live ? 1 : 0,
  };
}

/** What filters look at, of one advertisement. `platform` and `network` are interned; 0 means not given. */
export interface Attributes {
  cpu: number;
  memory: number;
  storage: number;
  country: number;
  platform: number;
  network: number;
  /** US dollars a month for a core, a GB of memory, a GB of disk; NaN where any of the three is missing. */
  usdCore: number;
  usdMemory: number;
  usdStorage: number;
  /** 1 for live, 0 for suspect. */
  live: number;
}

/**
 * Filterable attributes of many advertisements, one typed array an attribute. The store keeps the present ones
 * in this shape and the change log those before each change, so that one predicate reads both.
 */
export class AttributeColumns {
  cpu: Uint16Array;
  memory: Int32Array;
  storage: Int32Array;
  country: Uint8Array;
  platform: Uint32Array;
  network: Uint32Array;
  usdCore: Float64Array;
  usdMemory: Float64Array;
  usdStorage: Float64Array;
  live: Uint8Array;
  /** Country, cores, memory and disk in one word: see `outlineOf`. */
  outline: Int32Array;

  constructor(capacity: number) {
    this.cpu = new Uint16Array(capacity);
    this.memory = new Int32Array(capacity);
    this.storage = new Int32Array(capacity);
    this.country = new Uint8Array(capacity);
    this.platform = new Uint32Array(capacity);
    this.network = new Uint32Array(capacity);
    this.usdCore = new Float64Array(capacity);
    this.usdMemory = new Float64Array(capacity);
    this.usdStorage = new Float64Array(capacity);
    this.live = new Uint8Array(capacity);
    this.outline = new Int32Array(capacity);
  }

  write(index: number, row: Attributes): void {
    this.cpu[index] = row.cpu;
    this.memory[index] = row.memory;
    this.storage[index] = row.storage;
    this.country[index] = row.country;
    this.platform[index] = row.platform;
    this.network[index] = row.network;
    this.usdCore[index] = row.usdCore;
    this.usdMemory[index] = row.usdMemory;
    this.usdStorage[index] = row.usdStorage;
    this.live[index] = row.live;
    this.outline[index] = outlineOf(row.cpu, row.memory, row.storage, row.country);
  }

  copyRow(index: number, from: AttributeColumns, fromIndex: number): void {
    this.cpu[index] = from.cpu[fromIndex]!;
    this.memory[index] = from.memory[fromIndex]!;
    this.storage[index] = from.storage[fromIndex]!;
    this.country[index] = from.country[fromIndex]!;
    this.platform[index] = from.platform[fromIndex]!;
    this.network[index] = from.network[fromIndex]!;
    this.usdCore[index] = from.usdCore[fromIndex]!;
    this.usdMemory[index] = from.usdMemory[fromIndex]!;
    this.usdStorage[index] = from.usdStorage[fromIndex]!;
    this.live[index] = from.live[fromIndex]!;
    this.outline[index] = from.outline[fromIndex]!;
  }

  /** Whether two rows are the same to every filter. */
  equal(index: number, other: AttributeColumns, otherIndex: number): boolean {
    return (
      this.cpu[index] === other.cpu[otherIndex] &&
      this.memory[index] === other.memory[otherIndex] &&
      this.storage[index] === other.storage[otherIndex] &&
      this.country[index] === other.country[otherIndex] &&
      this.platform[index] === other.platform[otherIndex] &&
      this.network[index] === other.network[otherIndex] &&
      this.live[index] === other.live[otherIndex] &&
      // Missing prices are NaN, and as good as equal.
      Object.is(this.usdCore[index], other.usdCore[otherIndex]) &&
      Object.is(this.usdMemory[index], other.usdMemory[otherIndex]) &&
      Object.is(this.usdStorage[index], other.usdStorage[otherIndex])
    );
  }

  /** Makes room for `capacity` rows; the present ones stay. */
  grow(capacity: number): void {
    this.cpu = grown(this.cpu, new Uint16Array(capacity));
    this.memory = grown(this.memory, new Int32Array(capacity));
    this.storage = grown(this.storage, new Int32Array(capacity));
    this.country = grown(this.country, new Uint8Array(capacity));
    this.platform = grown(this.platform, new Uint32Array(capacity));
    this.network = grown(this.network, new Uint32Array(capacity));
    this.usdCore = grown(this.usdCore, new Float64Array(capacity));
    this.usdMemory = grown(this.usdMemory, new Float64Array(capacity));
    this.usdStorage = grown(this.usdStorage, new Float64Array(capacity));
    this.live = grown(this.live, new Uint8Array(capacity));
    this.outline = grown(this.outline, new Int32Array(capacity));
  }
}
