import { ProtocolError } from '../../protocol/errors.js';
import type { Filter } from '../../protocol/filters/filter.js';
import type { First } from '../../protocol/filters/first.js';
import { COMMENT, EVENT_STREAM, FORGET, retryAfter } from '../../protocol/frames/event-stream.js';
import type { BodyStream, BodyStreamHandler, StreamedBody } from '../../protocol/http-message.js';
import { LIMITS } from '../../protocol/limits.js';
import type { Subscriber, Subscription } from '../../streams/stream.js';
import type { Client, Clients } from '../clients.js';
import {
  checkSubscriptionRoom,
  spendSubscription,
  type SubscriptionHost,
} from '../connections/subscription-room.js';
import { QUEUE } from '../settings.js';

/** Milliseconds between two comments, so that nothing between hub and reader considers the stream dead. */
const COMMENT_MS = 15_000;
/** The shortest and longest time after which readers reconnect, in milliseconds, spread to avoid a flood. */
const RETRY_MS = { least: 1000, most: 5000 };

/** What event readers need from the gateway. */
export interface EventHost extends SubscriptionHost {
  readonly clients: Clients;
  /** Unix milliseconds. */
  readonly wall: number;
}

/** A reader's request. */
export interface EventRequest {
  readonly filter: Filter;
  /** Order and limit of first matches; null for all matches. */
  readonly first: First | null;
  /** The cursor to resume from; null for a snapshot. */
  readonly resume: string | null;
  /** The client address, as limits count it. */
  readonly address: string;
}

/** A `retry` field with a random delay, so that readers whose streams end do not all reconnect at once. */
export function comeBackLater(): Uint8Array {
  return retryAfter(RETRY_MS.least + Math.floor(Math.random() * (RETRY_MS.most - RETRY_MS.least)));
}

/**
 * Starts an event reader.
 * @throws ProtocolError `RATE_006`, `WS_004` or `WS_005` if the address or the hub has too many subscriptions.
 */
export function readEvents(host: EventHost, request: EventRequest): StreamedBody {
  const { address, filter, first } = request;
  spendSubscription(host, address);
  const client = host.clients.find(address) ?? { address, subscriptions: 0 };
  checkSubscriptionRoom(host, client, { filter, first }, host.streams.find(filter, first));
  return new EventReader(host, request);
}

/** One subscription, read as server-sent events. */
class EventReader implements StreamedBody, BodyStreamHandler, Subscriber {
  readonly codec = EVENT_STREAM;
  readonly #host: EventHost;
  readonly #request: EventRequest;
  #stream: BodyStream | null = null;
  #client: Client | null = null;
  #subscription: Subscription | null = null;
  #isOver = false;
  #nextComment = Number.POSITIVE_INFINITY;
  #nextBookmark = Number.POSITIVE_INFINITY;

  constructor(host: EventHost, request: EventRequest) {
    this.#host = host;
    this.#request = request;
  }

  // ---- what the transport calls -----------------------------------------------------------------------------

  open(stream: BodyStream): BodyStreamHandler {
    const { now, streams, clients, journal } = this.#host;
    const { address, filter, first, resume } = this.#request;
    this.#stream = stream;
    this.#client = clients.find(address)!;
    stream.send(comeBackLater());
    // A refused resume clears the last event id, so that the client cannot resume from the old cursor.
    if (resume !== null) stream.send(FORGET);
    this.#nextComment = now + COMMENT_MS;
    this.#nextBookmark = now + LIMITS.bookmarkMs;
    const subscription = streams.subscribe(this, 0, filter, resume, { first });
    // The first frames may already have been too much.
    if (this.#isOver) {
      streams.unsubscribe(subscription);
      return this;
    }
    this.#subscription = subscription;
    this.#client.subscriptions += subscription.stream.weight;
    journal.connected(address, EVENT_STREAM.name);
    journal.subscribed(subscription.stream.name, address);
    return this;
  }

  close(): void {
    this.#isOver = true;
  }

  emptied(): void {
    if (this.#subscription === null) return;
    this.#host.streams.advance(this.#subscription);
    this.#sendDueBookmark();
  }

  tick(): void {
    const { now } = this.#host;
    this.#sendDueBookmark();
    if (this.#isOver || now < this.#nextComment) return;
    this.#nextComment = now + COMMENT_MS;
    // A full one has something to read already.
    if (this.writable) this.#stream?.send(COMMENT);
  }

  closed(): void {
    this.#leave();
  }

  // ---- what its stream calls --------------------------------------------------------------------------------

  get account(): Client {
    return this.#client!;
  }

  get writable(): boolean {
    return !this.#isOver && this.#stream !== null && this.#stream.bufferedAmount <= QUEUE.highWaterBytes;
  }

  send(frame: Uint8Array): void {
    if (!this.#isOver) this.#stream?.send(frame);
  }

  fallBehind(reason: string): void {
    if (this.#isOver) return;
    const frame = { type: 'error', ...new ProtocolError('WS_4507', reason).toBody(this.#host.wall) };
    this.send(EVENT_STREAM.wrap({ type: 'error', cursor: null }, EVENT_STREAM.encode(frame)));
    this.#leave();
    this.#stream?.end();
  }

  fail(): void {
    this.#leave();
    this.#stream?.terminate();
  }

  #sendDueBookmark(): void {
    const { now, streams } = this.#host;
    const { writable } = this;
    if (this.#subscription === null || now < this.#nextBookmark || !writable) return;
    const cursor = streams.commonCursor([this.#subscription]);
    // Checking may have sent what was due.
    if (cursor === null || !this.writable) return;
    const frame = { type: 'bookmark', cursor };
    this.send(EVENT_STREAM.wrap(frame, EVENT_STREAM.encode(frame)));
    this.#nextBookmark = now + LIMITS.bookmarkMs;
  }

  #leave(): void {
    this.#isOver = true;
    if (this.#subscription === null) return;
    this.#client!.subscriptions -= this.#subscription.stream.weight;
    this.#host.streams.unsubscribe(this.#subscription);
    this.#subscription = null;
  }
}
