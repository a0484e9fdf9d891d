import type { SendResult } from './port.js';
import { type GatewaySettings, QUEUE } from './settings.js';

/** What waits in all connections together, in bytes, as far as they have been looked at. */
export interface Backlog {
  bytes: number;
}

/** What an outbox sends through: a WebSocket, or a streamed body. */
export interface Sink {
  /** Bytes handed over that the system has not taken yet. */
  readonly bufferedAmount: number;
  send(bytes: Uint8Array, binary: boolean): SendResult;
}

/** What waits to leave through one connection: a bound on how much, and an eye on whether the peer takes it. */
export class Outbox {
  readonly #sink: Sink;
  readonly #binary: boolean;
  readonly #settings: GatewaySettings;
  readonly #backlog: Backlog;
  /** Since when (service ms) it is full without getting emptier; null while it is not full. */
  #fullSince: number | null = null;
  #lastWaiting = 0;
  /** Its part of the backlog. */
  #counted = 0;

  constructor(sink: Sink, binary: boolean, settings: GatewaySettings, backlog: Backlog) {
    this.#sink = sink;
    this.#binary = binary;
    this.#settings = settings;
    this.#backlog = backlog;
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
    const result = this.#sink.send(frame, this.#binary);
    if (result === 'sent') return true;
    const waiting = this.#sink.bufferedAmount;
    this.#count(waiting);
    const { maxQueuedBytes, maxTotalQueuedBytes } = this.#settings;
    if (result === 'dropped' || waiting > maxQueuedBytes) return false;
    if (waiting <= QUEUE.highWaterBytes) return true;
    if (this.#backlog.bytes > maxTotalQueuedBytes) return false;
    if (this.#fullSince === null) {
      this.#fullSince = now;
      this.#lastWaiting = waiting;
    }
    return true;
  }

  /** Nothing of it waits any more, because the connection is over. */
  end(): void {
    this.#count(0);
  }

  /** Called when the peer has taken something. @returns Whether it was full and no longer is. */
  emptied(): boolean {
    const waiting = this.#sink.bufferedAmount;
    this.#count(waiting);
    if (this.#fullSince === null || waiting > QUEUE.lowWaterBytes) return false;
    this.#fullSince = null;
    return true;
  }

  /** Whether it has been full without getting any emptier for too long. */
  isStuck(now: number): boolean {
    if (this.#fullSince === null) return false;
    const waiting = this.#sink.bufferedAmount;
    this.#count(waiting);
    if (waiting < this.#lastWaiting) this.#fullSince = now;
    this.#lastWaiting = waiting;
    return now >= this.giveUpAt;
  }

  #count(waiting: number): void {
    this.#backlog.bytes += waiting - this.#counted;
    this.#counted = waiting;
  }
}
