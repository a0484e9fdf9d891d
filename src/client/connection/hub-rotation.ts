import type { HubUrl } from '../hub-url.js';
import { Backoff } from './backoff.js';

/** Milliseconds that the wait for a hub stays below which could be dialled at once: those who lost another one come together. */
const SPREAD_MS = 500;

interface Place {
  readonly hub: HubUrl;
  readonly backoff: Backoff;
  /** When it failed last, and how long it is left alone from then on, in milliseconds. */
  failedAt: number;
  waitMs: number;
}

/**
 * Which of several hubs to dial, and when: the present one until it fails, then whichever may be tried first. Each has a backoff of its
 * own, so one that is away for long costs nobody anything. With a single hub it is its backoff.
 */
export class HubRotation {
  readonly #random: () => number;
  readonly #now: () => number;
  /** The present one first, then those that have not been tried for longest. */
  readonly #places: Place[];

  /**
   * @param hubs At least one, in the order in which they are tried first.
   * @param random From 0 up to, not including, 1.
   * @param now Milliseconds; may jump.
   */
  constructor(hubs: readonly HubUrl[], random: () => number, now: () => number) {
    this.#random = random;
    this.#now = now;
    this.#places = hubs.map((hub) => ({ hub, backoff: new Backoff(random), failedAt: 0, waitMs: 0 }));
  }

  /** The present one. */
  get hub(): HubUrl {
    return this.#places[0]!.hub;
  }

  /** The present one has been there for a while: its failures are forgotten. */
  stable(): void {
    this.#places[0]!.backoff.reset();
  }

  /**
   * The present one has failed: another one may be the present one now.
   * @param atLeastMs How long it asks to be left alone.
   * @returns Milliseconds to wait before the present one is dialled.
   */
  failed(atLeastMs = 0): number {
    const lost = this.#places.shift()!;
    lost.failedAt = this.#now();
    lost.waitMs = lost.backoff.next(atLeastMs);
    this.#places.push(lost);
    const waits = this.#places.map((place) => this.#waitFor(place));
    const soonest = Math.min(...waits);
    const next = waits.indexOf(soonest);
    this.#places.unshift(...this.#places.splice(next, 1));
    const isAnother = this.#places[0] !== lost;
    return isAnother && soonest === 0 ? Math.floor(this.#random() * SPREAD_MS) : soonest;
  }

  #waitFor({ failedAt, waitMs }: Place): number {
    const elapsed = this.#now() - failedAt;
    // A clock that was set back tells nothing.
    return elapsed < 0 ? 0 : Math.max(0, waitMs - elapsed);
  }
}
