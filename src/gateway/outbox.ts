import type { Socket } from './port.js';
import { QUEUE } from './settings.js';

/** What waits to leave through one socket: a bound on how much, and an eye on whether the peer takes it. */
export class Outbox {
  readonly #socket: Socket;
  readonly #binary: boolean;
  /** Since when (service ms) it is full without getting emptier; null while it is not full. */
  #fullSince: number | null = null;
  #lastWaiting = 0;

  constructor(socket: Socket, binary: boolean) {
    this.#socket = socket;
    this.#binary = binary;
  }

  /** Whether so much waits that stream events are held back. */
  get isFull(): boolean {
    return this.#fullSince !== null;
  }

  /** When (service ms) the peer is given up unless it takes something before; infinity while it is not full. */
  get giveUpAt(): number {
    return this.#fullSince === null ? Number.POSITIVE_INFINITY : this.#fullSince + QUEUE.stallMs;
  }

  /**
   * Sends a frame, or has it wait.
   * @param now Service milliseconds.
   * @returns False when it was not taken, or more waits than is kept for anybody: the peer is lost.
   */
  send(frame: Uint8Array, now: number): boolean {
    const result = this.#socket.send(frame, this.#binary);
    if (result === 'sent') return true;
    const waiting = this.#socket.bufferedAmount;
    if (result === 'dropped' || waiting > QUEUE.maxBytes) return false;
    if (waiting > QUEUE.highWaterBytes && this.#fullSince === null) {
      this.#fullSince = now;
      this.#lastWaiting = waiting;
    }
    return true;
  }

  /** Called when the peer has taken something. @returns Whether it was full and no longer is. */
  drained(): boolean {
    if (this.#fullSince === null || this.#socket.bufferedAmount > QUEUE.lowWaterBytes) return false;
    this.#fullSince = null;
    return true;
  }

  /** Whether it has been full without getting any emptier for too long. */
  isStuck(now: number): boolean {
    if (this.#fullSince === null) return false;
    const waiting = this.#socket.bufferedAmount;
    if (waiting < this.#lastWaiting) this.#fullSince = now;
    this.#lastWaiting = waiting;
    return now >= this.giveUpAt;
  }
}
