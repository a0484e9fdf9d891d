import { setBit } from '../../lib/bitmap.js';

/** A prefix bitmap is kept every this many thresholds. */
const STRIDE = 64;

/**
 * For one numeric attribute: which filters ask for at most a value, plus a few that ask for more. The thresholds are kept sorted, and the
 * result is the next prepared bitmap, so that nothing has to be copied.
 */
export class ThresholdIndex {
  /** Sorted, equal ones by handle; parallel to `#handles`. */
  readonly #thresholds: number[] = [];
  readonly #handles: number[] = [];
  readonly #prefixes: Uint32Array[] = [];
  /** How many of the prefixes are still valid after insertions and removals. */
  #validPrefixes = 0;

  /** Whether any filter asks. One that does not has threshold 0, which every amount meets. */
  get isAsked(): boolean {
    return (this.#thresholds.at(-1) ?? 0) > 0;
  }

  insert(threshold: number, handle: number): void {
    const at = this.#placeOf(threshold, handle);
    this.#thresholds.splice(at, 0, threshold);
    this.#handles.splice(at, 0, handle);
    this.#invalidateFrom(at);
  }

  remove(threshold: number, handle: number): void {
    const at = this.#placeOf(threshold, handle);
    this.#thresholds.splice(at, 1);
    this.#handles.splice(at, 1);
    this.#invalidateFrom(at);
  }

  /**
   * The filters whose threshold is at most `value`, and fewer than 64 others; null if there are none. The bitmap is valid until the next
   * change.
   * @param words The length of the bitmap in words.
   */
  candidates(value: number, words: number): Uint32Array | null {
    const prefixes = Math.ceil(this.#upperBound(value) / STRIDE);
    if (prefixes === 0) return null;
    this.#prepare(prefixes, words);
    return this.#prefixes[prefixes - 1]!;
  }

  /** Drops the prepared bitmaps, e.g. because they have become too short. */
  invalidate(): void {
    this.#validPrefixes = 0;
  }

  #invalidateFrom(at: number): void {
    this.#validPrefixes = Math.min(this.#validPrefixes, Math.floor(at / STRIDE));
  }

  #prepare(count: number, words: number): void {
    for (let prefix = this.#validPrefixes; prefix < count; prefix += 1) {
      const bitmap = prefix === 0 ? new Uint32Array(words) : this.#prefixes[prefix - 1]!.slice();
      const end = Math.min((prefix + 1) * STRIDE, this.#handles.length);
      for (let at = prefix * STRIDE; at < end; at += 1) setBit(bitmap, this.#handles[at]!);
      this.#prefixes[prefix] = bitmap;
    }
    this.#validPrefixes = Math.max(this.#validPrefixes, count);
  }

  #upperBound(value: number): number {
    return this.#placeOf(value, Number.POSITIVE_INFINITY);
  }

  /** The position of a filter with a threshold, or where it would be. */
  #placeOf(threshold: number, handle: number): number {
    let low = 0;
    let high = this.#thresholds.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#thresholds[middle]!;
      if (other < threshold || (other === threshold && this.#handles[middle]! < handle)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
