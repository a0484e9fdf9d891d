import { CLOSE } from '../protocol/frames/close-codes.js';

/** What clients are told whose connection or request comes to an end because the hub does. */
export const STOPPING = 'the hub is stopping';

/** What a drain needs of a connection. */
interface Closable {
  close(code: number, reason: string): void;
}

/**
 * The connections of a hub that stops, closed one after the other and evenly over a time: whoever is closed comes
 * back at once, and all of them in one moment would be more than the next hub should have to take.
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
   * Closes those that are due; the first is due at once.
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
