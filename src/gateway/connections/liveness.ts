import { CLOSE, type CloseCode } from '../../protocol/frames/close-codes.js';
import { LIMITS } from '../../protocol/limits.js';

/** A reader that takes this many bytes in 2.5 heartbeat intervals is alive; by default, that is 3.4 KiB/s. */
const BYTES_PER_PING = 256 * 1024;

/** Why to close a connection. */
export interface Verdict {
  code: CloseCode;
  reason: string;
}

/** Tracks whether a connection is alive, when to ping it, and how long it may stay without authenticating or subscribing. */
export class Liveness {
  readonly #heartbeatMs: number;
  /** The deadline (service ms) to authenticate or subscribe; infinity once it has. */
  #admitBy: number;
  /** When (service ms) its last sign of life came. */
  #heardAt: number;
  #nextPing: number;
  /** Bytes sent since the last ping. */
  #bytesSincePing = 0;
  #unansweredPings = 0;

  /** @param now Service milliseconds. */
  constructor(heartbeatMs: number, now: number) {
    this.#heartbeatMs = heartbeatMs;
    this.#admitBy = now + LIMITS.admissionMs;
    this.#heardAt = now;
    this.#nextPing = now + heartbeatMs;
  }

  /** It has authenticated or subscribed, and may stay. */
  admit(): void {
    this.#admitBy = Number.POSITIVE_INFINITY;
  }

  /** Records a sign of life. */
  heard(now: number): void {
    this.#heardAt = now;
  }

  /**
   * Whether, and why, the connection has to be closed.
   * @param isAsking Whether requests that may admit it are being processed.
   */
  verdict(now: number, isAsking: boolean): Verdict | null {
    if (now >= this.#admitBy && !isAsking) {
      return { code: CLOSE.admissionTimeout, reason: 'neither authenticated nor subscribed within 10 s' };
    }
    if (now < this.#silentAt) return null;
    return { code: CLOSE.heartbeatLost, reason: 'no sign of life for 2.5 heartbeat intervals' };
  }

  /** Whether to ping now; if so, the next ping is due an interval later. */
  takePing(now: number): boolean {
    if (now < this.#nextPing) return false;
    this.#nextPing = now + this.#heartbeatMs;
    return this.#ping();
  }

  /**
   * Whether to ping after what was just sent. The system may buffer megabytes for a slow reader, and a ping behind all of them would be
   * answered too late; with pings in between, the reader answers as it reads.
   * @param bytes The length of what was sent.
   */
  takePingAfter(bytes: number): boolean {
    this.#bytesSincePing += bytes;
    return this.#bytesSincePing >= BYTES_PER_PING && this.#ping();
  }

  /** Whether a pong answers one of our pings. */
  takePong(): boolean {
    if (this.#unansweredPings === 0) return false;
    this.#unansweredPings -= 1;
    return true;
  }

  /** When (service ms) to check again. */
  nextLook(now: number): number {
    // After the admission deadline, it waits for the requests being processed.
    return Math.min(Math.max(this.#admitBy, now + 1), this.#silentAt, this.#nextPing);
  }

  #ping(): true {
    this.#bytesSincePing = 0;
    this.#unansweredPings += 1;
    return true;
  }

  get #silentAt(): number {
    return this.#heardAt + LIMITS.missedHeartbeats * this.#heartbeatMs;
  }
}
