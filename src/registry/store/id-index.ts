import { sortByText } from '../../lib/radix-sort.js';

const MAX_CHUNK = 512;

/** Slots in the order of their provider ids. */
export interface OrderedSlots {
  readonly size: number;
  /**
   * Passes the slots in order, a run at a time, until `visit` returns false.
   * @param after Only ids after this one; null for all.
   * @param visit Receives slots, of which those before `from` do not count.
   */
  scan(after: string | null, visit: (slots: readonly number[], from: number) => boolean): void;
}

/**
 * The slots in the order of their provider ids (by UTF-16 code units, which for the protocol's ids equals byte order): a list of sorted
 * chunks, so that an insertion moves at most one chunk's content.
 */
export class IdIndex implements OrderedSlots {
  readonly #ids: readonly (string | undefined)[];
  #chunks: number[][] = [];
  #size = 0;

  /** @param ids The id of each slot, shared with the store. */
  constructor(ids: readonly (string | undefined)[]) {
    this.#ids = ids;
  }

  get size(): number {
    return this.#size;
  }

  /** Replaces the content with these slots, given in any order. */
  load(slots: readonly number[]): void {
    const order = Uint32Array.from(slots);
    sortByText(this.#ids, order);
    this.loadOrdered(order);
  }

  /** The same for slots that are already in order. */
  loadOrdered(order: Uint32Array | readonly number[]): void {
    this.#chunks = [];
    this.#size = order.length;
    const size = MAX_CHUNK / 2;
    for (let from = 0; from < order.length; from += size) {
      this.#chunks.push(Array.from(order.slice(from, from + size)));
    }
  }

  insert(slot: number): void {
    const id = this.#ids[slot]!;
    this.#size += 1;
    if (this.#chunks.length === 0) this.#chunks.push([]);
    const number = this.#chunkFor(id);
    const chunk = this.#chunks[number]!;
    chunk.splice(this.#lowerBound(chunk, id), 0, slot);
    if (chunk.length > MAX_CHUNK) this.#chunks.splice(number + 1, 0, chunk.splice(MAX_CHUNK / 2));
  }

  /** Removes a slot; its id must still be known. */
  remove(slot: number): void {
    const id = this.#ids[slot]!;
    const number = this.#chunkFor(id);
    const chunk = this.#chunks[number]!;
    chunk.splice(this.#lowerBound(chunk, id), 1);
    this.#size -= 1;
    if (chunk.length === 0) this.#chunks.splice(number, 1);
  }

  scan(after: string | null, visit: (slots: readonly number[], from: number) => boolean): void {
    if (this.#chunks.length === 0) return;
    let number = after === null ? 0 : this.#chunkFor(after);
    let from = 0;
    if (after !== null) {
      const chunk = this.#chunks[number]!;
      from = this.#lowerBound(chunk, after);
      if (from < chunk.length && this.#ids[chunk[from]!] === after) from += 1;
    }
    for (; number < this.#chunks.length; number += 1) {
      if (!visit(this.#chunks[number]!, from)) return;
      from = 0;
    }
  }

  /** The last chunk that begins at or before an id. */
  #chunkFor(id: string): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#ids[this.#chunks[middle]![0]!]! <= id) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #lowerBound(chunk: readonly number[], id: string): number {
    let low = 0;
    let high = chunk.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#ids[chunk[middle]!]! < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
