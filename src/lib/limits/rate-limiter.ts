import { RateLimiterRes } from 'rate-limiter-flexible';
import RateLimiterStore from 'rate-limiter-flexible/lib/RateLimiterStoreAbstract.js';
import { Heap } from '../heap.js';
import { sharedKey } from './shared-keys.js';

/** What a key has done in its present window. */
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
 * rate-limiter-flexible on counts in memory. The library's own limiter in memory reads the system's clock and starts a
 * timer for each key; this one goes by the hub's clock, has no timers, and keeps a bounded number of counts.
 */
export class RateLimiter extends RateLimiterStore {
  readonly #now: () => number;
  readonly #windows = new Map<string, Window>();
  /** One for each window. It may say too early an end, for one that was prolonged since. */
  readonly #ends = new Heap<{ key: string; endsAt: number }>((a, b) => a.endsAt < b.endsAt);
  readonly #changed = new Set<string>();

  /**
   * @param limit How often in a window.
   * @param windowMs Whole seconds, in milliseconds.
   * @param now Milliseconds that never run backwards.
   */
  constructor(limit: number, windowMs: number, now: () => number) {
    super({ storeClient: null, keyPrefix: '', points: limit, duration: windowMs / 1000 });
    this.#now = now;
  }

  /** Counts that are kept, of keys and of what they share. */
  get size(): number {
    return this.#windows.size;
  }

  /**
   * Counts once more.
   * @returns 0 when it may go on, else the seconds to wait.
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

  /** The seconds until a key may go on that has reached the limit; 0 when it may now. */
  async wait(key: string): Promise<number> {
    const state = await this.get(key);
    return state === null || state.consumedPoints < this.points ? 0 : secondsIn(state.msBeforeNext);
  }

  /** Takes what changed since the last call, at most so many. What has ended meanwhile is left out. */
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

  /** Takes back a count that `takeChanges` told of. */
  restore({ key, count, msLeft }: Count): void {
    this.#begin(sharedKey(key, this.#windows), count, msLeft);
  }

  protected override _upsert(
    key: string,
    points: number,
    msDuration: number,
    beginAnew: boolean,
  ): Promise<Window> {
    this.#forgetEnded();
    const shared = sharedKey(key, this.#windows);
    const window = this.#windows.get(shared);
    // What is given back after its window has ended is no credit for the next.
    if (window === undefined && points <= 0) return Promise.resolve({ count: 0, endsAt: this.#now() });
    if (window === undefined || beginAnew) return Promise.resolve(this.#begin(shared, points, msDuration));
    window.count = Math.max(0, window.count + points);
    this.#changed.add(shared);
    return Promise.resolve(window);
  }

  protected override _get(key: string): Promise<Window | null> {
    this.#forgetEnded();
    return Promise.resolve(this.#windows.get(sharedKey(key, this.#windows)) ?? null);
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
