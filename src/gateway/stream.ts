import type { Filter } from '../protocol/filter.js';
import type { GoneReason } from '../registry/change-log.js';
import type { Predicate } from '../registry/predicate.js';
import type { Subscription } from './subscription.js';

/** What happened to one provider since a stream's subscribers were last told. */
export interface Difference {
  /** Whether the subscribers hold it. */
  held: boolean;
  /** Why it went, the last time it did. */
  reason: GoneReason | null;
}

/** A filter that somebody is subscribed to. Equal filters are one stream. */
export interface Stream {
  /** What clients call it. */
  readonly name: string;
  readonly filter: Filter;
  /** Its bit in the filter index. */
  readonly handle: number;
  readonly predicate: Predicate;
  readonly subscriptions: Set<Subscription>;
  /** Changes since the last flush, by provider, in the order of their last change. */
  pending: Map<string, Difference>;
}

/** Notes a change until the next flush; several of one provider become one. */
export function noteChange(
  stream: Stream,
  providerId: string,
  held: boolean,
  reason: GoneReason | null,
): void {
  const known = stream.pending.get(providerId);
  if (known === undefined) {
    stream.pending.set(providerId, { held, reason });
    return;
  }
  stream.pending.delete(providerId);
  stream.pending.set(providerId, { held: known.held, reason: reason ?? known.reason });
}
