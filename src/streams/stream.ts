import type { Codec, WireName } from '../protocol/frames/codec.js';
import type { Filter } from '../protocol/filters/filter.js';
import type { RequestId } from '../protocol/frames/frames-up.js';
import type { ConditionTest } from '../registry/answers/tests.js';
import type { Predicate } from '../registry/store/predicate.js';
import type { Snapshot } from './snapshot.js';
import type { Top } from './top/top.js';
import type { Account } from '../lib/turns/turns.js';

/** A change that a stream's subscribers have not been told yet. For first matches, it only marks that there is one. */
export interface Note {
  providerId: string;
  /** Whether the subscribers hold the provider. */
  held: boolean;
}

/** A filter, or its first matches, with at least one subscriber. Equal ones share a stream. */
export interface Stream {
  /** Its name on the wire. */
  readonly name: string;
  /** See `filterKey`. */
  readonly key: string;
  /** How many subscriptions one to it counts as: see `filterWeight`. */
  readonly weight: number;
  /** Its handle in the filter index. */
  readonly handle: number;
  readonly filter: Filter;
  readonly predicate: Predicate;
  /** The first matches, if it is limited to those. */
  readonly top: Top | null;
  /** Its conditions one by one; null until first needed for visibility. */
  tests: readonly ConditionTest[] | null;
  readonly subscriptions: Set<Subscription>;
  /** How many subscribers use each codec. */
  readonly codecs: Map<WireName, number>;
  /** Changes since the stream's last flush, in order. */
  notes: Note[];
  /** The position that the notes start from; meaningless while there are none. */
  base: number;
  /** The position up to which notes have been flushed, even if they cancelled out; nobody was told of the states in between. */
  settled: number;
  /** The flush that has not reached all subscribers yet; changes meanwhile are merged. */
  delivery: Delivery | null;
  /** Subscriptions that can only join after the next flush. */
  readonly latecomers: Set<Subscription>;
  /** The latest snapshot, while somebody is reading it. */
  snapshot: Snapshot | null;
}

/** A stream of the first matches. */
export type RankedStream = Stream & { readonly top: Top };

export function isRanked(stream: Stream): stream is RankedStream {
  return stream.top !== null;
}

/** What a subscription needs from its connection. */
export interface Subscriber {
  readonly codec: Codec;
  /** Whether its requests are read in turns and already charged for their work. */
  readonly isPaced?: boolean;
  /** The account that its snapshots and resumes are charged to. */
  readonly account: Account;
  /** False while so much is queued that stream events are held back. */
  readonly writable: boolean;
  /** May end the connection and all its subscriptions, but must not change the registry before it returns. */
  send(frame: Uint8Array): void;
  /** Ends all its subscriptions, because it cannot keep up. */
  fallBehind(reason: string): void;
  /** Ends all its subscriptions after an unexpected error. */
  fail(): void;
}

/**
 * One connection's interest in one stream.
 * - `asked`: not answered yet; holds nothing.
 * - `reading`: being sent its snapshot; what it holds is true at no cursor yet.
 * - `waiting`: holds the state at `seq`; the change log tells what it misses once its connection accepts more.
 * - `live`: gets every flush in turn; joined or was last told of changes at `seq`.
 */
export interface Subscription {
  readonly stream: Stream;
  readonly subscriber: Subscriber;
  /** The request id, and the cursor to resume from. */
  readonly request: { id: RequestId; resume: string | null };
  state: 'asked' | 'reading' | 'waiting' | 'live';
  seq: number;
  /** The snapshot being read, and the slot to continue from, `next`. */
  snapshot: Snapshot | null;
  next: number;
}

/** One flush of a stream, on its way to the subscribers that hold the state before it. */
export interface Delivery {
  readonly stream: Stream;
  /** The position that its frame leads to. */
  readonly seq: number;
  /** The position that its frame starts from. */
  readonly base: number;
  /** The frame, in each codec in use. */
  readonly frames: Readonly<Partial<Record<WireName, Uint8Array>>>;
  /** The subscribers still to be visited. */
  readonly rest: Iterator<Subscription, undefined>;
}

/** Merges several changes of a provider into one: at the position of the last, with the state before the first. */
export function mergeNotes(notes: readonly Note[]): Map<string, boolean> {
  const merged = new Map<string, boolean>();
  for (const { providerId, held } of notes) {
    const before = merged.get(providerId);
    if (before !== undefined) merged.delete(providerId);
    merged.set(providerId, before ?? held);
  }
  return merged;
}
