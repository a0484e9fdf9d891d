import { QUEUE } from '../settings.js';

/**
 * Works off requests one after the other, which keeps their order: a signature that is verified faster must not overtake
 * the one before it.
 */
export class RequestQueue {
  #last: Promise<void> | null = null;
  #waiting = 0;

  /** Whether none waits or is being worked on. */
  get isIdle(): boolean {
    return this.#last === null;
  }

  /**
   * Takes on a request, which begins at the earliest after the present turn and must not reject.
   * @returns False when too many wait already.
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
