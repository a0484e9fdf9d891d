import type { Codec, WireName } from '../protocol/frames/codec.js';
import type { Filter } from '../protocol/filters/filter.js';
import type { RequestId } from '../protocol/frames/frames-up.js';
import type { ConditionTest } from '../registry/answers/tests.js';
import type { Predicate } from '../registry/store/predicate.js';
import type { Snapshot } from './snapshot.js';
import type { Top } from './top/top.js';
import type { Account } from '../lib/turns.js';

/** A change that a stream's subscribers have not been told of; of first matches it only says that there is one. */
export interface Note {
  providerId: string;
  /** Whether they hold the provider. */
  held: boolean;
}

/** A filter that somebody is subscribed to, or the first of its matches. Equal ones are one stream. */
export interface Stream {
  /** What clients call it. */
  readonly name: string;
  /** Tells what it is of from others. */
  readonly key: string;
  /** How many subscriptions one to it counts for, by what its filter takes to keep. */
  readonly weight: number;
  /** Its number in the filter index. */
  readonly handle: number;
  readonly filter: Filter;
  readonly predicate: Predicate;
  /** The first matches, where it is of those only. */
  readonly top: Top | null;
  /** Its conditions one by one; null until somebody asks who sees it. */
  tests: readonly ConditionTest[] | null;
  readonly subscriptions: Set<Subscription>;
  /** How many of them use which codec. */
  readonly codecs: Map<WireName, number>;
  /** Changes since the last flush of this stream, as they came. */
  notes: Note[];
  /** The sequence number whose truth the notes start from; means nothing while there are none. */
  base: number;
  /** Up to here notes have been flushed, also where they came to nothing: what was true in between was told to nobody. */
  settled: number;
  /** What was flushed and has not reached all subscribers yet; what changes meanwhile is merged. */
  delivery: Delivery | null;
  /** Subscriptions that can only join once the notes have been flushed. */
  readonly latecomers: Set<Subscription>;
  /** The snapshot that was begun last, while somebody reads it. */
  snapshot: Snapshot | null;
}

/** A stream of the first matches. */
export type RankedStream = Stream & { readonly top: Top };

export function isRanked(stream: Stream): stream is RankedStream {
  return stream.top !== null;
}

/** What a subscription needs of the connection it belongs to. */
export interface Subscriber {
  readonly codec: Codec;
  /** Whether its requests are read in turns, and what they take is charged as it is spent. */
  readonly isPaced?: boolean;
  /** Whom its snapshots and resumes are charged to. */
  readonly account: Account;
  /** False while so much waits that stream events are held back. */
  readonly writable: boolean;
  /** May end the connection and all its subscriptions, but does not change the registry before it returns. */
  send(frame: Uint8Array): void;
  /** Closes the connection with 4507. */
  fallBehind(reason: string): void;
  /** Closes the connection with 4500. */
  fail(): void;
}

/**
 * One connection's interest in one stream.
 * - `asked`: has not been answered; holds nothing yet.
 * - `reading`: is being sent its snapshot; holds no truth yet.
 * - `waiting`: holds the truth at `seq`; what it misses is looked up in the change log once it can take more.
 * - `live`: gets every flush as it happens, in its turn; it was told of changes or joined last at `seq`.
 */
export interface Subscription {
  readonly stream: Stream;
  readonly subscriber: Subscriber;
  /** The request, and the cursor that it asks to resume from. */
  readonly request: { id: RequestId; resume: string | null };
  state: 'asked' | 'reading' | 'waiting' | 'live';
  seq: number;
  /** What it reads, from its first frame to its last; it goes on with the slot `next`. */
  snapshot: Snapshot | null;
  next: number;
}

/** One flush of a stream, on its way to those that held the truth before it. */
export interface Delivery {
  readonly stream: Stream;
  /** The truth that its frame ends at. */
  readonly seq: number;
  /** The truth that its frame starts from. */
  readonly base: number;
  /** The frame, in each codec that a subscriber uses. */
  readonly frames: Readonly<Partial<Record<WireName, Uint8Array>>>;
  /** Those that have not been looked at. */
  readonly rest: Iterator<Subscription, undefined>;
}

/** Several changes of one provider become one: in the place of the last, from what was held before the first. */
export function mergeNotes(notes: readonly Note[]): Map<string, boolean> {
  const merged = new Map<string, boolean>();
  for (const { providerId, held } of notes) {
    const before = merged.get(providerId);
    if (before !== undefined) merged.delete(providerId);
    merged.set(providerId, before ?? held);
  }
  return merged;
}
