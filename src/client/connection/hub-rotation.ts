import type { DiscoveryError } from '../errors.js';
import type { HubUrl } from '../hub-url.js';
import { Backoff } from './backoff.js';

/** Upper bound of the wait before dialling a hub that has no backoff, in milliseconds: all clients that lost another hub come at once. */
const SPREAD_MS = 500;

interface Place {
  readonly hub: HubUrl;
  readonly backoff: Backoff;
  /** When it last failed, how long it is left alone after that, and how much of that it asked for, in milliseconds. */
  failedAt: number;
  waitMs: number;
  askedMs: number;
}

/**
 * Decides which of several hubs to dial, and when: the present one until it fails, then whichever may be tried first. Each has its own
 * backoff, so one that is down for long slows nobody down. With a single hub, this is its backoff.
 */
export class HubRotation {
  readonly #random: () => number;
  readonly #now: () => number;
  /** The present one first, then the least recently tried. */
  readonly #places: Place[];

  /**
   * @param hubs At least one, in the order in which they are tried first.
   * @param random From 0 up to, not including, 1.
   * @param now Milliseconds; may jump.
   */
  constructor(hubs: readonly HubUrl[], random: () => number, now: () => number) {
    this.#random = random;
    this.#now = now;
    this.#places = hubs.map((hub) => ({
      hub,
      backoff: new Backoff(random),
      failedAt: 0,
      waitMs: 0,
      askedMs: 0,
    }));
  }

  /** The present hub. */
  get hub(): HubUrl {
    return this.#places[0]!.hub;
  }

  /** Whether the present hub has asked to be left alone, and still may be. */
  get asksForPatience(): boolean {
    const { failedAt, askedMs } = this.#places[0]!;
    return this.#rest(failedAt, askedMs) > 0;
  }

  /** The present hub has been up for a while: forgets its failures. */
  stable(): void {
    this.#places[0]!.backoff.reset();
  }

  /**
   * The present hub has failed; another may become the present one.
   * @param atLeastMs How long the failed hub is left alone at least.
   * @param askedMs How much of that it asked for.
   * @returns Milliseconds to wait before dialling the present hub.
   */
  failed(atLeastMs = 0, askedMs = atLeastMs): number {
    const lost = this.#places.shift()!;
    lost.failedAt = this.#now();
    lost.askedMs = askedMs;
    lost.waitMs = lost.backoff.next(atLeastMs);
    this.#places.push(lost);
    const waits = this.#places.map((place) => this.#waitFor(place));
    const soonest = Math.min(...waits);
    const next = waits.indexOf(soonest);
    this.#places.unshift(...this.#places.splice(next, 1));
    const isAnother = this.#places[0] !== lost;
    return isAnother && soonest === 0 ? Math.floor(this.#random() * SPREAD_MS) : soonest;
  }

  /** As `failed`, for the reason given. */
  lost({ code, retryAfterSeconds }: DiscoveryError): number {
    const atLeastMs = (retryAfterSeconds ?? 0) * 1000;
    // The `retry` of a stream spreads clients that come back by themselves; only a refusal asks for patience.
    return this.failed(atLeastMs, code === 'NETWORK' ? 0 : atLeastMs);
  }

  #waitFor({ failedAt, waitMs }: Place): number {
    return this.#rest(failedAt, waitMs);
  }

  #rest(failedAt: number, ms: number): number {
    const elapsed = this.#now() - failedAt;
    // If the clock was set back, the times mean nothing.
    return elapsed < 0 ? 0 : Math.max(0, ms - elapsed);
  }
}
