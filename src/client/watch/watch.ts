import type { PublishedAdvertisement } from '../../protocol/advertisement.js';
import { comparePrices } from '../../protocol/filters/estimate.js';
import { askedAmounts, type Filter, type FilterInput, parseFilter } from '../../protocol/filters/filter.js';
import { type First, parseFirst, RANK_CURRENCIES, type RankSort } from '../../protocol/filters/first.js';
import type { Down, DownFrame, StreamEvent } from '../../protocol/frames/frames-down.js';
import { type Change, ChangeQueue, changeOf, type Transition } from './changes.js';
import {
  type ConnectOptions,
  HubConnection,
  type ConnectionState,
  type Conversation,
  type FinalState,
  type StateChange,
} from '../connection/hub-connection.js';
import { Emitter } from '../emitter.js';
import { DiscoveryError } from '../errors.js';
import type { Reading, TransportOptions } from '../connection/transport.js';
import { type HubAddress, parseHubUrls } from '../hub-url.js';
import { type Scheduler, systemScheduler } from '../scheduler.js';
import { searchOf } from '../search.js';

/** The states of a watch. */
export type WatchState = Exclude<ConnectionState, 'authenticating' | 'replaced'>;

/** Options of `watch()`; `sort` and `limit` go together. */
export interface WatchOptions extends ConnectOptions, TransportOptions {
  /** Cheapest first, in US dollars or GLM, for the amounts in the filter. */
  sort?: RankSort | undefined;
  /** How many to watch, the first in that order: 1 to 100. */
  limit?: number | undefined;
}

/** The `id` of the subscription in an event stream; requests count from 1. */
const READING = 0;
/** An HTTP date has whole seconds, so half a second is the best guess for the rest. */
const DATE_ROUNDING_MS = 500;

type Compare = (a: PublishedAdvertisement, b: PublishedAdvertisement) => number;

const byId: Compare = (a, b) => (a.provider_id < b.provider_id ? -1 : 1);

/** Events of a watch. */
export interface WatchEvents {
  /** A new state. */
  state: StateChange<WatchState>;
  /** Called once per change, after `providers` is updated. */
  change: Change;
}

/**
 * The providers that match a filter, kept up to date: while connected, the hub's changes are applied as they come; after a lost connection, the
 * watch resumes where it was, or compares a new snapshot with what it holds and only reports the differences. Created by `watch()`.
 */
export class Watch implements AsyncIterable<Change> {
  /**
   * Resolves once `providers` is complete for the first time.
   * @throws DiscoveryError if the watch ends before: `ADV_002`, `REFUSED`, `STOPPED`, …
   */
  readonly ready: Promise<void>;
  /**
   * The current matches, by provider id; while the connection is lost, the last known ones. Heartbeats alone are no changes, so `updated_at` and
   * `expires_at` are as of the last change.
   */
  readonly providers: ReadonlyMap<string, PublishedAdvertisement>;
  readonly #providers = new Map<string, PublishedAdvertisement>();
  readonly #filter: Filter;
  readonly #first: First | null;
  readonly #compare: Compare;
  /** `ranking`, until something changes. */
  #ranking: readonly PublishedAdvertisement[] | null = null;
  readonly #scheduler: Scheduler;
  readonly #events = new Emitter<WatchEvents>();
  readonly #connection: HubConnection;
  readonly #queues = new Set<ChangeQueue>();
  #resolveReady!: () => void;
  #rejectReady!: (error: DiscoveryError) => void;
  #error: DiscoveryError | null = null;
  /** The point in the hub's stream of changes that `providers` shows; null before the first snapshot. */
  #cursor: string | null = null;
  #clockOffsetMs: number | null = null;
  #requests = 0;
  /** The `id` of the pending request. */
  #request = READING;
  #stream: string | null = null;
  /** The snapshot being received. */
  #snapshot: Map<string, PublishedAdvertisement> | null = null;

  /** @throws DiscoveryError `ADV_002` for an invalid filter, order or limit, `USAGE` for a malformed URL. */
  constructor(url: HubAddress, filter: FilterInput, options: WatchOptions) {
    try {
      this.#filter = parseFilter(filter);
      this.#first = parseFirst(options);
    } catch (error) {
      throw DiscoveryError.from(error, 'ADV_002');
    }
    this.#compare =
      this.#first === null
        ? byId
        : comparePrices(askedAmounts(this.#filter), RANK_CURRENCIES[this.#first.sort]);
    this.#scheduler = options.scheduler ?? systemScheduler;
    this.providers = this.#providers;
    this.ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve;
      this.#rejectReady = reject;
    });
    // Avoids an unhandled rejection: failures are also reported through the state.
    this.ready.catch(() => undefined);
    const hubs = parseHubUrls(url, options.random ?? Math.random);
    const reading = this.#reading(options.transport);
    this.#connection = new HubConnection(hubs, options, {
      ...this.#conversation(),
      ...(reading === null ? {} : { reading }),
    });
    // Asynchronous, so that listeners added right away miss nothing.
    queueMicrotask(() => {
      this.#connection.start();
    });
  }

  /** `providers` in the order of `sort`; without one, by provider id. */
  get ranking(): readonly PublishedAdvertisement[] {
    this.#ranking ??= [...this.#providers.values()].sort(this.#compare);
    return this.#ranking;
  }

  /**
   * Milliseconds by which the hub's clock was ahead of this one at its last welcome; null before. Compare the hub's times with
   * `Date.now() + clockOffsetMs`.
   */
  get clockOffsetMs(): number | null {
    return this.#clockOffsetMs;
  }

  /** `http(s)://host[:port]` of the hub it is connected to, or will try next. */
  get hub(): string {
    return this.#connection.hub.http;
  }

  /** The current state. */
  get state(): WatchState {
    return this.#connection.state as WatchState;
  }

  /** Why it is waiting or refused; otherwise null. */
  get error(): DiscoveryError | null {
    return this.#error;
  }

  /** Adds a listener. @returns A function that removes it. */
  on<Name extends keyof WatchEvents>(name: Name, listener: (payload: WatchEvents[Name]) => void): () => void {
    return this.#events.on(name, listener);
  }

  /**
   * The changes as an async sequence: first an `added` for each current match, then each change. A slow consumer gets the net effect of what it
   * missed, at most one change per provider. The sequence ends when the watch is stopped, and throws a DiscoveryError if the hub refuses it.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Change, undefined, undefined> {
    const queue = new ChangeQueue((done) => {
      this.#queues.delete(done);
    });
    if (this.#connection.isOver) {
      queue.finish(this.#error);
      return queue;
    }
    this.#queues.add(queue);
    for (const [providerId, after] of this.#providers) {
      queue.push(providerId, { before: null, after, reason: 'missed' });
    }
    return queue;
  }

  /**
   * Makes the next attempt now if it is waiting for it, unless the hub asked for the wait; in other states it has no effect. Call it when the
   * network is back, or when a person asks.
   */
  retry(): void {
    this.#connection.retry();
  }

  /** Ends the watch; `providers` keeps its content. Resolves once the connection is closed. */
  stop(): Promise<void> {
    return this.#connection.stop();
  }

  #conversation(): Conversation {
    return {
      handshake: 'subscribing',
      greeted: ({ server_time }) => {
        this.#clockOffsetMs = Date.parse(server_time) - this.#scheduler.now();
        this.#requests += 1;
        this.#begin(this.#requests);
        this.#connection.send({
          type: 'subscribe',
          id: this.#request,
          filter: this.#filter,
          ...(this.#first ?? {}),
          ...(this.#cursor === null ? {} : { resume: this.#cursor }),
        });
      },
      received: (frame) => {
        this.#receive(frame);
      },
      interrupted: () => undefined,
      ended: (state, error) => {
        this.#end(state, error);
      },
      stateChanged: (change) => {
        this.#error = change.error;
        this.#events.emit('state', change as StateChange<WatchState>);
      },
    };
  }

  /**
   * How to read the watch as server-sent events; null if a query cannot express the filter.
   * @throws DiscoveryError `ADV_002` if it cannot and no other transport is allowed.
   */
  #reading(transport: WatchOptions['transport']): Reading | null {
    const searchNow = (): string =>
      searchOf(this.#filter, {
        sort: this.#first?.sort,
        limit: this.#first === null ? undefined : String(this.#first.limit),
        resume: this.#cursor ?? undefined,
      });
    try {
      searchNow();
    } catch (error) {
      if (transport === 'events') throw error;
      return null;
    }
    return {
      address: (hub) => `${hub.http}/api/v1/events${searchNow()}`,
      opened: (date) => {
        const time = Date.parse(date ?? '');
        if (!Number.isNaN(time)) this.#clockOffsetMs = time + DATE_ROUNDING_MS - this.#scheduler.now();
        this.#begin(READING);
      },
    };
  }

  /** Subscribes over a new connection. */
  #begin(request: number): void {
    this.#request = request;
    this.#stream = null;
    this.#snapshot = null;
  }

  #receive(frame: DownFrame): void {
    switch (frame.type) {
      case 'subscribed':
        if (frame.id === this.#request) this.#subscribed(frame);
        return;
      case 'snapshot':
        if (frame.stream === this.#stream) this.#readSnapshot(frame);
        return;
      case 'events':
        if (frame.stream === this.#stream && this.#snapshot === null) {
          // Stored first: a listener may stop the watch or read `providers`.
          this.#cursor = frame.cursor;
          for (const event of frame.events) this.#apply(event);
        }
        return;
      case 'bookmark':
        if (this.#stream !== null && this.#snapshot === null) this.#cursor = frame.cursor;
        return;
      case 'error':
        if (frame.id === this.#request) this.#connection.refuse(DiscoveryError.fromBody(frame));
        return;
      default:
        return;
    }
  }

  #subscribed(frame: Down<'subscribed'>): void {
    this.#stream = frame.stream;
    if (frame.resumed) {
      this.#cursor = frame.cursor;
      this.#connection.established();
    } else {
      this.#snapshot = new Map();
    }
  }

  #readSnapshot(frame: Down<'snapshot'>): void {
    const snapshot = this.#snapshot;
    if (snapshot === null) return;
    for (const advertisement of frame.advertisements) snapshot.set(advertisement.provider_id, advertisement);
    if (!frame.last) return;
    this.#snapshot = null;
    this.#cursor = frame.cursor;
    for (const providerId of [...this.#providers.keys()]) {
      if (!snapshot.has(providerId)) this.#move(providerId, null, 'missed');
    }
    for (const [providerId, advertisement] of snapshot) this.#move(providerId, advertisement, 'missed');
    this.#resolveReady();
    if (!this.#connection.isOver) this.#connection.established();
  }

  #apply(event: StreamEvent): void {
    if (event.op === 'removed') this.#move(event.provider_id, null, event.reason);
    else this.#move(event.advertisement.provider_id, event.advertisement, 'missed');
  }

  /** Updates one provider's state, and reports the change. */
  #move(providerId: string, after: PublishedAdvertisement | null, reason: Transition['reason']): void {
    // A listener of the previous change may have stopped the watch.
    if (this.#connection.isOver) return;
    const before = this.#providers.get(providerId) ?? null;
    if (after === null) this.#providers.delete(providerId);
    else this.#providers.set(providerId, after);
    this.#ranking = null;
    const transition = { before, after, reason };
    const change = changeOf(transition);
    if (change === null) return;
    for (const queue of this.#queues) queue.push(providerId, transition);
    this.#events.emit('change', change);
  }

  #end(state: FinalState, error: DiscoveryError | null): void {
    this.#rejectReady(error ?? new DiscoveryError('STOPPED', 'the watch was stopped'));
    for (const queue of this.#queues) queue.finish(state === 'stopped' ? null : error);
    this.#queues.clear();
  }
}

/**
 * Watches the providers that match a filter. It connects at once, and reconnects for ever.
 *
 * ```ts
 * const matches = watch('https://hub.example', { cpu: 4, country: 'SE', status: 'live' });
 * await matches.ready;
 * for (const provider of matches.providers.values()) console.log(provider.provider_id, provider.ip_address);
 * for await (const change of matches) console.log(change.type, change.advertisement.provider_id);
 * ```
 *
 * With `sort` and `limit`, it is a live ranking: `ranking` always has the first matches, and a provider that drops out is removed as
 * `outranked`.
 *
 * ```ts
 * const cheapest = watch('https://hub.example', { cpu: 4 }, { sort: 'price', limit: 3 });
 * cheapest.on('change', () => console.log(cheapest.ranking.map((provider) => provider.provider_id)));
 * ```
 *
 * With several hubs that act as one, if one fails the watch continues at another, exactly where it was.
 *
 * @param url `http(s)://host[:port]` of the hub, or of several that act as one; `ws` and `wss` mean the same.
 * @param filter What providers have to offer; `{}` for all.
 * @throws DiscoveryError `ADV_002` for an invalid filter, order or limit, `USAGE` for a malformed URL.
 */
export function watch(url: HubAddress, filter: FilterInput = {}, options: WatchOptions = {}): Watch {
  return new Watch(url, filter, options);
}
