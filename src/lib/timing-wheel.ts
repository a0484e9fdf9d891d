import { grown } from './typed-arrays.js';

const NONE = -1;

/**
 * A timing wheel over slots. Each slot lies in the bucket of the time at which it has to be looked at again; a
 * heartbeat does not move it, it only moves the slot's deadline, and the look finds that out and files the slot
 * anew. Buckets are linked lists in typed arrays.
 */
export class TimingWheel {
  readonly #bucketMs: number;
  readonly #heads: Int32Array;
  #next: Int32Array;
  #previous: Int32Array;
  #bucketOf: Int32Array;
  /** The last bucket that was looked at in full, counted from time 0. */
  #position = 0;
  /** The bucket up to which is being looked: what is filed meanwhile goes behind it. */
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

  /** Files a slot to be looked at no later than a bucket after `time` (service ms), moving it if it was filed. */
  schedule(slot: number, time: number): void {
    this.cancel(slot);
    const due = Math.max(Math.ceil(time / this.#bucketMs), this.#target + 1);
    // What lies more than one turn ahead is looked at once a turn and filed again.
    const bucket = Math.min(due, this.#position + this.#heads.length - 1) % this.#heads.length;
    const head = this.#heads[bucket]!;
    this.#next[slot] = head;
    this.#previous[slot] = NONE;
    if (head !== NONE) this.#previous[head] = slot;
    this.#heads[bucket] = slot;
    this.#bucketOf[slot] = bucket;
  }

  /** Takes a slot out; nothing happens when it is not filed. */
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
   * Calls `look` for each slot whose time has come, after taking it out: it expires the slot or schedules it
   * again. Stops after `budget` slots, so that a mass expiry does not hold up the event loop.
   * @returns Whether all that was due has been looked at.
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
