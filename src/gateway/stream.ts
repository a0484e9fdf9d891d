import type { Filter } from '../protocol/filter.js';
import type { Predicate } from '../registry/predicate.js';
import type { Subscription } from './subscription.js';

/** A filter that somebody is subscribed to. Equal filters are one stream. */
export interface Stream {
  /** What clients call it. */
  readonly name: string;
  readonly filter: Filter;
  /** Its bit in the filter index. */
  readonly handle: number;
  readonly predicate: Predicate;
  readonly subscriptions: Set<Subscription>;
  /** Providers that changed since the last flush, in the order of their last changes, and whether subscribers hold them. */
  pending: Map<string, boolean>;
}

/** Notes a change until the next flush; several of one provider become one. */
export function noteChange(stream: Stream, providerId: string, held: boolean): void {
  const known = stream.pending.get(providerId);
  if (known !== undefined) stream.pending.delete(providerId);
  stream.pending.set(providerId, known ?? held);
}
