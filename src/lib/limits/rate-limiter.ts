import { RateLimiterRes } from 'rate-limiter-flexible';
import RateLimiterStore from 'rate-limiter-flexible/lib/RateLimiterStoreAbstract.js';
import { Heap } from '../heap.js';
import { COUNT_BOUNDS, type CountBounds, sharedKey } from './shared-keys.js';

/** A key's count in its present window. */
export interface Count {
  key: string;
  count: number;
  /** Milliseconds until the window ends. */
  msLeft: number;
}

interface Window {
  count: number;
  /** On the limiter's clock. */
  endsAt: number;
}

/**
 * rate-limiter-flexible with a store of our own. The library's in-memory limiter reads the system clock and starts a timer for each key;
 * this one uses the hub's clock, starts no timers, and keeps a bounded number of counts.
 */
export class RateLimiter extends RateLimiterStore {
  readonly #now: () => number;
  readonly #bounds: CountBounds;
  readonly #windows = new Map<string, Window>();
  /** The end of each window. It may be too early if the window was extended since. */
  readonly #ends = new Heap<{ key: string; endsAt: number }>((a, b) => a.endsAt < b.endsAt);
  readonly #changed = new Set<string>();

  /**
   * @param limit How much a key may do per window.
   * @param windowMs Whole seconds, in milliseconds.
   * @param now Milliseconds that never run backwards.
   * @param bounds How many counts are kept at most.
   */
  constructor(limit: number, windowMs: number, now: () => number, bounds = COUNT_BOUNDS) {
    super({ storeClient: null, keyPrefix: '', points: limit, duration: windowMs / 1000 });
    this.#now = now;
    this.#bounds = bounds;
  }

  /** How many counts are kept, for keys and for groups. */
  get size(): number {
    return this.#windows.size;
  }

  /**
   * Counts once more.
   * @returns 0 if the key may proceed, otherwise the seconds to wait.
   */
  async spend(key: string): Promise<number> {
    try {
      await this.consume(key);
      return 0;
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return secondsIn(refusal.msBeforeNext);
      throw refusal;
    }
  }

  /** How many seconds a key that has reached its limit has to wait; 0 for any other. */
  async wait(key: string): Promise<number> {
    const state = await this.get(key);
    return state === null || state.consumedPoints < this.points ? 0 : secondsIn(state.msBeforeNext);
  }

  /** Takes the counts that changed since the last call, up to a number. Skips windows that have ended meanwhile. */
  takeChanges(limit: number): Count[] {
    const counts: Count[] = [];
    const now = this.#now();
    for (const key of this.#changed) {
      if (counts.length === limit) break;
      this.#changed.delete(key);
      const window = this.#windows.get(key);
      if (window !== undefined && window.endsAt > now) {
        counts.push({ key, count: window.count, msLeft: window.endsAt - now });
      }
    }
    return counts;
  }

  /** Restores a count from `takeChanges`. */
  restore({ key, count, msLeft }: Count): void {
    this.#begin(sharedKey(key, this.#windows, this.#bounds), count, msLeft);
  }

  protected override _upsert(
    key: string,
    points: number,
    msDuration: number,
    beginAnew: boolean,
  ): Promise<Window> {
    this.#forgetEnded();
    const shared = sharedKey(key, this.#windows, this.#bounds);
    const window = this.#windows.get(shared);
    // Points given back after their window has ended do not count towards the next.
    if (window === undefined && points <= 0) return Promise.resolve({ count: 0, endsAt: this.#now() });
    if (window === undefined || beginAnew) return Promise.resolve(this.#begin(shared, points, msDuration));
    window.count = Math.max(0, window.count + points);
    this.#changed.add(shared);
    return Promise.resolve(window);
  }

  protected override _get(key: string): Promise<Window | null> {
    this.#forgetEnded();
    return Promise.resolve(this.#windows.get(sharedKey(key, this.#windows, this.#bounds)) ?? null);
  }

  protected override _delete(key: string): Promise<boolean> {
    this.#forgetEnded();
    const window = this.#windows.get(key);
    if (window === undefined) return Promise.resolve(false);
    window.count = 0;
    this.#changed.add(key);
    return Promise.resolve(true);
  }

  protected override _getRateLimiterRes(
    _key: string,
    changedPoints: number,
    { count, endsAt }: Window,
  ): RateLimiterRes {
    return new RateLimiterRes(
      Math.max(0, this.points - count),
      endsAt - this.#now(),
      count,
      count === changedPoints,
    );
  }

  #begin(key: string, count: number, msLeft: number): Window {
    const window = { count, endsAt: this.#now() + msLeft };
    if (!this.#windows.has(key)) this.#ends.push({ key, endsAt: window.endsAt });
    this.#windows.set(key, window);
    this.#changed.add(key);
    return window;
  }

  #forgetEnded(): void {
    const now = this.#now();
    for (let top = this.#ends.top; top !== undefined && top.endsAt <= now; top = this.#ends.top) {
      const { key } = top;
      const { endsAt } = this.#windows.get(key)!;
      if (endsAt > now) {
        this.#ends.replaceTop({ key, endsAt });
        continue;
      }
      this.#ends.pop();
      this.#windows.delete(key);
      this.#changed.delete(key);
    }
  }
}

function secondsIn(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000));
}
