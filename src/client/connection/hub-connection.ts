import { CLOSE, shouldReconnect } from '../../protocol/frames/close-codes.js';
import type { CodecName } from '../../protocol/frames/codec.js';
import type { Down, DownFrame } from '../../protocol/frames/frames-down.js';
import type { UpFrame } from '../../protocol/frames/frames-up.js';
import { type Scheduler, systemScheduler } from '../scheduler.js';
import { DiscoveryError } from '../errors.js';
import type { HubUrl } from '../hub-url.js';
import { EventLink } from './event-link.js';
import { readFrame } from './frames.js';
import { HubRotation } from './hub-rotation.js';
import { Link } from './link.js';
import { isRefusal, neverArrived, type Reading, type Transport, type TransportOptions } from './transport.js';
import { defaultWebSocket, type WebSocketFactory } from './web-socket.js';

/** How long a connection has to last before the backoff is reset, in milliseconds. */
const STABLE_MS = 30_000;
/** After how many milliseconds of events WebSockets are tried again: initially, and at most after repeated failures. */
const TRY_AGAIN_MS = { first: 30_000, most: 3_600_000 };

/**
 * - `idle`: not started;
 * - `connecting`: dialling, until the hub's welcome;
 * - `authenticating`, `subscribing`: connected, and starting the session or subscription;
 * - `live`: everything works;
 * - `waiting`: the connection was lost; a retry follows;
 * - `replaced`: a newer session of this provider has taken over; final;
 * - `refused`: the hub refused, and retrying would not help; final;
 * - `stopped`: by `stop()` or the signal; final.
 */
export type ConnectionState =
  | 'idle'
  | 'connecting'
  | 'authenticating'
  | 'subscribing'
  | 'live'
  | 'waiting'
  | 'replaced'
  | 'refused'
  | 'stopped';

/** The final states. */
export type FinalState = 'replaced' | 'refused' | 'stopped';

/** A change of state. */
export interface StateChange<State extends ConnectionState = ConnectionState> {
  /** The new state. */
  readonly state: State;
  /** Why it is waiting, replaced or refused; otherwise null. */
  readonly error: DiscoveryError | null;
  /** Milliseconds until the next retry while waiting; otherwise null. */
  readonly retryInMs: number | null;
}

/** Connection options of sessions and watches, all optional. */
export interface ConnectOptions {
  /** The wire form; `json` by default. MessagePack is about a third shorter. */
  codec?: CodecName | undefined;
  /** Stops it, like `stop()`. */
  signal?: AbortSignal | undefined;
  /** Opens WebSockets; by default the platform's. */
  webSocket?: WebSocketFactory | undefined;
  /** Clock and timers, for tests. */
  scheduler?: Scheduler | undefined;
  /** From 0 up to, not including, 1; for tests. */
  random?: (() => number) | undefined;
}

/** What happens over a connection: the part in which sessions and watches differ. */
export interface Conversation {
  /** The name of the state between the hub's welcome and `established()`. */
  readonly handshake: 'authenticating' | 'subscribing';
  /** How to continue where WebSockets do not get through; absent if only they will do. */
  readonly reading?: Reading;
  /** A new connection is open: time to authenticate or subscribe. */
  greeted(welcome: Down<'welcome'>): void;
  /** Any later frame. */
  received(frame: DownFrame): void;
  /** The hub pinged, and was answered. */
  heartbeat?(): void;
  /** The connection was lost; unless `ended` follows, another one will be opened. */
  interrupted(error: DiscoveryError): void;
  /** It is over. `error` is null if it was stopped. */
  ended(state: FinalState, error: DiscoveryError | null): void;
  stateChanged(change: StateChange): void;
}

/**
 * Keeps a connection to a hub, or to one of several, for as long as it is wanted: reconnects with backoff whenever that can help, and stops if
 * the hub makes clear that it cannot.
 */
export class HubConnection {
  readonly #hubs: HubRotation;
  readonly #conversation: Conversation;
  readonly #codec: CodecName;
  readonly #webSocket: WebSocketFactory;
  readonly #fetch: typeof globalThis.fetch;
  /** The allowed transports. */
  readonly #transports: readonly Transport[];
  readonly #scheduler: Scheduler;
  readonly #random: () => number;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => {
    void this.stop();
  };
  #state: ConnectionState = 'idle';
  #link: Link | EventLink<DownFrame> | null = null;
  /** The transport tried first: the last one that worked. */
  #transport: Transport;
  /** A WebSocket being tried as a replacement for events. */
  #trial: Link | null = null;
  #trials = 0;
  #cancelTrial: () => void = () => undefined;
  #cancelTimer: () => void = () => undefined;
  /** The hub's last frame, if it was an error: the reason for a close that follows. */
  #lastRefusal: DiscoveryError | null = null;
  #closing: Promise<void> = Promise.resolve();

  /** @param hubs At least one, in the order in which they are tried first. */
  constructor(
    hubs: readonly HubUrl[],
    options: ConnectOptions & TransportOptions,
    conversation: Conversation,
  ) {
    this.#conversation = conversation;
    this.#codec = options.codec ?? 'json';
    this.#webSocket = options.webSocket ?? defaultWebSocket();
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
    this.#transports = transportsOf(options, conversation);
    this.#transport = this.#transports[0]!;
    this.#scheduler = options.scheduler ?? systemScheduler;
    this.#random = options.random ?? Math.random;
    this.#hubs = new HubRotation(hubs, this.#random, () => this.#scheduler.now());
    this.#signal = options.signal;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** The hub that it is connected to, or tries next. */
  get hub(): HubUrl {
    return this.#hubs.hub;
  }

  /** Whether the state is final. */
  get isOver(): boolean {
    return this.#state === 'stopped' || this.#state === 'refused' || this.#state === 'replaced';
  }

  /** Starts; later calls have no effect. */
  start(): void {
    if (this.#state !== 'idle') return;
    if (this.#signal?.aborted === true) {
      this.#finish('stopped', null);
      return;
    }
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
    this.#connect();
  }

  /** The session or subscription is established. */
  established(): void {
    this.#cancelTimer = this.#scheduler.after(STABLE_MS, () => {
      this.#hubs.stable();
    });
    this.#become('live');
  }

  send(frame: UpFrame): void {
    if (this.#link instanceof Link) this.#link.send(frame);
  }

  /** Ends the wait for the next attempt, unless the hub asked for it. In any state but `waiting`, it has no effect. */
  retry(): void {
    if (this.#state !== 'waiting' || this.#hubs.asksForPatience) return;
    this.#connectAfter(0);
  }

  /** Gives up the present connection and tries another one. */
  reconnect(error: DiscoveryError): void {
    this.#link?.drop(error);
  }

  /** Gives up for good: the hub refused in a way that another connection would not change. */
  refuse(error: DiscoveryError): void {
    this.#finish('refused', error);
  }

  /** Stops. Resolves once the connection is closed. */
  stop(): Promise<void> {
    this.#finish('stopped', null);
    return this.#closing;
  }

  #connect(): void {
    this.#become('connecting');
    // A state listener may have stopped it.
    if (this.isOver) return;
    this.#dial(this.#transport, null);
  }

  /**
   * Tries one transport, and then the other if it fails.
   * @param before Why the other one failed; null for the first.
   */
  #dial(transport: Transport, before: DiscoveryError | null): void {
    this.#lastRefusal = null;
    let isGreeted = false;
    const greeted = (): void => {
      isGreeted = true;
      this.#transport = transport;
    };
    const lost = (error: DiscoveryError, closeCode: number | null): void => {
      if (isGreeted || !neverArrived(error, closeCode)) {
        this.#lost(error, closeCode);
        return;
      }
      const other = this.#transports.find((one) => one !== transport);
      if (before === null && other !== undefined) this.#dial(other, error);
      // Report the WebSocket's error, because that is the one that can be fixed.
      else this.#lost(transport === 'events' ? (before ?? error) : error, null);
    };
    this.#link = transport === 'events' ? this.#readEvents(greeted, lost) : this.#openSocket(greeted, lost);
  }

  #openSocket(greeted: () => void, lost: (error: DiscoveryError, closeCode: number | null) => void): Link {
    return new Link(
      { url: this.hub.webSocket, codec: this.#codec, webSocket: this.#webSocket, scheduler: this.#scheduler },
      {
        welcome: (frame) => {
          greeted();
          this.#become(this.#conversation.handshake);
          if (!this.isOver) this.#conversation.greeted(frame);
        },
        frame: (frame) => {
          this.#receive(frame);
        },
        heartbeat: () => this.#conversation.heartbeat?.(),
        lost,
      },
    );
  }

  #readEvents(
    greeted: () => void,
    lost: (error: DiscoveryError, closeCode: number | null) => void,
  ): EventLink<DownFrame> {
    const reading = this.#conversation.reading!;
    return new EventLink(
      { url: reading.address(this.hub), fetch: this.#fetch, scheduler: this.#scheduler, read: readFrame },
      {
        opened: (date) => {
          greeted();
          this.#tryWebSocketLater();
          this.#become(this.#conversation.handshake);
          if (!this.isOver) reading.opened(date);
        },
        frame: (frame) => {
          this.#receive(frame);
        },
        lost,
      },
    );
  }

  #receive(frame: DownFrame): void {
    this.#lastRefusal = frame.type === 'error' ? DiscoveryError.fromBody(frame, { retry: false }) : null;
    this.#conversation.received(frame);
  }

  /** While reading events, tries a WebSocket from time to time; events continue until the hub welcomes it. */
  #tryWebSocketLater(): void {
    if (!this.#transports.includes('websocket')) return;
    const limit = Math.min(TRY_AGAIN_MS.most, TRY_AGAIN_MS.first * 2 ** Math.min(this.#trials, 16));
    this.#cancelTrial = this.#scheduler.after(limit * (1 - this.#random() / 2), () => {
      this.#trials += 1;
      const link = this.#openSocket(
        () => {
          this.#trial = null;
          this.#trials = 0;
          this.#cancelTimer();
          void this.#link?.close();
          this.#link = link;
          this.#transport = 'websocket';
        },
        (error, closeCode) => {
          if (this.#link === link) this.#lost(error, closeCode);
          else if (this.#trial === link) this.#tryWebSocketLater();
        },
      );
      this.#trial = link;
    });
  }

  #endTrial(): void {
    this.#cancelTrial();
    void this.#trial?.close();
    this.#trial = null;
  }

  #lost(error: DiscoveryError, closeCode: number | null): void {
    this.#link = null;
    this.#cancelTimer();
    this.#endTrial();
    if (closeCode === CLOSE.replaced) {
      this.#finish('replaced', new DiscoveryError('REPLACED', error.message, { closeCode }));
    } else if (closeCode !== null && !shouldReconnect(closeCode)) {
      this.#finish(
        'refused',
        this.#lastRefusal ?? new DiscoveryError('REFUSED', error.message, { closeCode }),
      );
    } else if (closeCode === null && this.#conversation.reading !== undefined && isRefusal(error)) {
      this.#finish('refused', error);
    } else {
      const retryInMs = this.#hubs.lost(error);
      this.#conversation.interrupted(error);
      if (this.isOver) return;
      this.#connectAfter(retryInMs);
      this.#become('waiting', error, retryInMs);
    }
  }

  #connectAfter(ms: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#scheduler.after(ms, () => {
      this.#connect();
    });
  }

  #finish(state: FinalState, error: DiscoveryError | null): void {
    if (this.isOver) return;
    this.#cancelTimer();
    this.#endTrial();
    this.#signal?.removeEventListener('abort', this.#onAbort);
    if (this.#link !== null) this.#closing = this.#link.close();
    this.#link = null;
    this.#become(state, error);
    this.#conversation.ended(state, error);
  }

  #become(
    state: ConnectionState,
    error: DiscoveryError | null = null,
    retryInMs: number | null = null,
  ): void {
    this.#state = state;
    this.#conversation.stateChanged({ state, error, retryInMs });
  }
}

function transportsOf(
  { transport, webSocket, fetch }: ConnectOptions & TransportOptions,
  { reading }: Conversation,
): readonly Transport[] {
  if (reading === undefined) return ['websocket'];
  if (transport !== undefined) return [transport];
  return webSocket !== undefined && fetch === undefined ? ['websocket'] : ['websocket', 'events'];
}
