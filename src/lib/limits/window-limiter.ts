import { COUNT_BOUNDS, sharedKey } from './shared-keys.js';

interface Window {
  count: number;
  /** Milliseconds on the caller's clock. */
  endsAt: number;
}

/**
 * Counts what each key, such as a client address, does, in windows that begin with its first action. It answers synchronously;
 * `RateLimiter` is for callers that are asynchronous anyway.
 */
export class WindowLimiter {
  readonly #limit: number;
  readonly #windowMs: number;
  /** In order of the windows' ends, because all are equally long and inserted as they begin. */
  readonly #windows = new Map<string, Window>();

  /** @param limit How much a key may do per window; 0 for no limit. */
  constructor(limit: number, windowMs: number) {
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  /** Whether nothing is limited. */
  get off(): boolean {
    return this.#limit === 0;
  }

  /** How many windows are kept, for keys and groups. */
  get size(): number {
    return this.#windows.size;
  }

  /**
   * Counts once more.
   * @param now Milliseconds that never run backwards.
   * @returns 0 if the key may proceed, otherwise the seconds to wait.
   */
  spend(key: string, now: number): number {
    if (this.off) return 0;
    this.#forgetEnded(now);
    const shared = sharedKey(key, this.#windows, COUNT_BOUNDS);
    const window = this.#windows.get(shared);
    if (window === undefined) {
      this.#windows.set(shared, { count: 1, endsAt: now + this.#windowMs });
      return 0;
    }
    window.count += 1;
    return window.count <= this.#limit ? 0 : secondsUntil(window, now);
  }

  /** How often a key has tried again in its present window although it was told to wait. */
  excess(key: string): number {
    const window = this.#windows.get(sharedKey(key, this.#windows, COUNT_BOUNDS));
    return window === undefined ? 0 : Math.max(0, window.count - this.#limit);
  }

  /** What `spend` would return, without counting. */
  wait(key: string, now: number): number {
    if (this.off) return 0;
    this.#forgetEnded(now);
    const window = this.#windows.get(sharedKey(key, this.#windows, COUNT_BOUNDS));
    return window === undefined || window.count < this.#limit ? 0 : secondsUntil(window, now);
  }

  #forgetEnded(now: number): void {
    for (const [key, { endsAt }] of this.#windows) {
      if (endsAt > now) return;
      this.#windows.delete(key);
    }
  }
}

function secondsUntil({ endsAt }: Window, now: number): number {
  return Math.max(1, Math.ceil((endsAt - now) / 1000));
}
