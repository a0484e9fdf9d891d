import { grown } from './typed-arrays.js';

const NONE = -1;

/**
 * A timing wheel over slots. Each slot lies in the bucket of the time at which it is due for a check. To move a deadline does not move
 * the slot: the check reschedules the slot if it is not due yet. Buckets are linked lists in typed arrays.
 */
export class TimingWheel {
  readonly #bucketMs: number;
  readonly #heads: Int32Array;
  #next: Int32Array;
  #previous: Int32Array;
  #bucketOf: Int32Array;
  /** The last bucket that was fully processed, counted from time 0. */
  #position = 0;
  /** The bucket being processed; slots scheduled meanwhile go after it. */
  #target = 0;

  constructor(capacity: number, bucketMs: number, buckets: number) {
    this.#bucketMs = bucketMs;
    this.#heads = new Int32Array(buckets).fill(NONE);
    this.#next = new Int32Array(capacity).fill(NONE);
    this.#previous = new Int32Array(capacity).fill(NONE);
    this.#bucketOf = new Int32Array(capacity).fill(NONE);
  }

  grow(capacity: number): void {
    this.#next = grown(this.#next, new Int32Array(capacity).fill(NONE));
    this.#previous = grown(this.#previous, new Int32Array(capacity).fill(NONE));
    this.#bucketOf = grown(this.#bucketOf, new Int32Array(capacity).fill(NONE));
  }

  /** Schedules a check of a slot, at most a bucket after `time` (service ms); replaces an earlier schedule. */
  schedule(slot: number, time: number): void {
    this.cancel(slot);
    const due = Math.max(Math.ceil(time / this.#bucketMs), this.#target + 1);
    // A slot more than one revolution ahead is checked once per revolution and rescheduled.
    const bucket = Math.min(due, this.#position + this.#heads.length - 1) % this.#heads.length;
    const head = this.#heads[bucket]!;
    this.#next[slot] = head;
    this.#previous[slot] = NONE;
    if (head !== NONE) this.#previous[head] = slot;
    this.#heads[bucket] = slot;
    this.#bucketOf[slot] = bucket;
  }

  /** Unschedules a slot, if it is scheduled. */
  cancel(slot: number): void {
    const bucket = this.#bucketOf[slot]!;
    if (bucket === NONE) return;
    const next = this.#next[slot]!;
    const previous = this.#previous[slot]!;
    if (next !== NONE) this.#previous[next] = previous;
    if (previous === NONE) this.#heads[bucket] = next;
    else this.#next[previous] = next;
    this.#bucketOf[slot] = NONE;
  }

  /**
   * Calls `look` for each due slot, after unscheduling it: it expires the slot or schedules it again. Stops after `budget` slots, so
   * that a mass expiry does not block the event loop.
   * @returns Whether all due slots have been processed.
   */
  advance(now: number, budget: number, look: (slot: number) => void): boolean {
    this.#target = Math.max(this.#target, Math.floor(now / this.#bucketMs));
    while (this.#position < this.#target) {
      const bucket = (this.#position + 1) % this.#heads.length;
      for (let slot = this.#heads[bucket]!; slot !== NONE; slot = this.#heads[bucket]!) {
        if (budget === 0) return false;
        budget -= 1;
        this.cancel(slot);
        look(slot);
      }
      this.#position += 1;
    }
    return true;
  }
}
