import type { GoneReason } from '../../registry/change-log.js';
import type { Registry } from '../../registry/registry.js';
import type { NetEvent } from '../event-encoder.js';
import type { RankedStream } from '../stream.js';
import type { Told } from './top.js';

/**
 * The events that update subscribers from what they were last told: providers no longer among the first, then those that are new or have
 * changed, in order. The first matches must be known.
 * @param reasonOf Why a provider was last removed.
 */
export function topEvents(
  { store, changes }: Registry,
  { top, predicate }: RankedStream,
  { ids, change }: Told,
  reasonOf: (providerId: string) => GoneReason | null,
): NetEvent[] {
  const { first } = top;
  const present = new Set(first.map(({ id }) => id));
  const events: NetEvent[] = [];
  for (const providerId of ids) {
    if (present.has(providerId)) continue;
    const slot = store.find(providerId);
    const isMatch = slot !== undefined && predicate.matches(store.attributes, slot);
    const departed = slot === undefined ? (reasonOf(providerId) ?? 'expired') : 'unmatched';
    events.push({ op: 'removed', providerId, reason: isMatch ? 'outranked' : departed });
  }
  for (const { slot, id } of first) {
    if (!ids.has(id)) events.push({ op: 'added', slot });
    else if (changes.latestIn(slot) > change) events.push({ op: 'updated', slot });
  }
  return events;
}
