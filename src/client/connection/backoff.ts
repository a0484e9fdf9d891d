/** Upper bound of the first wait, in milliseconds. */
const FIRST_MS = 500;
/** Upper bound of every wait, in milliseconds. */
const CAP_MS = 60_000;
/** The longest wait requested by a hub that is honoured, in milliseconds. */
const MAX_ASKED_MS = 3_600_000;

/**
 * How long to wait before each retry: a random time up to a limit that doubles with every retry ("full jitter"), so that thousands of clients
 * that lost the same hub do not reconnect at the same moment.
 */
export class Backoff {
  readonly #random: () => number;
  #tries = 0;

  /** @param random From 0 up to, not including, 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Retries since the last reset. */
  get tries(): number {
    return this.#tries;
  }

  /**
   * The milliseconds to wait before the next retry.
   * @param atLeastMs The wait that the hub asked for, honoured up to an hour; the jitter comes on top.
   */
  next(atLeastMs = 0): number {
    const limit = Math.min(CAP_MS, FIRST_MS * 2 ** Math.min(this.#tries, 16));
    this.#tries += 1;
    return Math.min(atLeastMs, MAX_ASKED_MS) + Math.floor(this.#random() * limit);
  }

  /** Starts over with the shortest wait. */
  reset(): void {
    this.#tries = 0;
  }
}
