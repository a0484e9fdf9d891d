import { CLOSE } from '../protocol/frames/close-codes.js';

/** The reason given to clients whose connection or request ends because the hub is stopping. */
export const STOPPING = 'the hub is stopping';

/** What a drain needs from a connection. */
interface Closable {
  close(code: number, reason: string): void;
}

/**
 * Closes the connections of a stopping hub one after another, spread evenly over a time, because clients reconnect at once and the next hub
 * should not have to take all of them at the same moment.
 */
export class Drain {
  readonly #connections: readonly Closable[];
  readonly #startedAt: number;
  readonly #durationMs: number;
  #closed = 0;

  /**
   * @param startedAt Service milliseconds.
   * @param durationMs 0 closes all at once.
   */
  constructor(connections: readonly Closable[], startedAt: number, durationMs: number) {
    this.#connections = connections;
    this.#startedAt = startedAt;
    this.#durationMs = durationMs;
  }

  /**
   * Closes connections that are due; the first is due at once.
   * @param now Service milliseconds.
   * @returns Whether all are closed.
   */
  advance(now: number): boolean {
    const { length } = this.#connections;
    const elapsed = now - this.#startedAt;
    const due = elapsed < this.#durationMs ? Math.floor((length * elapsed) / this.#durationMs) + 1 : length;
    for (; this.#closed < Math.min(due, length); this.#closed += 1) {
      this.#connections[this.#closed]!.close(CLOSE.overloaded, STOPPING);
    }
    return this.#closed === length;
  }
}
