import type { Visibility } from '../../protocol/answers.js';
import type { PublishedAdvertisement } from '../../protocol/advertisement.js';
import type { Down, DownFrame } from '../../protocol/frames/frames-down.js';
import { canonicalProviderId } from '../../protocol/provider-id.js';
import type { KeyPair } from '../../protocol/schemes/ed25519.js';
import { sessionPayload, type SignedAction } from '../../protocol/signing.js';
import { type Scheduler, systemScheduler } from '../scheduler.js';
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
import { ClockSkew } from './clock-skew.js';
import { type AdvertisementSource, Publisher } from './publisher.js';
import { Questions } from './questions.js';
import { type Signer, signerFrom, signWith } from '../signing/signer.js';

/** Options of a provider's session. */
export interface ProviderSessionOptions extends ConnectOptions {
  /** Signs for the provider: a signer, or an Ed25519 key, which never leaves this process. */
  key: KeyPair | Signer;
  /** A name that the Ed25519 key owns, or will own after its first use; by default the public key itself. */
  providerId?: string | undefined;
  /** The advertisement, or a function that returns it whenever it has to be sent. */
  advertisement: AdvertisementSource;
}

/** The states of a provider's session. */
export type SessionState = Exclude<ConnectionState, 'subscribing'>;

/** Events of a provider's session. */
export interface SessionEvents {
  /** A new state. */
  state: StateChange<SessionState>;
  /** The hub now shows this: after it was sent, and after each reconnect that found it in place. */
  published: PublishedAdvertisement;
  /**
   * The hub no longer shows this provider, until `update()` or `refresh()`: because `withdraw()` was called, or, with `elsewhere`, because
   * somebody with the same key withdrew it by other means.
   */
  withdrawn: {
    /** Whether somebody with the same key withdrew it elsewhere. */
    readonly elsewhere: boolean;
  };
  /** The hub asked for a sign of life and got it. Not reported in browsers. */
  heartbeat: undefined;
  /** Something went wrong, but the session continues: e.g. the hub did not accept an update. */
  problem: DiscoveryError;
}

/** How long the hub may take to answer a request, in milliseconds. */
const ANSWER_MS = 30_000;

type Answer = Down<'advertised'> | Down<'withdrawn'>;

interface PendingRequest {
  id: number;
  resolve: (answer: Answer) => void;
  reject: (error: DiscoveryError) => void;
  cancelTimer: () => void;
}

/**
 * Keeps a provider advertised: authenticates, publishes what is not yet on file, stays connected, which is the provider's heartbeat, and
 * reconnects for ever whenever the connection is lost. It ends when it is stopped, replaced by a newer session of the same provider, or
 * refused: either the provider itself, or the first advertisement. If a later advertisement is refused, that is a problem, and the previous one
 * stays.
 *
 * ```ts
 * const session = new ProviderSession(url, { key, advertisement });
 * session.on('problem', (error) => console.warn(error.message));
 * session.start();
 * await session.published();
 * ```
 */
export class ProviderSession {
  /** The provider it speaks for. */
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
  /** The welcome of the present connection. */
  #welcome: Down<'welcome'> | null = null;
  readonly #skew: ClockSkew;

  /**
   * @param url `http(s)://host[:port]` of the hub, or of several that act as one; `ws` and `wss` mean the same.
   * @throws DiscoveryError `AUTH_001` or `AUTH_004` if the key cannot own the provider id, `ADV_001` or `ADV_002` for an invalid advertisement,
   * `USAGE` for a malformed URL.
   */
  constructor(url: HubAddress, options: ProviderSessionOptions) {
    const { key, advertisement } = options;
    const hubs = parseHubUrls(url, options.random ?? Math.random);
    this.#signer = signerFrom(key, options.providerId);
    this.providerId = this.#signer.providerId;
    this.#scheduler = options.scheduler ?? systemScheduler;
    this.#skew = new ClockSkew(this.#scheduler);
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

  /** `http(s)://host[:port]` of the hub that holds the session, or will be tried next. */
  get hub(): string {
    return this.#connection.hub.http;
  }

  /** The current state. */
  get state(): SessionState {
    return this.#connection.state as SessionState;
  }

  /** Why it is waiting, replaced or refused; otherwise null. */
  get error(): DiscoveryError | null {
    return this.#error;
  }

  /** The provider's advertisement as the hub last showed it; null for none. */
  get advertisement(): PublishedAdvertisement | null {
    return this.#publisher.onFile;
  }

  /** Adds a listener. @returns A function that removes it. */
  on<Name extends keyof SessionEvents>(
    name: Name,
    listener: (payload: SessionEvents[Name]) => void,
  ): () => void {
    return this.#events.on(name, listener);
  }

  /** Connects, and keeps the provider advertised from now on. Only the first call has an effect. */
  start(): this {
    this.#connection.start();
    return this;
  }

  /**
   * Resolves once the hub shows the advertisement; that may take until the hub can be reached.
   * @throws DiscoveryError if the hub or the advertisement's source fails for a reason that does not pass by itself, `SUPERSEDED` if it is
   * withdrawn first, and `REPLACED`, `STOPPED` etc. when the session is over.
   */
  published(): Promise<PublishedAdvertisement> {
    return this.#publisher.published();
  }

  /**
   * Changes the advertisement; sends nothing if the content is the same.
   * @throws DiscoveryError like `published()`, and `ADV_001` or `ADV_002` if it is invalid, in which case the previous one stays.
   */
  update(advertisement: AdvertisementSource): Promise<PublishedAdvertisement> {
    return this.#publisher.update(advertisement);
  }

  /** Calls the advertisement function again, and publishes what is new; also undoes `withdraw()`. */
  refresh(): Promise<PublishedAdvertisement> {
    return this.#publisher.refresh();
  }

  /**
   * Withdraws the advertisement until `update()` or `refresh()`; the session stays connected.
   * @throws DiscoveryError like `published()`.
   */
  withdraw(): Promise<void> {
    return this.#publisher.withdraw();
  }

  /**
   * Asks who sees the provider, at most once in 5 s.
   * @throws DiscoveryError `RATE_001` if asked too often; `WS_001` if the hub is too old; `NETWORK` if there is no connection, or it is lost;
   * `TIMEOUT` if the hub does not answer; `STOPPED` etc. when the session is over.
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
   * Ends the session. Unless you call `withdraw()` first, the hub keeps the advertisement, as suspect, until it expires. Resolves once the
   * connection is closed.
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
    this.#skew.learn(welcome.server_time);
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

  /** Gives up a connection whose hub takes this provider for another. @returns Whether it does. */
  #isMistaken(...answered: (string | undefined)[]): boolean {
    const own = canonicalProviderId(this.#signer.providerId);
    const other = answered.find((id) => id !== undefined && id !== own);
    if (other === undefined) return false;
    const text = `the hub answered ${own} as if it were ${other}`;
    this.#connection.reconnect(new DiscoveryError('UNEXPECTED', text));
    return true;
  }

  #receive(frame: DownFrame): void {
    switch (frame.type) {
      case 'authenticated':
        if (this.#isMistaken(frame.provider_id, frame.advertisement?.provider_id)) return;
        this.#connection.established();
        if (this.state === 'live') this.#publisher.connected(frame.advertisement);
        return;
      case 'advertised':
      case 'withdrawn':
        if (frame.type === 'advertised' && this.#isMistaken(frame.advertisement.provider_id)) return;
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
    if (frame.code === 'AUTH_002') this.#skew.learn(frame.timestamp);
    if (this.state === 'authenticating' && frame.code === 'AUTH_002') {
      // Clocks get corrected, including the hub's.
      this.#connection.reconnect(DiscoveryError.fromBody(this.#skew.explain(frame), { retry: true }));
    } else if (this.state === 'authenticating' && frame.code.startsWith('AUTH_')) {
      this.#connection.refuse(DiscoveryError.fromBody(this.#skew.explain(frame), { retry: false }));
    } else if (frame.id !== undefined && frame.id === this.#request?.id) {
      // These refusals pass by themselves: the hub cannot write now (an invalid advertisement would already have been refused here), or an
      // earlier signature is ahead of the local clock.
      const retry = frame.code === 'ADV_001' || frame.code === 'AUTH_002';
      const error = DiscoveryError.fromBody(this.#skew.explain(frame), { retry });
      this.#settle((request) => {
        request.reject(error);
      });
    }
  }

  /** Signs with the present time. A wallet may take so long that the purpose is obsolete when it answers. */
  #sign(
    action: SignedAction,
    payload: string,
    signed: (signed: { t: number; signature: string }) => void,
    failed: (error: DiscoveryError) => void,
  ): void {
    const t = this.#skew.signingTime();
    signWith(
      this.#signer,
      { action, t, payload },
      (signature) => {
        signed({ t, signature });
      },
      failed,
    );
  }

  /** Signs and sends a request, and waits for its answer; one at a time. */
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
