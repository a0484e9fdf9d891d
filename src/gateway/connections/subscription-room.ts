import type { WindowLimiter } from '../../lib/limits/window-limiter.js';
import { ProtocolError } from '../../protocol/errors.js';
import type { Filter } from '../../protocol/filters/filter.js';
import type { First } from '../../protocol/filters/first.js';
import { filterWeight } from '../../streams/filter-key.js';
import type { StreamHub } from '../../streams/stream-hub.js';
import type { Stream } from '../../streams/stream.js';
import type { GatewayJournal, GatewaySettings } from '../settings.js';

/** What subscriptions need of the hub that they belong to. */
export interface SubscriptionHost {
  readonly streams: StreamHub;
  readonly settings: GatewaySettings;
  readonly journal: GatewayJournal;
  /** Counts the subscriptions that client addresses begin. */
  readonly subscribes: WindowLimiter;
  /** Service milliseconds. */
  readonly now: number;
}

/** A client address, and what its subscriptions weigh. */
export interface SubscribingAddress {
  readonly address: string;
  readonly subscriptions: number;
}

/**
 * Counts a subscription that an address begins. Each costs a search, and maybe a snapshot or what was missed, whatever
 * comes of it.
 * @throws ProtocolError `RATE_006`.
 */
export function spendSubscription(host: SubscriptionHost, address: string): void {
  const wait = host.subscribes.spend(address, host.now);
  if (wait === 0) return;
  throw new ProtocolError(
    'RATE_006',
    `more than ${String(host.settings.subscribesPerMinute)} subscriptions were begun in a minute from ${address}; try again in ${String(wait)} s`,
    { retryAfterSeconds: wait },
  );
}

/**
 * Makes sure that an address may have so much more of subscriptions.
 * @param why What makes it count as more than one, to be told; empty where it does not.
 * @throws ProtocolError `WS_004`.
 */
export function checkAddressRoom(
  { maxSubscriptionsPerAddress }: GatewaySettings,
  { address, subscriptions }: SubscribingAddress,
  weight: number,
  why = '',
): void {
  if (maxSubscriptionsPerAddress === 0 || subscriptions + weight <= maxSubscriptionsPerAddress) return;
  throw new ProtocolError(
    'WS_004',
    `the connections of ${address} have ${String(subscriptions)} subscriptions already, and one address may have ${String(maxSubscriptionsPerAddress)}${why}; unsubscribe from one first`,
  );
}

/**
 * Makes sure that an address may subscribe to one more filter.
 * @param stream That of the filter, or of its first matches, if it has one.
 * @throws ProtocolError `WS_004` when the address has too many, `WS_005` when too many different filters are in use.
 */
export function checkSubscriptionRoom(
  host: SubscriptionHost,
  address: SubscribingAddress,
  { filter, first }: { filter: Filter; first: First | null },
  stream: Stream | undefined,
): void {
  const { maxFilters } = host.settings;
  const weight = stream?.weight ?? filterWeight(filter, first);
  const counts =
    weight === 1
      ? ''
      : `; by the number of its values and its limit, this filter counts as ${String(weight)}`;
  checkAddressRoom(host.settings, address, weight, counts);
  if (stream === undefined && host.streams.weight + weight > maxFilters) {
    throw new ProtocolError(
      'WS_005',
      `${String(host.streams.weight)} different filters are in use, and the hub takes ${String(maxFilters)}${counts}; use a wider one that others use as well, such as {}, or try again later`,
    );
  }
}
