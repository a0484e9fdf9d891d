/** A lock per key: one holder at a time, in order of arrival, with a bounded number waiting. */
export class KeyedLock {
  readonly #maxWaiting: number;
  readonly #queues = new Map<string, (() => void)[]>();

  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting;
  }

  /** Resolves with a function that releases the lock; with null, at once, if too many wait. */
  async acquire(key: string): Promise<(() => void) | null> {
    const queue = this.#queues.get(key);
    if (queue === undefined) {
      this.#queues.set(key, []);
    } else {
      if (queue.length >= this.#maxWaiting) return null;
      await new Promise<void>((resolve) => queue.push(resolve));
    }
    return () => {
      this.#release(key);
    };
  }

  #release(key: string): void {
    const next = this.#queues.get(key)?.shift();
    if (next === undefined) this.#queues.delete(key);
    else next();
  }
}
