import type { PublishedAdvertisement } from '../../protocol/advertisement.js';
import type { RemovalReason } from '../../protocol/frames/frames-down.js';
import { differByHeartbeatOnly } from '../content.js';

/**
 * One change to a watched set of matches.
 * - `removed` carries the advertisement as last known. Its reason is the hub's, or `missed`: it left while there was no connection, and the
 *   hub no longer knows why.
 */
export type Change =
  | {
      /** It matches, and did not before. */
      readonly type: 'added';
      /** As it is now. */
      readonly advertisement: PublishedAdvertisement;
    }
  | {
      /** It matches as before, and says something else. */
      readonly type: 'updated';
      /** As it is now. */
      readonly advertisement: PublishedAdvertisement;
      /** As it was until now. */
      readonly previous: PublishedAdvertisement;
    }
  | {
      /** It matches no more. */
      readonly type: 'removed';
      /** As it was last known. */
      readonly advertisement: PublishedAdvertisement;
      /** Why it left; `missed` where the hub no longer knows. */
      readonly reason: RemovalReason | 'missed';
    };

/** A provider's transition from one state to another; null means absent. */
export interface Transition {
  before: PublishedAdvertisement | null;
  after: PublishedAdvertisement | null;
  /** Why it was removed, if it was. */
  reason: RemovalReason | 'missed';
}

/** The change for a transition; null if there is none, or only heartbeats. */
export function changeOf({ before, after, reason }: Transition): Change | null {
  if (after === null) return before === null ? null : { type: 'removed', advertisement: before, reason };
  if (before === null) return { type: 'added', advertisement: after };
  if (differByHeartbeatOnly(before, after)) return null;
  return { type: 'updated', advertisement: after, previous: before };
}

interface Reader {
  resolve: (result: IteratorResult<Change, undefined>) => void;
  reject: (error: Error) => void;
}

/**
 * The changes that one consumer has not taken yet: at most one per provider. Changes of the same provider are merged into their net effect on
 * what the consumer knows, so a slow consumer gets fewer changes, not older ones, and the queue never holds more entries than there are
 * providers that come or go.
 */
export class ChangeQueue implements AsyncIterableIterator<Change, undefined, undefined> {
  readonly #waiting = new Map<string, Transition>();
  readonly #readers: Reader[] = [];
  readonly #onReturn: (queue: ChangeQueue) => void;
  #end: { error: Error | null } | null = null;

  /** @param onReturn Called when the consumer stops iterating. */
  constructor(onReturn: (queue: ChangeQueue) => void) {
    this.#onReturn = onReturn;
  }

  /** Providers with a pending change. */
  get size(): number {
    return this.#waiting.size;
  }

  push(providerId: string, transition: Transition): void {
    if (this.#end !== null) return;
    const known = this.#waiting.get(providerId);
    const merged = known === undefined ? transition : { ...transition, before: known.before };
    const change = changeOf(merged);
    if (change === null) {
      this.#waiting.delete(providerId);
      return;
    }
    const reader = this.#readers.shift();
    if (reader === undefined) this.#waiting.set(providerId, merged);
    else reader.resolve({ done: false, value: change });
  }

  /** No more changes will come. With an error, pending changes are still delivered before it. */
  finish(error: Error | null): void {
    if (this.#end !== null) return;
    this.#end = { error };
    if (error === null) this.#waiting.clear();
    for (const reader of this.#readers.splice(0)) this.#conclude(reader);
  }

  next(): Promise<IteratorResult<Change, undefined>> {
    return new Promise((resolve, reject) => {
      for (const [providerId, transition] of this.#waiting) {
        this.#waiting.delete(providerId);
        // Never null: changes that cancel out do not stay in the queue.
        resolve({ done: false, value: changeOf(transition)! });
        return;
      }
      if (this.#end === null) this.#readers.push({ resolve, reject });
      else this.#conclude({ resolve, reject });
    });
  }

  return(): Promise<IteratorResult<Change, undefined>> {
    this.finish(null);
    this.#waiting.clear();
    this.#onReturn(this);
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Signals the end to a consumer: the error once, afterwards simply done. */
  #conclude({ resolve, reject }: Reader): void {
    const error = this.#end?.error ?? null;
    this.#end = { error: null };
    if (error === null) resolve({ done: true, value: undefined });
    else reject(error);
  }
}
