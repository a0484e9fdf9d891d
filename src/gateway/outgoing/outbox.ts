import type { Backlog } from './backlog.js';
import type { SendResult } from '../transports/port.js';
import { type GatewaySettings, QUEUE } from '../settings.js';

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
  readonly #onGivenUp: () => void;
  /** Since when (service ms) it is full without getting emptier; null while it is not full. */
  #fullSince: number | null = null;
  #lastWaiting = 0;
  /** Its part of the backlog, in bytes. */
  #counted = 0;

  /** @param onGivenUp Called when too much waits in all sockets together, and nowhere more than here. */
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

  /** Whether so much waits that stream events are held back. */
  get isFull(): boolean {
    return this.#fullSince !== null;
  }

  /** When (service ms) the peer is given up unless it takes something before; infinity while it is not full. */
  get giveUpAt(): number {
    return this.#fullSince === null ? Number.POSITIVE_INFINITY : this.#fullSince + QUEUE.stallMs;
  }

  /** Bytes that waited when it was last looked at. */
  get counted(): number {
    return this.#counted;
  }

  /**
   * Sends a frame, or has it wait.
   * @param now Service milliseconds.
   * @returns False when it was not taken, or more waits than is kept for anybody: the peer is lost.
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

  /** Nothing of it waits any more, because the connection is over. */
  end(): void {
    this.#backlog.move(this, this.#counted, 0);
    this.#counted = 0;
  }

  /** Called when the peer has taken all that waited. @returns Whether it was full and no longer is. */
  emptied(): boolean {
    const waiting = this.count();
    if (this.#fullSince === null || waiting > QUEUE.lowWaterBytes) return false;
    this.#fullSince = null;
    return true;
  }

  /** Whether it is full, and the peer has taken some of it since this was asked last. */
  isMoving(now: number): boolean {
    if (this.#fullSince === null) return false;
    const waiting = this.count();
    const isMoving = waiting < this.#lastWaiting;
    if (isMoving) this.#fullSince = now;
    this.#lastWaiting = waiting;
    return isMoving;
  }

  /** Looks how much waits. @returns Bytes. */
  count(): number {
    const waiting = this.#sink.bufferedAmount;
    this.#backlog.move(this, this.#counted, waiting);
    this.#counted = waiting;
    return waiting;
  }

  /** It has to make room for others. */
  giveUp(): void {
    this.#onGivenUp();
  }
}
