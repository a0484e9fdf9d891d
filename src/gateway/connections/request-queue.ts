import { QUEUE } from '../settings.js';

/**
 * Processes requests one at a time, in order: a signature that is verified faster must not overtake the one before it.
 */
export class RequestQueue {
  #last: Promise<void> | null = null;
  #waiting = 0;

  /** Whether no request is waiting or in progress. */
  get isIdle(): boolean {
    return this.#last === null;
  }

  /**
   * Queues a request, which starts asynchronously and must not reject.
   * @returns False if too many are waiting already.
   */
  add(run: () => Promise<void>): boolean {
    if (this.#waiting >= QUEUE.maxWaitingRequests) return false;
    this.#waiting += 1;
    const mine = this.#after(this.#last, run).then(() => {
      this.#waiting -= 1;
      if (this.#last === mine) this.#last = null;
    });
    this.#last = mine;
    return true;
  }

  async #after(previous: Promise<void> | null, run: () => Promise<void>): Promise<void> {
    await previous;
    await run();
  }
}
