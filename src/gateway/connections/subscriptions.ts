import { ProtocolError } from '../../protocol/errors.js';
import { type Filter, parseFilter } from '../../protocol/filters/filter.js';
import { type First, firstOf } from '../../protocol/filters/first.js';
import type { Up } from '../../protocol/frames/frames-up.js';
import type { Client } from '../clients.js';
import type { StreamHub } from '../../streams/stream-hub.js';
import type { Stream, Subscriber, Subscription } from '../../streams/stream.js';
import { checkSubscriptionRoom, spendSubscription, type SubscriptionHost } from './subscription-room.js';

/** One connection's subscriptions, by stream name. */
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

  /** @throws ProtocolError if the filter is invalid, or there are too many subscriptions. */
  subscribe(frame: Up<'subscribe'>): void {
    const filter = parseFilter(frame.filter);
    const first = firstOf(frame);
    spendSubscription(this.#host, this.#client.address);
    const stream = this.#streams.find(filter, first);
    const present = stream === undefined ? undefined : this.#byStream.get(stream.name);
    if (present === undefined) this.#checkRoom(filter, first, stream);
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

  /** @throws ProtocolError if the connection is not subscribed to the stream. */
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

  /** Brings all subscriptions closer to the present, as far as the connection accepts frames. */
  advance(): void {
    for (const subscription of this.#byStream.values()) this.#streams.advance(subscription);
  }

  /**
   * Sends a bookmark. It speaks for all streams of the connection, so all of them have to be at its cursor.
   * @returns Whether it could be sent.
   */
  bookmark(): boolean {
    const { writable, codec } = this.#subscriber;
    const cursor = writable ? this.#streams.commonCursor([...this.#byStream.values()]) : null;
    // Checking may have sent what was due, and filled the outbox.
    if (cursor === null || !this.#subscriber.writable) return false;
    const frame = { type: 'bookmark', cursor };
    this.#subscriber.send(codec.wrap(frame, codec.encode(frame)));
    return true;
  }

  /** Ends all subscriptions, including those just starting. */
  end(): void {
    this.#isOver = true;
    for (const subscription of this.#byStream.values()) this.#end(subscription);
    this.#byStream.clear();
  }

  #end(subscription: Subscription): void {
    this.#client.subscriptions -= subscription.stream.weight;
    this.#streams.unsubscribe(subscription);
  }

  /** @param stream The stream of the filter, or of its first matches, if there is one. */
  #checkRoom(filter: Filter, first: First | null, stream: Stream | undefined): void {
    const { maxSubscriptions } = this.#host.settings;
    if (this.#byStream.size >= maxSubscriptions) {
      throw new ProtocolError(
        'WS_003',
        `this connection has ${String(maxSubscriptions)} subscriptions already; unsubscribe from one first`,
      );
    }
    checkSubscriptionRoom(this.#host, this.#client, { filter, first }, stream);
  }
}
