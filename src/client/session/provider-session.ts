import type { Visibility } from '../../protocol/answers.js';
import type { PublishedAdvertisement } from '../../protocol/advertisement.js';
import type { Down, DownFrame } from '../../protocol/frames/frames-down.js';
import type { KeyPair } from '../../protocol/schemes/ed25519.js';
import { sessionPayload, type SignedAction } from '../../protocol/signing.js';
import { type Scheduler, systemScheduler } from '../scheduler.js';
import { signingTime } from '../signing/signing-time.js';
import {
  type ConnectOptions,
  HubConnection,
  type ConnectionState,
  type Conversation,
  type StateChange,
} from '../connection/hub-connection.js';
import { Emitter } from '../emitter.js';
import { DiscoveryError } from '../errors.js';
import { type HubAddress, parseHubUrls } from '../hub-url.js';
import { type AdvertisementSource, Publisher } from './publisher.js';
import { Questions } from './questions.js';
import { type Signer, signerFrom, signWith } from '../signing/signer.js';

/** What a provider's session needs to know. */
export interface ProviderSessionOptions extends ConnectOptions {
  /** Signs for the provider: a signer, or an Ed25519 key, which never leaves this process. */
  key: KeyPair | Signer;
  /** A name that the Ed25519 key owns, or will once it is used; the public key itself unless given. */
  providerId?: string | undefined;
  /** What to offer, or a function that tells it whenever it is to be sent. */
  advertisement: AdvertisementSource;
}

/** The states of a provider's session. */
export type SessionState = Exclude<ConnectionState, 'subscribing'>;

/** What a provider's session tells. */
export interface SessionEvents {
  /** A new state. */
  state: StateChange<SessionState>;
  /** The hub shows this now: after it was sent, and after each reconnect that found it in place. */
  published: PublishedAdvertisement;
  /**
   * The hub shows nothing of this provider any more, and that stays so until `update()` or `refresh()`: because
   * `withdraw()` was called, or, `elsewhere`, because somebody with the same key has withdrawn by another way.
   */
  withdrawn: {
    /** Whether somebody else with the same key has withdrawn. */
    readonly elsewhere: boolean;
  };
  /** The hub asked for a sign of life and got it. Browsers do not tell of these. */
  heartbeat: undefined;
  /** Something went wrong, and the session goes on: e.g. the hub did not accept an update. */
  problem: DiscoveryError;
}

/** Milliseconds that the hub may take to answer a request. */
const ANSWER_MS = 30_000;

type Answer = Down<'advertised'> | Down<'withdrawn'>;

interface PendingRequest {
  id: number;
  resolve: (answer: Answer) => void;
  reject: (error: DiscoveryError) => void;
  cancelTimer: () => void;
}

/**
 * Keeps a provider advertised: authenticates, publishes what is not yet on file, stays connected, which is the
 * provider's heartbeat, and comes back whenever the connection is lost, for ever. It ends when it is stopped,
 * replaced by a newer session of the same provider, or refused: as a provider, or with the first thing that it wants to
 * advertise. Where a later one is refused, that is a problem, and what was advertised before stays.
 *
 * ```ts
 * const session = new ProviderSession(url, { key, advertisement });
 * session.on('problem', (error) => console.warn(error.message));
 * session.start();
 * await session.published();
 * ```
 */
export class ProviderSession {
  /** Whom it speaks for. */
  readonly providerId: string;
  readonly #signer: Signer;
  readonly #scheduler: Scheduler;
  readonly #events = new Emitter<SessionEvents>();
  readonly #connection: HubConnection;
  readonly #publisher: Publisher;
  #error: DiscoveryError | null = null;
  #lastId = 0;
  #request: PendingRequest | null = null;
  readonly #questions = new Questions();
  /** What the present connection began with. */
  #welcome: Down<'welcome'> | null = null;
  /** Milliseconds by which the clock here is ahead of the hub's. */
  #skewMs = 0;

  /**
   * @param url `http(s)://host[:port]` of the hub, or of several that are one; `ws` and `wss` mean the same.
   * @throws DiscoveryError `AUTH_001` or `AUTH_004` when the key cannot own the provider id, `ADV_001` or
   * `ADV_002` when the advertisement is not acceptable, `USAGE` for a malformed URL.
   */
  constructor(url: HubAddress, options: ProviderSessionOptions) {
    const { key, advertisement } = options;
    const hubs = parseHubUrls(url, options.random ?? Math.random);
    this.#signer = signerFrom(key, options.providerId);
    this.providerId = this.#signer.providerId;
    this.#scheduler = options.scheduler ?? systemScheduler;
    this.#publisher = new Publisher(advertisement, {
      scheduler: this.#scheduler,
      random: options.random ?? Math.random,
      advertise: async (text) => {
        const answer = await this.#ask('advertise', text, { type: 'advertise', payload: text });
        return (answer as Down<'advertised'>).advertisement;
      },
      withdraw: async () => {
        await this.#ask('withdraw', '', { type: 'withdraw' });
      },
      published: (published) => {
        this.#events.emit('published', published);
      },
      withdrawn: (elsewhere) => {
        this.#events.emit('withdrawn', { elsewhere });
      },
      refused: (error) => {
        this.#connection.refuse(error);
      },
      problem: (error) => {
        this.#events.emit('problem', error);
      },
    });
    this.#connection = new HubConnection(hubs, options, this.#conversation());
  }

  /** `http(s)://host[:port]` of the hub that holds the session, or is tried next. */
  get hub(): string {
    return this.#connection.hub.http;
  }

  /** What it is doing now. */
  get state(): SessionState {
    return this.#connection.state as SessionState;
  }

  /** Why it is waiting, replaced or refused; otherwise null. */
  get error(): DiscoveryError | null {
    return this.#error;
  }

  /** What the hub showed of this provider when it was last heard of; null when nothing. */
  get advertisement(): PublishedAdvertisement | null {
    return this.#publisher.onFile;
  }

  /** Adds a listener. @returns A function that takes it away again. */
  on<Name extends keyof SessionEvents>(
    name: Name,
    listener: (payload: SessionEvents[Name]) => void,
  ): () => void {
    return this.#events.on(name, listener);
  }

  /** Connects, and from now on keeps the provider advertised. Only the first call counts. */
  start(): this {
    this.#connection.start();
    return this;
  }

  /**
   * Resolves as soon as the hub shows what is to be advertised; that may take until the hub can be reached.
   * @throws DiscoveryError when the hub or the source of the advertisement fails for a reason that does not pass
   * by itself, `SUPERSEDED` when it is withdrawn first, and `REPLACED`, `STOPPED` and the like when it is over.
   */
  published(): Promise<PublishedAdvertisement> {
    return this.#publisher.published();
  }

  /**
   * Advertises something else from now on; nothing is sent when it says the same.
   * @throws DiscoveryError as `published()`, and `ADV_001` or `ADV_002` when it is not acceptable: then what was
   * advertised before stays.
   */
  update(advertisement: AdvertisementSource): Promise<PublishedAdvertisement> {
    return this.#publisher.update(advertisement);
  }

  /** Asks the function for the advertisement again, and publishes what is new; also undoes `withdraw()`. */
  refresh(): Promise<PublishedAdvertisement> {
    return this.#publisher.refresh();
  }

  /**
   * Takes the advertisement back everywhere, and keeps it so, until `update()` or `refresh()`; the session stays
   * connected.
   * @throws DiscoveryError as `published()`.
   */
  withdraw(): Promise<void> {
    return this.#publisher.withdraw();
  }

  /**
   * Asks who sees the provider; a hub answers once in 5 s.
   * @throws DiscoveryError `RATE_001` when it was asked too often; `WS_001` when the hub is too old to know; `NETWORK` when there
   * is no connection, or it is lost; `TIMEOUT` when the hub does not answer; `STOPPED` and the like when it is over.
   */
  visibility(): Promise<Visibility> {
    if (this.state !== 'live') {
      return Promise.reject(
        this.#error ?? new DiscoveryError('NETWORK', `there is no session with the hub: ${this.state}`),
      );
    }
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = this.#questions.add(id, (timedOut) => this.#scheduler.after(ANSWER_MS, timedOut));
    this.#connection.send({ type: 'visibility', id });
    return answer;
  }

  /**
   * Ends the session. Without `withdraw()` before it the hub keeps the advertisement, as suspect, until it
   * expires. Resolves when the connection is closed.
   */
  stop(): Promise<void> {
    return this.#connection.stop();
  }

  #conversation(): Conversation {
    return {
      handshake: 'authenticating',
      greeted: (welcome) => {
        this.#authenticate(welcome);
      },
      received: (frame) => {
        this.#receive(frame);
      },
      heartbeat: () => {
        this.#events.emit('heartbeat', undefined);
      },
      interrupted: (error) => {
        this.#publisher.disconnected();
        this.#questions.failAll(error);
        this.#settle((request) => {
          request.reject(error);
        });
      },
      ended: (_state, error) => {
        this.#end(error);
      },
      stateChanged: (change) => {
        this.#error = change.error;
        this.#events.emit('state', change as StateChange<SessionState>);
      },
    };
  }

  #authenticate(welcome: Down<'welcome'>): void {
    this.#learnSkew(welcome.server_time);
    this.#welcome = welcome;
    const isPresent = (): boolean => this.#welcome === welcome && this.state === 'authenticating';
    const { providerId, publicKey } = this.#signer;
    this.#sign(
      'session',
      sessionPayload(welcome.nonce, this.#connection.hub.host),
      (signed) => {
        if (!isPresent()) return;
        this.#lastId += 1;
        const who = {
          provider_id: providerId,
          ...(publicKey === undefined ? {} : { public_key: publicKey }),
        };
        this.#connection.send({ type: 'authenticate', id: this.#lastId, ...who, ...signed });
      },
      (error) => {
        if (isPresent()) this.#connection.refuse(error);
      },
    );
  }

  #receive(frame: DownFrame): void {
    switch (frame.type) {
      case 'authenticated':
        this.#connection.established();
        if (this.state === 'live') this.#publisher.connected(frame.advertisement);
        return;
      case 'advertised':
      case 'withdrawn':
        if (frame.id === this.#request?.id) {
          this.#settle((request) => {
            request.resolve(frame);
          });
        }
        return;
      case 'removed':
        this.#publisher.withdrawnElsewhere();
        return;
      case 'visibility':
        this.#questions.answer(frame);
        return;
      case 'error':
        if (!this.#questions.refuse(frame)) this.#refused(frame);
        return;
      default:
        return;
    }
  }

  #refused(frame: Down<'error'>): void {
    if (frame.code === 'AUTH_002') this.#learnSkew(frame.timestamp);
    if (this.state === 'authenticating' && frame.code === 'AUTH_002') {
      // Clocks get corrected, also the hub's.
      this.#connection.reconnect(DiscoveryError.fromBody(this.#explain(frame), { retry: true }));
    } else if (this.state === 'authenticating' && frame.code.startsWith('AUTH_')) {
      this.#connection.refuse(DiscoveryError.fromBody(this.#explain(frame), { retry: false }));
    } else if (frame.id !== undefined && frame.id === this.#request?.id) {
      // A refusal that these pass by themselves: the hub cannot write now (what it would not take has been
      // refused here already), or an earlier signature lies ahead of the clock here.
      const retry = frame.code === 'ADV_001' || frame.code === 'AUTH_002';
      const error = DiscoveryError.fromBody(this.#explain(frame), { retry });
      this.#settle((request) => {
        request.reject(error);
      });
    }
  }

  /** @param hubTime What the hub's clock shows, ISO 8601. */
  #learnSkew(hubTime: string): void {
    const hubNow = Date.parse(hubTime);
    if (!Number.isNaN(hubNow)) this.#skewMs = this.#scheduler.now() - hubNow;
  }

  /** Says by how much the clocks differ where that explains a refusal. */
  #explain(frame: Down<'error'>): Down<'error'> {
    const seconds = Math.round(Math.abs(this.#skewMs) / 1000);
    if (frame.code !== 'AUTH_002' || seconds < 1) return frame;
    const direction = this.#skewMs > 0 ? 'ahead of' : 'behind';
    return {
      ...frame,
      message: `${frame.message} (the clock here is ${String(seconds)} s ${direction} the hub's)`,
    };
  }

  /** Signs with the present time. A wallet may take its time: what it is for may be over when it answers. */
  #sign(
    action: SignedAction,
    payload: string,
    signed: (signed: { t: number; signature: string }) => void,
    failed: (error: DiscoveryError) => void,
  ): void {
    const now = this.#scheduler.now();
    const t = signingTime(now, now - this.#skewMs);
    signWith(
      this.#signer,
      { action, t, payload },
      (signature) => {
        signed({ t, signature });
      },
      failed,
    );
  }

  /** Signs and sends a request, and waits for its answer; there is one at a time. */
  #ask(
    action: 'advertise' | 'withdraw',
    signedPayload: string,
    frame: { type: 'advertise'; payload: string } | { type: 'withdraw' },
  ): Promise<Answer> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      const request: PendingRequest = { id, resolve, reject, cancelTimer: () => undefined };
      this.#request = request;
      this.#sign(
        action,
        signedPayload,
        (signed) => {
          if (this.#request !== request) return;
          request.cancelTimer = this.#scheduler.after(ANSWER_MS, () => {
            const seconds = String(ANSWER_MS / 1000);
            this.#connection.reconnect(
              new DiscoveryError('TIMEOUT', `the hub did not answer "${frame.type}" within ${seconds} s`),
            );
          });
          this.#connection.send({ ...frame, ...signed, id });
        },
        (error) => {
          if (this.#request !== request) return;
          this.#request = null;
          reject(error);
        },
      );
    });
  }

  #settle(how: (request: PendingRequest) => void): void {
    const request = this.#request;
    if (request === null) return;
    this.#request = null;
    request.cancelTimer();
    how(request);
  }

  #end(error: DiscoveryError | null): void {
    const reason = error ?? new DiscoveryError('STOPPED', 'the session was stopped');
    this.#publisher.ended(reason);
    this.#questions.failAll(reason);
    this.#settle((request) => {
      request.reject(reason);
    });
  }
}
