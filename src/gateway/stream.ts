import type { CodecName } from '../protocol/codec.js';
import type { Filter } from '../protocol/filter.js';
import type { Predicate } from '../registry/predicate.js';
import type { Delivery } from './fan-out.js';
import type { Subscription } from './subscription.js';

/** A change that a stream's subscribers have not been told of. */
export interface Note {
  providerId: string;
  /** Whether they hold the provider. */
  held: boolean;
}

/** A filter that somebody is subscribed to. Equal filters are one stream. */
export interface Stream {
  /** What clients call it. */
  readonly name: string;
  readonly filter: Filter;
  /** Its number in the filter index. */
  readonly handle: number;
  readonly predicate: Predicate;
  readonly subscriptions: Set<Subscription>;
  /** How many of them use which codec. */
  readonly codecs: Map<CodecName, number>;
  /** Changes since the last flush of this stream, as they came. */
  notes: Note[];
  /** The sequence number whose truth the notes start from; means nothing while there are none. */
  base: number;
  /** What was flushed and has not reached all subscribers yet; what changes meanwhile is merged. */
  delivery: Delivery | null;
  /** Subscriptions that can only join once the notes have been flushed. */
  readonly latecomers: Set<Subscription>;
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
