import type { Backlog } from './backlog.js';
import type { SendResult } from '../transports/port.js';
import { type GatewaySettings, QUEUE } from '../settings.js';

/** The output of an outbox: a WebSocket, or a streamed body. */
export interface Sink {
  /** Bytes handed over that the system has not accepted yet. */
  readonly bufferedAmount: number;
  send(bytes: Uint8Array, binary: boolean): SendResult;
}

/** What waits to be sent on one connection: bounds its size, and watches whether the peer takes it. */
export class Outbox {
  readonly #sink: Sink;
  readonly #binary: boolean;
  readonly #settings: GatewaySettings;
  readonly #backlog: Backlog;
  readonly #onGivenUp: () => void;
  /** Since when (service ms) it has been full without progress; null while it is not full. */
  #fullSince: number | null = null;
  #lastWaiting = 0;
  /** Its share of the backlog, in bytes. */
  #counted = 0;

  /** @param onGivenUp Called when too much is queued on all sockets together, and most on this one. */
  constructor(
    sink: Sink,
    binary: boolean,
    settings: GatewaySettings,
    backlog: Backlog,
    onGivenUp: () => void,
  ) {
    this.#sink = sink;
    this.#binary = binary;
    this.#settings = settings;
    this.#backlog = backlog;
    this.#onGivenUp = onGivenUp;
  }

  /** Whether so much is queued that stream events are held back. */
  get isFull(): boolean {
    return this.#fullSince !== null;
  }

  /** When (service ms) the peer is given up unless it takes something before; infinity while not full. */
  get giveUpAt(): number {
    return this.#fullSince === null ? Number.POSITIVE_INFINITY : this.#fullSince + QUEUE.stallMs;
  }

  /** Queued bytes when last measured. */
  get counted(): number {
    return this.#counted;
  }

  /**
   * Sends or queues a frame.
   * @param now Service milliseconds.
   * @returns False if it was not accepted, or the queue is too long: the peer is lost.
   */
  send(frame: Uint8Array, now: number): boolean {
    const result = this.#sink.send(frame, this.#binary);
    if (result === 'sent') return true;
    const waiting = this.count();
    if (result === 'dropped' || waiting > this.#settings.maxQueuedBytes) return false;
    if (waiting > QUEUE.highWaterBytes && this.#fullSince === null) {
      this.#fullSince = now;
      this.#lastWaiting = waiting;
    }
    return true;
  }

  /** Removes it from the backlog, because the connection is over. */
  end(): void {
    this.#backlog.move(this, this.#counted, 0);
    this.#counted = 0;
  }

  /** Called when the queue is empty. @returns Whether it was full before. */
  emptied(): boolean {
    const waiting = this.count();
    if (this.#fullSince === null || waiting > QUEUE.lowWaterBytes) return false;
    this.#fullSince = null;
    return true;
  }

  /** Whether it is full, and the peer has taken some of it since the last call. */
  isMoving(now: number): boolean {
    if (this.#fullSince === null) return false;
    const waiting = this.count();
    const isMoving = waiting < this.#lastWaiting;
    if (isMoving) this.#fullSince = now;
    this.#lastWaiting = waiting;
    return isMoving;
  }

  /** Measures the queue. @returns Bytes. */
  count(): number {
    const waiting = this.#sink.bufferedAmount;
    this.#backlog.move(this, this.#counted, waiting);
    this.#counted = waiting;
    return waiting;
  }

  /** Called by the backlog: this connection has to make room for others. */
  giveUp(): void {
    this.#onGivenUp();
  }
}
