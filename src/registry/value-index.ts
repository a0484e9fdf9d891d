import { clearBit, setBit } from './bitmap.js';

/** A list of filters longer than this is kept as a bitmap. */
const MAX_LIST = 64;

type HandleSet = { list: number[] } | { bitmap: Uint32Array; count: number };

/**
 * For one attribute that is compared for equality: which filters accept a value. Filters that do not ask are
 * accepted by every value.
 */
export class ValueIndex {
  #indifferent: Uint32Array;
  readonly #accepting = new Map<number, HandleSet>();
  #words: number;

  constructor(words: number) {
    this.#words = words;
    this.#indifferent = new Uint32Array(words);
  }

  grow(words: number): void {
    const lengthen = (bitmap: Uint32Array): Uint32Array => {
      const longer = new Uint32Array(words);
      longer.set(bitmap);
      return longer;
    };
    this.#words = words;
    this.#indifferent = lengthen(this.#indifferent);
    for (const set of this.#accepting.values()) if ('bitmap' in set) set.bitmap = lengthen(set.bitmap);
  }

  /** @param values The accepted values; null for a filter that does not ask. */
  insert(values: readonly number[] | null, handle: number): void {
    if (values === null) setBit(this.#indifferent, handle);
    else
      for (const value of values) this.#accepting.set(value, this.#with(this.#accepting.get(value), handle));
  }

  remove(values: readonly number[] | null, handle: number): void {
    if (values === null) {
      clearBit(this.#indifferent, handle);
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
        if (set.count === 0) this.#accepting.delete(value);
      }
    }
  }

  /** Takes out of `candidates` the filters that do not accept this value; `scratch` is as long. */
  restrict(value: number, candidates: Uint32Array, scratch: Uint32Array): void {
    const set = this.#accepting.get(value);
    let accepting = this.#indifferent;
    if (set !== undefined && 'list' in set) {
      scratch.set(this.#indifferent);
      for (const handle of set.list) setBit(scratch, handle);
      accepting = scratch;
    }
    const bitmap = set !== undefined && 'bitmap' in set ? set.bitmap : null;
    for (let word = 0; word < candidates.length; word += 1) {
      candidates[word]! &= bitmap === null ? accepting[word]! : accepting[word]! | bitmap[word]!;
    }
  }

  #with(set: HandleSet | undefined, handle: number): HandleSet {
    if (set === undefined) return { list: [handle] };
    if ('bitmap' in set) {
      setBit(set.bitmap, handle);
      set.count += 1;
      return set;
    }
    set.list.push(handle);
    if (set.list.length <= MAX_LIST) return set;
    const bitmap = new Uint32Array(this.#words);
    for (const member of set.list) setBit(bitmap, member);
    return { bitmap, count: set.list.length };
  }
}
