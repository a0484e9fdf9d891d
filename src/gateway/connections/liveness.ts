import { CLOSE, type CloseCode } from '../../protocol/frames/close-codes.js';
import { LIMITS } from '../../protocol/limits.js';

/** A reader that takes so many bytes in 2.5 heartbeat intervals is alive: by default, 3.4 KiB a second. */
const BYTES_PER_PING = 256 * 1024;

/** Why a connection is closed. */
export interface Verdict {
  code: CloseCode;
  reason: string;
}

/** Whether one connection still counts as alive, when it is pinged, and how long it may stay without purpose. */
export class Liveness {
  readonly #heartbeatMs: number;
  /** When (service ms) it has to have authenticated or subscribed; infinity once it has. */
  #admitBy: number;
  /** When (service ms) it last gave a sign of life. */
  #heardAt: number;
  #nextPing: number;
  /** What it has been sent since the last ping. */
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

  /** It gave a sign of life. */
  heard(now: number): void {
    this.#heardAt = now;
  }

  /**
   * Whether the connection has to be given up.
   * @param isAsking Whether requests that may admit it are being worked on.
   */
  verdict(now: number, isAsking: boolean): Verdict | null {
    if (now >= this.#admitBy && !isAsking) {
      return { code: CLOSE.admissionTimeout, reason: 'neither authenticated nor subscribed within 10 s' };
    }
    if (now < this.#silentAt) return null;
    return { code: CLOSE.heartbeatLost, reason: 'no sign of life for 2.5 heartbeat intervals' };
  }

  /** Whether to ping now; the next ping is then due an interval later. */
  takePing(now: number): boolean {
    if (now < this.#nextPing) return false;
    this.#nextPing = now + this.#heartbeatMs;
    return this.#ping();
  }

  /**
   * Whether to ping behind what was just sent. The system may hold megabytes for a slow reader, and a ping behind all
   * of them would be answered too late; with pings in between, the reader answers as it reads.
   * @param bytes The length of what was sent.
   */
  takePingAfter(bytes: number): boolean {
    this.#bytesSincePing += bytes;
    return this.#bytesSincePing >= BYTES_PER_PING && this.#ping();
  }

  /** Whether a pong answers a ping that was sent. */
  takePong(): boolean {
    if (this.#unansweredPings === 0) return false;
    this.#unansweredPings -= 1;
    return true;
  }

  /** When (service ms) to look again. */
  nextLook(now: number): number {
    // Past the time of admission, it waits for the requests that are being worked on.
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
