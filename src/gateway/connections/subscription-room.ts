import type { WindowLimiter } from '../../lib/limits/window-limiter.js';
import { ProtocolError } from '../../protocol/errors.js';
import type { Filter } from '../../protocol/filters/filter.js';
import type { First } from '../../protocol/filters/first.js';
import { filterWeight } from '../../streams/filter-key.js';
import type { StreamHub } from '../../streams/stream-hub.js';
import type { Stream } from '../../streams/stream.js';
import type { GatewayJournal, GatewaySettings } from '../settings.js';

/** What subscriptions need from the gateway. */
export interface SubscriptionHost {
  readonly streams: StreamHub;
  readonly settings: GatewaySettings;
  readonly journal: GatewayJournal;
  /** Counts new subscriptions by client address. */
  readonly subscribes: WindowLimiter;
  /** Service milliseconds. */
  readonly now: number;
}

/** A client address, and the weight of its subscriptions. */
export interface SubscribingAddress {
  readonly address: string;
  readonly subscriptions: number;
}

/**
 * Counts a new subscription of an address. Each costs a search, and maybe a snapshot or a catch-up, whatever comes of it.
 * @throws ProtocolError `RATE_006`.
 */
export function spendSubscription(host: SubscriptionHost, address: string): void {
  const wait = host.subscribes.spend(address, host.now);
  if (wait === 0) return;
  throw new ProtocolError(
    'RATE_006',
    `more than ${String(host.settings.subscribesPerMinute)} new subscriptions in a minute from ${address}; try again in ${String(wait)} s`,
    { retryAfterSeconds: wait },
  );
}

/**
 * Checks that an address has room for subscriptions of this weight.
 * @param why Text explaining why it counts as more than one; empty if it does not.
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
 * Checks that an address may subscribe to another filter.
 * @param stream The stream of the filter, or of its first matches, if there is one.
 * @throws ProtocolError `WS_004` if the address has too many, `WS_005` if too many different filters are in use.
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
    weight === 1 ? '' : `; because of its values and its limit, this filter counts as ${String(weight)}`;
  checkAddressRoom(host.settings, address, weight, counts);
  if (stream === undefined && host.streams.weight + weight > maxFilters) {
    throw new ProtocolError(
      'WS_005',
      `${String(host.streams.weight)} different filters are in use, and the hub allows ${String(maxFilters)}${counts}; use a broader one that others use as well, such as {}, or try again later`,
    );
  }
}
