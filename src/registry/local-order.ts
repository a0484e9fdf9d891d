import { randomBytes } from 'node:crypto';
import { type DurableEntry, type Entry, isDurable } from './entry.js';
import type { Deliver } from './log.js';

/**
 * The order of a log that one hub writes alone: entries stand in the order in which they are delivered. It lasts as
 * long as the hub runs, so each run has an epoch of its own.
 */
export class LocalOrder {
  readonly epoch = randomBytes(6).toString('hex');
  #position = 0;
  #deliver: Deliver = () => undefined;

  /** There is but one hub, which is another one with each run. */
  get hub(): string {
    return this.epoch;
  }

  get position(): number {
    return this.#position;
  }

  deliverTo(deliver: Deliver): void {
    this.#deliver = deliver;
  }

  /** Gives an entry the next position and delivers it. Whatever the receiver throws goes to the proposer. */
  deliver(entry: Entry): number {
    this.#position += 1;
    const position = this.#position;
    this.#deliver(entry, position);
    return position;
  }

  /**
   * Adds an entry: one that ends with the hub at once, any other when it is written.
   * @param write Makes an entry durable, and calls `deliver` for it.
   */
  propose(entry: Entry, write: (entry: DurableEntry) => Promise<number>): Promise<number> {
    if (isDurable(entry)) return write(entry);
    try {
      return Promise.resolve(this.deliver(entry));
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
