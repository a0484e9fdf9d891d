import { setBit } from './bitmap.js';

/** Every so many thresholds a bitmap of all below is kept; up to that many are then set one by one. */
const STRIDE = 64;

/**
 * For one numeric attribute: which filters ask for at most so much. The thresholds are kept sorted; a question
 * copies the nearest prepared bitmap and adds the few filters between it and the answer.
 */
export class ThresholdIndex {
  /** Sorted; parallel to `#handles`. */
  readonly #thresholds: number[] = [];
  readonly #handles: number[] = [];
  readonly #prefixes: Uint32Array[] = [];
  /** How many of the prefixes are still right after insertions and removals. */
  #validPrefixes = 0;

  insert(threshold: number, handle: number): void {
    const at = this.#upperBound(threshold);
    this.#thresholds.splice(at, 0, threshold);
    this.#handles.splice(at, 0, handle);
    this.#invalidateFrom(at);
  }

  remove(threshold: number, handle: number): void {
    let at = this.#upperBound(threshold) - 1;
    while (this.#handles[at] !== handle) at -= 1;
    this.#thresholds.splice(at, 1);
    this.#handles.splice(at, 1);
    this.#invalidateFrom(at);
  }

  /** Sets `into` to the filters whose threshold is at most `value`. */
  collect(value: number, into: Uint32Array): void {
    const count = this.#upperBound(value);
    const prefix = Math.floor(count / STRIDE);
    this.#prepare(prefix, into.length);
    if (prefix === 0) into.fill(0);
    else into.set(this.#prefixes[prefix - 1]!);
    for (let at = prefix * STRIDE; at < count; at += 1) setBit(into, this.#handles[at]!);
  }

  /** Forgets the prepared bitmaps, e.g. because they have become too short. */
  invalidate(): void {
    this.#validPrefixes = 0;
  }

  #invalidateFrom(at: number): void {
    this.#validPrefixes = Math.min(this.#validPrefixes, Math.floor(at / STRIDE));
  }

  #prepare(count: number, words: number): void {
    for (let prefix = this.#validPrefixes; prefix < count; prefix += 1) {
      const bitmap = prefix === 0 ? new Uint32Array(words) : this.#prefixes[prefix - 1]!.slice();
      for (let at = prefix * STRIDE; at < (prefix + 1) * STRIDE; at += 1) setBit(bitmap, this.#handles[at]!);
      this.#prefixes[prefix] = bitmap;
    }
    this.#validPrefixes = Math.max(this.#validPrefixes, count);
  }

  #upperBound(value: number): number {
    let low = 0;
    let high = this.#thresholds.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#thresholds[middle]! <= value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
