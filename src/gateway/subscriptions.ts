import { ProtocolError } from '../protocol/errors.js';
import { type Filter, parseFilter } from '../protocol/filter.js';
import type { Up } from '../protocol/frames-up.js';
import { LIMITS } from '../protocol/limits.js';
import type { Client } from './clients.js';
import type { WindowLimiter } from '../lib/window-limiter.js';
import type { GatewaySettings } from './settings.js';
import type { StreamHub } from '../streams/stream-hub.js';
import type { Subscriber, Subscription } from '../streams/stream.js';

/** What subscriptions need of the hub that they belong to. */
export interface SubscriptionHost {
  readonly streams: StreamHub;
  readonly settings: GatewaySettings;
  /** Counts the subscriptions that client addresses begin. */
  readonly subscribes: WindowLimiter;
  /** Service milliseconds. */
  readonly now: number;
}

/** What one connection is subscribed to, by the names of the streams. */
export class Subscriptions {
  readonly #host: SubscriptionHost;
  readonly #streams: StreamHub;
  readonly #subscriber: Subscriber;
  readonly #client: Client;
  readonly #byStream = new Map<string, Subscription>();
  #isOver = false;

  constructor(host: SubscriptionHost, subscriber: Subscriber, client: Client) {
    this.#host = host;
    this.#streams = host.streams;
    this.#subscriber = subscriber;
    this.#client = client;
  }

  get size(): number {
    return this.#byStream.size;
  }

  /** @throws ProtocolError when the filter is not valid, or there are too many subscriptions. */
  subscribe(frame: Up<'subscribe'>): void {
    const filter = parseFilter(frame.filter);
    this.#spend();
    const present = [...this.#byStream.values()].find((one) => this.#streams.isFor(one, filter));
    if (present === undefined) this.#checkLimits(filter);
    const subscription = this.#streams.subscribe(this.#subscriber, frame.id, filter, frame.resume ?? null);
    this.#client.subscriptions += 1;
    // Only now, so that the stream, and with it its name, stays the same.
    if (present !== undefined) this.#end(present);
    if (this.#isOver) this.#end(subscription);
    else this.#byStream.set(subscription.stream.name, subscription);
  }

  /** @throws ProtocolError when the connection is not subscribed to that. */
  unsubscribe(frame: Up<'unsubscribe'>): void {
    const subscription = this.#byStream.get(frame.stream);
    if (subscription === undefined) {
      throw new ProtocolError(
        'WS_001',
        `unsubscribe: this connection is not subscribed to ${JSON.stringify(frame.stream)}`,
      );
    }
    this.#byStream.delete(frame.stream);
    this.#end(subscription);
  }

  /** Sends all on towards the present, as far as the connection takes it. */
  advance(): void {
    for (const subscription of this.#byStream.values()) this.#streams.advance(subscription);
  }

  /**
   * Sends a bookmark, which speaks for all streams of the connection, so all of them have to be there.
   * @returns Service ms when to try again.
   */
  bookmark(now: number): number {
    this.#streams.flush();
    const subscriptions = [...this.#byStream.values()];
    if (this.#subscriber.writable && subscriptions.every(({ state }) => state === 'live')) {
      if (!subscriptions.every((one) => this.#streams.isCurrent(one))) return now + 1;
      const { codec } = this.#subscriber;
      this.#subscriber.send(codec.encode({ type: 'bookmark', cursor: this.#streams.cursor }));
    }
    return now + LIMITS.bookmarkMs;
  }

  /** Ends all of them, and those that are just beginning. */
  end(): void {
    this.#isOver = true;
    for (const subscription of this.#byStream.values()) this.#end(subscription);
    this.#byStream.clear();
  }

  #end(subscription: Subscription): void {
    this.#client.subscriptions -= 1;
    this.#streams.unsubscribe(subscription);
  }

  /** Each costs a search, and maybe a snapshot or what was missed, so they are counted, whatever comes of them. */
  #spend(): void {
    const { address } = this.#client;
    const wait = this.#host.subscribes.spend(address, this.#host.now);
    if (wait === 0) return;
    throw new ProtocolError(
      'RATE_006',
      `more than ${String(this.#host.settings.subscribesPerMinute)} subscriptions were begun in a minute from ${address}; try again in ${String(wait)} s`,
    );
  }

  #checkLimits(filter: Filter): void {
    const { maxSubscriptions, maxSubscriptionsPerAddress, maxFilters } = this.#host.settings;
    const { address, subscriptions } = this.#client;
    if (this.#byStream.size >= maxSubscriptions) {
      throw new ProtocolError(
        'WS_003',
        `this connection has ${String(maxSubscriptions)} subscriptions already; unsubscribe from one first`,
      );
    }
    if (maxSubscriptionsPerAddress > 0 && subscriptions >= maxSubscriptionsPerAddress) {
      throw new ProtocolError(
        'WS_004',
        `the connections of ${address} have ${String(subscriptions)} subscriptions already, as many as one address may have; unsubscribe from one first`,
      );
    }
    if (this.#streams.streams >= maxFilters && !this.#streams.has(filter)) {
      throw new ProtocolError(
        'WS_005',
        `${String(maxFilters)} different filters are in use, as many as the hub takes; use a wider one that others use as well, such as {}, or try again later`,
      );
    }
  }
}
