import { clearBit, setBit } from '../../lib/bitmap.js';

/** Longer lists of filters are kept as bitmaps. */
const MAX_LIST = 64;

interface HandleList {
  list: number[];
}

/** Includes the filters that do not ask, so that it can be returned as it is. */
interface HandleBitmap {
  bitmap: Uint32Array;
  /** How many of its filters do ask. */
  count: number;
}

/**
 * For one attribute compared by equality: which filters accept a value. Filters that do not ask accept every value.
 */
export class ValueIndex {
  #indifferent: Uint32Array;
  #scratch: Uint32Array;
  readonly #accepting = new Map<number, HandleList | HandleBitmap>();
  readonly #bitmaps = new Set<HandleBitmap>();

  /** Whether any filter asks. */
  get isAsked(): boolean {
    return this.#accepting.size > 0;
  }

  constructor(words: number) {
    this.#indifferent = new Uint32Array(words);
    this.#scratch = new Uint32Array(words);
  }

  grow(words: number): void {
    const lengthen = (bitmap: Uint32Array): Uint32Array => {
      const longer = new Uint32Array(words);
      longer.set(bitmap);
      return longer;
    };
    this.#indifferent = lengthen(this.#indifferent);
    this.#scratch = new Uint32Array(words);
    for (const set of this.#bitmaps) set.bitmap = lengthen(set.bitmap);
  }

  /** @param values The accepted values; null for a filter that does not ask. */
  insert(values: readonly number[] | null, handle: number): void {
    if (values === null) {
      setBit(this.#indifferent, handle);
      for (const { bitmap } of this.#bitmaps) setBit(bitmap, handle);
    } else {
      for (const value of values) this.#accepting.set(value, this.#with(this.#accepting.get(value), handle));
    }
  }

  remove(values: readonly number[] | null, handle: number): void {
    if (values === null) {
      clearBit(this.#indifferent, handle);
      for (const { bitmap } of this.#bitmaps) clearBit(bitmap, handle);
      return;
    }
    for (const value of values) {
      const set = this.#accepting.get(value)!;
      if ('list' in set) {
        set.list.splice(set.list.indexOf(handle), 1);
        if (set.list.length === 0) this.#accepting.delete(value);
      } else {
        clearBit(set.bitmap, handle);
        set.count -= 1;
        if (set.count > 0) continue;
        this.#accepting.delete(value);
        this.#bitmaps.delete(set);
      }
    }
  }

  /** The filters that accept a value: a bitmap, valid until the next query or change. */
  accepting(value: number): Uint32Array {
    const set = this.#accepting.get(value);
    if (set === undefined) return this.#indifferent;
    if ('bitmap' in set) return set.bitmap;
    this.#scratch.set(this.#indifferent);
    for (const handle of set.list) setBit(this.#scratch, handle);
    return this.#scratch;
  }

  #with(set: HandleList | HandleBitmap | undefined, handle: number): HandleList | HandleBitmap {
    if (set === undefined) return { list: [handle] };
    if ('bitmap' in set) {
      setBit(set.bitmap, handle);
      set.count += 1;
      return set;
    }
    set.list.push(handle);
    if (set.list.length <= MAX_LIST) return set;
    const bitmap = this.#indifferent.slice();
    for (const member of set.list) setBit(bitmap, member);
    const made = { bitmap, count: set.list.length };
    this.#bitmaps.add(made);
    return made;
  }
}
