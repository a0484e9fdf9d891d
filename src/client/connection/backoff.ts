/** Milliseconds that the first wait stays below. */
const FIRST_MS = 500;
/** Milliseconds that every wait stays below. */
const CAP_MS = 60_000;
/** Milliseconds of what a hub asks for that are heeded. */
const MAX_ASKED_MS = 3_600_000;

/**
 * How long to wait before each new try: anything from nothing up to a limit that doubles with every try ("full
 * jitter"), so that thousands of clients that lost the same hub do not come back in one moment.
 */
export class Backoff {
  readonly #random: () => number;
  #tries = 0;

  /** @param random From 0 up to, not including, 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Tries since the last reset. */
  get tries(): number {
    return this.#tries;
  }

  /**
   * The milliseconds to wait before the next try.
   * @param atLeastMs What the hub asked for, heeded up to an hour; the jitter comes on top.
   */
  next(atLeastMs = 0): number {
    const limit = Math.min(CAP_MS, FIRST_MS * 2 ** Math.min(this.#tries, 16));
    this.#tries += 1;
    return Math.min(atLeastMs, MAX_ASKED_MS) + Math.floor(this.#random() * limit);
  }

  /** The next try is a first one again. */
  reset(): void {
    this.#tries = 0;
  }
}
