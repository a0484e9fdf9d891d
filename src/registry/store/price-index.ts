import { type Amounts, monthlyCost } from '../../protocol/filters/estimate.js';
import { grown } from '../../lib/typed-arrays.js';
import { type AttributeColumns, PRICES_AN_ESTIMATE } from './columns.js';
import { Heap } from '../../lib/heap.js';

const MAX_CHUNK = 256;

/** Each slot's prices of a core, a GB of memory and a GB of disk. */
interface Prices {
  core: Float64Array;
  memory: Float64Array;
  storage: Float64Array;
}

/** A section of the curve: its rows in order, with copies of their prices, and the bounds of these. */
class Chunk {
  /** For the requested amounts, no row costs less than `least`, and none more than `most`. */
  least = 0;
  most = 0;
  slots: number[];
  /** Core, memory and disk of each row in turn. */
  readonly #prices = new Float64Array(3 * (MAX_CHUNK + 1));
  /** The lowest price of a core, of memory and of disk, then the highest of each. */
  readonly #bounds = new Float64Array(6);

  constructor(slots: number[], prices: Prices) {
    this.slots = slots;
    slots.forEach((slot, at) => {
      this.#write(at, slot, prices);
    });
    this.#measure();
  }

  insert(at: number, slot: number, prices: Prices): void {
    this.#prices.copyWithin(3 * (at + 1), 3 * at, 3 * this.slots.length);
    this.slots.splice(at, 0, slot);
    this.#write(at, slot, prices);
    this.#include(3 * at, 3 * (at + 1));
  }

  remove(at: number): void {
    const wasEdge = this.#isEdge(at);
    this.#prices.copyWithin(3 * at, 3 * (at + 1), 3 * this.slots.length);
    this.slots.splice(at, 1);
    if (wasEdge) this.#measure();
  }

  /** Splits off the upper half. */
  split(prices: Prices): Chunk {
    const upper = new Chunk(this.slots.splice(this.slots.length >> 1), prices);
    this.#measure();
    return upper;
  }

  /** Computed like a row's estimate, so that rounding cannot break the bounds. */
  weigh(asked: Amounts): void {
    const bounds = this.#bounds;
    this.least = finite(monthlyCost(bounds[0]!, bounds[1]!, bounds[2]!, asked));
    this.most = finite(monthlyCost(bounds[3]!, bounds[4]!, bounds[5]!, asked));
  }

  /** Writes the cost of each row to `costs`. */
  estimate(asked: Amounts, costs: Float64Array): void {
    const prices = this.#prices;
    for (let at = 0, from = 0; at < this.slots.length; at += 1, from += 3) {
      costs[at] = finite(monthlyCost(prices[from]!, prices[from + 1]!, prices[from + 2]!, asked));
    }
  }

  #write(at: number, slot: number, prices: Prices): void {
    this.#prices[3 * at] = prices.core[slot]!;
    this.#prices[3 * at + 1] = prices.memory[slot]!;
    this.#prices[3 * at + 2] = prices.storage[slot]!;
  }

  #measure(): void {
    this.#bounds.fill(Number.POSITIVE_INFINITY, 0, 3).fill(0, 3);
    this.#include(0, 3 * this.slots.length);
  }

  #include(from: number, to: number): void {
    const bounds = this.#bounds;
    for (let at = from; at < to; at += 1) {
      const price = this.#prices[at]!;
      const which = at % 3;
      if (price < bounds[which]!) bounds[which] = price;
      if (price > bounds[which + 3]!) bounds[which + 3] = price;
    }
  }

  /** Whether the bounds may tighten without this row. */
  #isEdge(at: number): boolean {
    const bounds = this.#bounds;
    for (let which = 0; which < 3; which += 1) {
      const price = this.#prices[3 * at + which]!;
      if (price === bounds[which] || price === bounds[which + 3]) return true;
    }
    return false;
  }
}

/**
 * An index of the rows with prices in one currency, for finding the cheapest without visiting all. What a row costs depends on the amounts
 * asked for, so no single order would do: the rows lie along a Z-order curve through the three prices, in chunks of neighbours, and a
 * chunk's bounds tell the lowest possible cost of its rows.
 */
export class PriceIndex {
  readonly #columns: AttributeColumns;
  /** The column of its first price. */
  readonly #first: number;
  #keys: Uint32Array;
  #chunks: Chunk[] = [];
  readonly #queue = new Heap<Chunk>((a, b) => a.least < b.least);
  readonly #costs = new Float64Array(MAX_CHUNK);

  /**
   * @param columns The prices of each slot, shared with the store.
   * @param currency The index of the estimate in `ESTIMATES`.
   */
  constructor(columns: AttributeColumns, capacity: number, currency: number) {
    this.#columns = columns;
    this.#first = currency * PRICES_AN_ESTIMATE;
    this.#keys = new Uint32Array(capacity);
  }

  grow(capacity: number): void {
    this.#keys = grown(this.#keys, new Uint32Array(capacity));
  }

  /** Replaces the content with the priced ones of these slots. */
  load(slots: readonly number[]): void {
    // Sorting numbers that combine key and slot is many times faster than a comparator; slots stay far below 2^23.
    const order = new Float64Array(slots.length);
    let count = 0;
    for (const slot of slots) {
      if (!this.isPriced(slot)) continue;
      this.#keys[slot] = this.#curveKey(slot);
      order[count] = this.#keys[slot] * 2 ** 23 + slot;
      count += 1;
    }
    const sorted = order.subarray(0, count).sort();
    this.#chunks = [];
    const size = (3 * MAX_CHUNK) / 4;
    for (let from = 0; from < count; from += size) {
      const part = sorted.subarray(from, from + size);
      this.#chunks.push(
        new Chunk(
          Array.from(part, (rank) => rank % 2 ** 23),
          this.#prices(),
        ),
      );
    }
  }

  /** Adds a row by its present prices, if it has any. */
  insert(slot: number): void {
    if (!this.isPriced(slot)) return;
    const key = this.#curveKey(slot);
    this.#keys[slot] = key;
    const number = this.#chunkFor(key, slot);
    const chunk = this.#chunks[number];
    if (chunk === undefined) {
      this.#chunks.push(new Chunk([slot], this.#prices()));
      return;
    }
    chunk.insert(this.#lowerBound(chunk.slots, key, slot), slot, this.#prices());
    if (chunk.slots.length > MAX_CHUNK) this.#chunks.splice(number + 1, 0, chunk.split(this.#prices()));
  }

  /** Removes a row; its prices must still be those it was added with. */
  remove(slot: number): void {
    if (!this.isPriced(slot)) return;
    const key = this.#keys[slot]!;
    const number = this.#chunkFor(key, slot);
    const chunk = this.#chunks[number]!;
    chunk.remove(this.#lowerBound(chunk.slots, key, slot));
    if (chunk.slots.length === 0) this.#chunks.splice(number, 1);
  }

  /**
   * Passes the rows in groups, in order of the lowest possible cost.
   * @param asked The amounts to estimate for.
   * @param floor Rows that cost less are of no interest. All costs are `finite` here.
   * @param ceiling The initial highest cost of interest.
   * @param visit Receives a group and the cost of each of its rows, valid until it returns. Returns the highest cost that is still of
   * interest.
   * @returns A lower bound on all costs.
   */
  scan(
    asked: Amounts,
    floor: number,
    ceiling: number,
    visit: (slots: readonly number[], costs: Float64Array) => number,
  ): number {
    const candidates: Chunk[] = [];
    for (const chunk of this.#chunks) {
      chunk.weigh(asked);
      if (chunk.most >= floor && chunk.least <= ceiling) candidates.push(chunk);
    }
    this.#queue.load(candidates);
    const least = this.#queue.top?.least ?? Number.POSITIVE_INFINITY;
    let highest = ceiling;
    for (let next = this.#queue.pop(); next !== undefined; next = this.#queue.pop()) {
      if (next.least > highest) break;
      next.estimate(asked, this.#costs);
      highest = visit(next.slots, this.#costs);
    }
    this.#queue.takeAll();
    return least;
  }

  /** Whether a slot has all three prices. */
  isPriced(slot: number): boolean {
    return !Number.isNaN(this.#columns.prices[this.#first]![slot]);
  }

  /** The columns. They may be replaced as they grow. */
  #prices(): Prices {
    const { prices } = this.#columns;
    return {
      core: prices[this.#first]!,
      memory: prices[this.#first + 1]!,
      storage: prices[this.#first + 2]!,
    };
  }

  #curveKey(slot: number): number {
    const { core, memory, storage } = this.#prices();
    return (
      spread(step(core[slot]!)) | (spread(step(memory[slot]!)) << 1) | (spread(step(storage[slot]!)) << 2)
    );
  }

  /** The last chunk that begins at or before this position on the curve. */
  #chunkFor(key: number, slot: number): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#isBefore(key, slot, this.#chunks[middle]!.slots[0]!)) high = middle - 1;
      else low = middle;
    }
    return low;
  }

  #lowerBound(slots: readonly number[], key: number, slot: number): number {
    let low = 0;
    let high = slots.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (slots[middle] === slot || this.#isBefore(key, slot, slots[middle]!)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Rows with equal keys are ordered by slot. */
  #isBefore(key: number, slot: number, other: number): boolean {
    const otherKey = this.#keys[other]!;
    return key !== otherKey ? key < otherKey : slot < other;
  }
}

/** Caps an infinite sum at a finite number, which fits a cursor and sorts before unpriced rows. */
export function finite(cost: number): number {
  return Math.min(cost, Number.MAX_VALUE);
}

/** Quantises a price to one of 1,024 logarithmic steps, sixteen per doubling. */
function step(price: number): number {
  return Math.min(1023, Math.floor(16 * Math.log2(1 + 65_536 * price)));
}

/** Spreads the ten bits of a step, leaving room to interleave those of the other two prices. */
function spread(value: number): number {
  let bits = value;
  bits = (bits | (bits << 16)) & 0x030000ff;
  bits = (bits | (bits << 8)) & 0x0300f00f;
  bits = (bits | (bits << 4)) & 0x030c30c3;
  return (bits | (bits << 2)) & 0x09249249;
}
