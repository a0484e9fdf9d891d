import { setBit } from '../../lib/bitmap.js';

/** Every so many thresholds a bitmap of all up to there is kept. */
const STRIDE = 64;

/**
 * For one numeric attribute: which filters ask for at most so much, but for a few that ask for more. The thresholds
 * are kept sorted, and the answer is the next prepared bitmap, so that nothing has to be copied for it.
 */
export class ThresholdIndex {
  /** Sorted, equal ones by their handles; parallel to `#handles`. */
  readonly #thresholds: number[] = [];
  readonly #handles: number[] = [];
  readonly #prefixes: Uint32Array[] = [];
  /** How many of the prefixes are still right after insertions and removals. */
  #validPrefixes = 0;

  /** Whether any filter asks: one that does not has the threshold 0, and amounts are never less. */
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
   * The filters whose threshold is at most `value`, and fewer than 64 others; null when there are none. The bitmap is
   * good until the next change.
   * @param words How many words it is to have.
   */
  candidates(value: number, words: number): Uint32Array | null {
    const prefixes = Math.ceil(this.#upperBound(value) / STRIDE);
    if (prefixes === 0) return null;
    this.#prepare(prefixes, words);
    return this.#prefixes[prefixes - 1]!;
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
      const end = Math.min((prefix + 1) * STRIDE, this.#handles.length);
      for (let at = prefix * STRIDE; at < end; at += 1) setBit(bitmap, this.#handles[at]!);
      this.#prefixes[prefix] = bitmap;
    }
    this.#validPrefixes = Math.max(this.#validPrefixes, count);
  }

  #upperBound(value: number): number {
    return this.#placeOf(value, Number.POSITIVE_INFINITY);
  }

  /** Where a filter with a threshold is, or would be. */
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
