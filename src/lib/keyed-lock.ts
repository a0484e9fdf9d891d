/** Lets one holder a key in at a time, in the order they came, and only so many wait. */
export class KeyedLock {
  readonly #maxWaiting: number;
  readonly #queues = new Map<string, (() => void)[]>();

  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting;
  }

  /** Resolves with a function that lets the next one in; with null, at once, when too many wait. */
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
