import type { ServiceClock } from '../lib/clock.js';
import type { Log } from './log.js';
import type { State } from './state.js';

/** How often heartbeats are written, in one batch, in milliseconds. */
const FLUSH_MS = 1000;
/** How far the written heartbeat of an open session may lag behind the real one, in milliseconds. */
export const FLUSH_LAG_MS = 2 * FLUSH_MS;
/** How many heartbeats are collected per tick. After a mass reconnect, the rest follows in the next ticks. */
const MAX_HEARTBEATS_PER_TICK = 4000;
/** How many expired advertisements are deleted from the log per tick; the rest follows in the next ticks. */
const MAX_REMOVED_PER_TICK = 5000;
/** How many bindings are checked per cleanup, one portion after another. */
const MAX_SWEPT_PER_CLEANUP = 50_000;

/** What the upkeep needs from its registry. */
export interface UpkeepHost {
  readonly state: State;
  readonly clock: ServiceClock;
  /** How often expired rows are deleted from the file, in milliseconds. */
  readonly cleanupMs: number;
  log(): Log;
  /** Whether a provider has a write in progress. */
  isWriting(providerId: string): boolean;
}

/** Hands the log what is no entry: heartbeats, in batches, and the expired rows that its file no longer needs. */
export class Upkeep {
  readonly #host: UpkeepHost;
  /** Providers whose heartbeat or session changed since the last flush. */
  readonly #touched = new Set<string>();
  /** Expired advertisements that are still in the file. */
  readonly #expired = new Set<string>();
  #nextFlush = 0;
  #nextCleanup: number;

  constructor(host: UpkeepHost) {
    this.#host = host;
    this.#nextCleanup = host.cleanupMs;
  }

  /** A provider's heartbeat or session changed. */
  touch(providerId: string): void {
    this.#touched.add(providerId);
  }

  /** An advertisement has expired, and is still in the file. */
  expired(providerId: string): void {
    this.#expired.add(providerId);
  }

  /** Advances time (service time, in milliseconds). */
  tick(now: number): void {
    if (now >= this.#nextFlush) {
      this.flush(MAX_HEARTBEATS_PER_TICK);
      this.#nextFlush = this.#touched.size > 0 ? now : now + FLUSH_MS;
    }
    if (now >= this.#nextCleanup) {
      // After a long down time, the rest follows in the next ticks.
      this.#nextCleanup = this.#cleanUp() ? now + this.#host.cleanupMs : now;
    }
  }

  /** Hands over the heartbeats since the last call, those waiting longest first. */
  flush(limit = Number.POSITIVE_INFINITY): void {
    const { store, sessions } = this.#host.state;
    const providerIds: string[] = [];
    for (const providerId of this.#touched) {
      if (providerIds.length === limit) break;
      this.#touched.delete(providerId);
      if (store.find(providerId) !== undefined) providerIds.push(providerId);
    }
    // An open session is a heartbeat that never ends.
    if (providerIds.length > 0 || sessions > 0) this.#save(providerIds);
  }

  /** Hands over the clock's anchor alone. */
  saveClock(): void {
    this.#save([]);
  }

  #save(providerIds: string[]): void {
    const { state, clock } = this.#host;
    const { store } = state;
    this.#host.log().saveHeartbeats({
      anchor: this.#touched.size === 0 ? clock.anchor : null,
      providerIds,
      updatedAt: Float64Array.from(providerIds, (id) => store.updatedAt(store.find(id)!)),
      attached: Uint8Array.from(providerIds, (id) => (state.sessionOf(id) === undefined ? 0 : 1)),
    });
  }

  /** Deletes expired rows from the file, a bounded number of them. @returns Whether none are left. */
  #cleanUp(): boolean {
    const { state, clock } = this.#host;
    this.saveClock();
    const now = clock.steady();
    const gone: string[] = [];
    const undecided: string[] = [];
    let looked = 0;
    for (const id of this.#expired) {
      if (looked === MAX_REMOVED_PER_TICK) break;
      looked += 1;
      this.#expired.delete(id);
      // A write in progress may already be queued ahead of this purge, which must not undo it.
      if (this.#host.isWriting(id)) undecided.push(id);
      else if (state.store.find(id) === undefined) gone.push(id);
    }
    const isComplete = this.#expired.size === 0;
    for (const id of undecided) this.#expired.add(id);
    this.#host.log().purge(gone, now);
    if (isComplete) state.identities.sweep(now, MAX_SWEPT_PER_CLEANUP);
    return isComplete;
  }
}
