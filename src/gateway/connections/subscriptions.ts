import { ProtocolError } from '../../protocol/errors.js';
import { type Filter, parseFilter } from '../../protocol/filters/filter.js';
import { type First, firstOf } from '../../protocol/filters/first.js';
import type { Up } from '../../protocol/frames/frames-up.js';
import type { Client } from '../clients.js';
import type { WindowLimiter } from '../../lib/window-limiter.js';
import type { GatewayJournal, GatewaySettings } from '../settings.js';
import { filterWeight } from '../../streams/filter-key.js';
import type { StreamHub } from '../../streams/stream-hub.js';
import type { Stream, Subscriber, Subscription } from '../../streams/stream.js';

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
    const first = firstOf(frame);
    this.#spend();
    const stream = this.#streams.find(filter, first);
    const present = stream === undefined ? undefined : this.#byStream.get(stream.name);
    if (present === undefined) this.#checkLimits(filter, first, stream);
    const { id, resume = null } = frame;
    const options = { first, replaced: present };
    const subscription = this.#streams.subscribe(this.#subscriber, id, filter, resume, options);
    this.#client.subscriptions += subscription.stream.weight;
    if (this.#isOver) {
      this.#end(subscription);
      return;
    }
    if (present !== undefined) this.#end(present);
    this.#byStream.set(subscription.stream.name, subscription);
    this.#host.journal.subscribed(subscription.stream.name, this.#client.address);
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
   * Sends a bookmark, which speaks for all streams of the connection, so all of them have to stand at its cursor.
   * @returns Whether it could be sent.
   */
  bookmark(): boolean {
    const { writable, codec } = this.#subscriber;
    const cursor = writable ? this.#streams.commonCursor([...this.#byStream.values()]) : null;
    // Asking may have sent what was due, and filled the outbox.
    if (cursor === null || !this.#subscriber.writable) return false;
    this.#subscriber.send(codec.encode({ type: 'bookmark', cursor }));
    return true;
  }

  /** Ends all of them, and those that are just beginning. */
  end(): void {
    this.#isOver = true;
    for (const subscription of this.#byStream.values()) this.#end(subscription);
    this.#byStream.clear();
  }

  #end(subscription: Subscription): void {
    this.#client.subscriptions -= subscription.stream.weight;
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

  /** @param stream That of the filter, or of its first matches, if it has one. */
  #checkLimits(filter: Filter, first: First | null, stream: Stream | undefined): void {
    const { maxSubscriptions, maxSubscriptionsPerAddress, maxFilters } = this.#host.settings;
    const { address, subscriptions } = this.#client;
    const weight = stream?.weight ?? filterWeight(filter, first);
    const counts =
      weight === 1
        ? ''
        : `; by the number of its values and its limit, this filter counts as ${String(weight)}`;
    if (this.#byStream.size >= maxSubscriptions) {
      throw new ProtocolError(
        'WS_003',
        `this connection has ${String(maxSubscriptions)} subscriptions already; unsubscribe from one first`,
      );
    }
    if (maxSubscriptionsPerAddress > 0 && subscriptions + weight > maxSubscriptionsPerAddress) {
      throw new ProtocolError(
        'WS_004',
        `the connections of ${address} have ${String(subscriptions)} subscriptions already, and one address may have ${String(maxSubscriptionsPerAddress)}${counts}; unsubscribe from one first`,
      );
    }
    if (stream === undefined && this.#streams.weight + weight > maxFilters) {
      throw new ProtocolError(
        'WS_005',
        `${String(this.#streams.weight)} different filters are in use, and the hub takes ${String(maxFilters)}${counts}; use a wider one that others use as well, such as {}, or try again later`,
      );
    }
  }
}
