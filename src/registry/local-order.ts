import { randomBytes } from 'node:crypto';
import { type DurableEntry, type Entry, isDurable } from './entry.js';
import type { Deliver } from './log.js';

/**
 * The order of a log with a single writer: entries are numbered as they are delivered. It lasts as long as the hub runs, so each run
 * has its own epoch.
 */
export class LocalOrder {
  readonly epoch = randomBytes(6).toString('hex');
  #position = 0;
  #deliver: Deliver = () => undefined;

  /** There is only one hub, with a new name for each run. */
  get hub(): string {
    return this.epoch;
  }

  get position(): number {
    return this.#position;
  }

  deliverTo(deliver: Deliver): void {
    this.#deliver = deliver;
  }

  /** Gives an entry the next position and delivers it. If the receiver throws, the proposer gets the error. */
  deliver(entry: Entry): number {
    this.#position += 1;
    const position = this.#position;
    this.#deliver(entry, position);
    return position;
  }

  /**
   * Adds an entry: a durable one once it is written, any other at once.
   * @param write Makes an entry durable, then calls `deliver` for it.
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
