import { ProtocolError } from '../../protocol/errors.js';
import type { Filter } from '../../protocol/filters/filter.js';
import { CODECS } from '../../protocol/frames/codec.js';
import type { Down } from '../../protocol/frames/frames-down.js';
import type { Subscriber, Subscription } from '../../streams/stream.js';
import type { Client } from '../clients.js';
import { checkSubscriptionRoom, spendSubscription } from '../connections/subscription-room.js';
import { STOPPING } from '../drain.js';
import type { EventHost } from './event-reader.js';

/** What waiting list requests need from the gateway. */
export interface WaitHost extends EventHost {
  /** Whether the hub is stopping and accepts nothing new. */
  readonly draining: boolean;
  /** Unix milliseconds that advance evenly, also between ticks. */
  readonly steady: number;
}

/** A list request to be answered once its matches have changed. */
export interface WaitRequest {
  readonly filter: Filter;
  /** The cursor whose matches the client knows. */
  readonly since: string;
  readonly seconds: number;
  /** The client address, as limits count it. */
  readonly address: string;
}

/** Waiting list requests. Each counts as a connection and a subscription of its client address. */
export class ListWaits {
  readonly #host: WaitHost;
  readonly #open = new Set<ListWait>();

  constructor(host: WaitHost) {
    this.#host = host;
  }

  get size(): number {
    return this.#open.size;
  }

  /**
   * Waits for a change.
   * @returns Null once the matches differ from those at the cursor, or those are no longer known; otherwise, after the wait or when the hub
   * stops, a cursor up to which they have not changed.
   * @throws ProtocolError `RATE_002`, `RATE_006`, `WS_004` or `WS_005` if the address or the hub has too many, `ADV_003` if the hub is
   * stopping.
   */
  wait(request: WaitRequest): Promise<string | null> {
    const { clients, settings, draining, streams, steady } = this.#host;
    const { address, filter, seconds } = request;
    if (draining) throw new ProtocolError('ADV_003', STOPPING, { unavailable: true, retryAfterSeconds: 5 });
    clients.checkRoom(address, settings.maxConnectionsPerAddress);
    spendSubscription(this.#host, address);
    const present = clients.find(address) ?? { address, subscriptions: 0 };
    checkSubscriptionRoom(this.#host, present, { filter, first: null }, streams.find(filter));
    const client = clients.enter(address);
    return new Promise((resolve) => {
      const wait = new ListWait(this.#host, request, client, steady + seconds * 1000, (cursor) => {
        this.#open.delete(wait);
        clients.leave(client);
        resolve(cursor);
      });
      this.#open.add(wait);
      wait.begin();
    });
  }

  /** Called on every tick of the gateway: ends the waits that are over. */
  tick(): void {
    const { steady, draining } = this.#host;
    for (const wait of this.#open) if (draining || steady >= wait.until) wait.giveUp();
  }
}

class ListWait implements Subscriber {
  readonly codec = CODECS.json;
  readonly account: Client;
  /** Steady: service time is that of the last tick, so that the wait would end too early. */
  readonly until: number;
  readonly #host: EventHost;
  readonly #request: WaitRequest;
  readonly #onEnd: (cursor: string | null) => void;
  #subscription: Subscription | null = null;
  #isAnswered = false;
  #isOver = false;

  /** @param onEnd Called once, with the result of `ListWaits.wait`. */
  constructor(
    host: EventHost,
    request: WaitRequest,
    client: Client,
    until: number,
    onEnd: (cursor: string | null) => void,
  ) {
    this.#host = host;
    this.#request = request;
    this.account = client;
    this.until = until;
    this.#onEnd = onEnd;
  }

  begin(): void {
    const { filter, since } = this.#request;
    const subscription = this.#host.streams.subscribe(this, 0, filter, since);
    this.#subscription = subscription;
    this.account.subscriptions += subscription.stream.weight;
    if (this.#isOver) this.#leave();
  }

  /** Nothing changed in time. */
  giveUp(): void {
    if (this.#subscription === null) return;
    const cursor = this.#host.streams.commonCursor([this.#subscription]);
    // Checking may have reported a change.
    this.#end(cursor ?? this.#request.since);
  }

  // ---- what its stream calls --------------------------------------------------------------------------------

  get writable(): boolean {
    return !this.#isOver;
  }

  send(frame: Uint8Array): void {
    if (!this.#isAnswered) {
      this.#isAnswered = true;
      const { resumed } = JSON.parse(Buffer.from(frame).toString('utf8')) as Down<'subscribed'>;
      if (resumed) return;
    }
    this.#end(null);
  }

  fallBehind(): void {
    this.#end(null);
  }

  fail(): void {
    this.#end(null);
  }

  #end(cursor: string | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#leave();
    this.#onEnd(cursor);
  }

  #leave(): void {
    if (this.#subscription === null) return;
    this.account.subscriptions -= this.#subscription.stream.weight;
    this.#host.streams.unsubscribe(this.#subscription);
    this.#subscription = null;
  }
}
