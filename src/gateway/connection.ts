import { CLOSE } from '../protocol/close-codes.js';
import type { Codec } from '../protocol/codec.js';
import { ProtocolError } from '../protocol/errors.js';
import type { DownFrame } from '../protocol/frames-down.js';
import { parseUpFrame, type RequestId, type Up, type UpFrame } from '../protocol/frames-up.js';
import { LIMITS, PROTOCOL_VERSION } from '../protocol/limits.js';
import { utf8 } from '../protocol/text.js';
import { readSignedClaim } from '../registry/write/claim.js';
import type { SessionToken } from '../registry/registry.js';
import { PayloadError } from '../registry/write/payload.js';
import { FencedError } from '../registry/write/write-path.js';
import type { Client } from './clients.js';
import { STOPPING } from './drain.js';
import { transcode } from '../streams/event-encoder.js';
import type { ConnectionHost, HostedConnection } from './host.js';
import { MessageBudget } from './message-budget.js';
import { Outbox } from './outbox.js';
import type { Socket, SocketHandler } from './port.js';
import { RequestQueue } from './request-queue.js';
import { QUEUE, silenceLimitMs } from './settings.js';
import type { Subscriber } from '../streams/stream.js';
import { Subscriptions } from './subscriptions.js';

/** The provider that a connection speaks for, and its hold on it. */
interface Session {
  providerId: string;
  publicKey: string;
  token: SessionToken;
}

/**
 * One WebSocket connection: what it may do next, what it is owed, and when it is given up. It is admitted once it
 * has authenticated or subscribed; it may do both.
 */
export class Connection implements SocketHandler, Subscriber, HostedConnection {
  readonly codec: Codec;
  /** Its number on the gateway's wheel of deadlines. */
  readonly slot: number;
  /** The address that it is from. */
  readonly client: Client;
  /** When (service ms) the gateway looks at it next; kept by the gateway. */
  lookAt = Number.POSITIVE_INFINITY;
  readonly #gateway: ConnectionHost;
  readonly #socket: Socket;
  readonly #outbox: Outbox;
  readonly #host: string;
  readonly #budget: MessageBudget;
  readonly #openedAt: number;

  /** Null once it has been used. */
  #nonce: string | null;
  #session: Session | null = null;
  #subscriptions: Subscriptions | null = null;
  #admitted = false;
  #closing = false;
  readonly #signedRequests = new RequestQueue();

  #heardAt: number;
  #nextPing: number;
  #nextBookmark = Number.POSITIVE_INFINITY;

  constructor(
    gateway: ConnectionHost,
    socket: Socket,
    options: { codec: Codec; host: string; client: Client; slot: number },
  ) {
    const { now } = gateway;
    const { settings } = gateway;
    this.#gateway = gateway;
    this.#socket = socket;
    this.#host = options.host;
    this.codec = options.codec;
    this.client = options.client;
    this.#outbox = new Outbox(socket, options.codec.binary, settings, gateway.backlog);
    this.slot = options.slot;
    this.#nonce = gateway.nonces.next();
    this.#budget = new MessageBudget(settings.messagesPerMinute, now);
    this.#openedAt = now;
    this.#heardAt = now;
    this.#nextPing = now + settings.heartbeatMs;
    this.#reply({
      type: 'welcome',
      version: PROTOCOL_VERSION,
      epoch: gateway.registry.changes.epoch,
      nonce: this.#nonce,
      heartbeat_seconds: settings.heartbeatMs / 1000,
      expiry_seconds: settings.expirySeconds,
      max_frame_bytes: LIMITS.maxFrameBytes,
      server_time: gateway.isoNow(),
    });
  }

  /** The provider it speaks for; null before authentication and after a takeover. */
  get providerId(): string | null {
    return this.#session?.providerId ?? null;
  }

  get bufferedBytes(): number {
    return this.#closing ? 0 : this.#socket.bufferedAmount;
  }

  // ---- what the transport calls -----------------------------------------------------------------------------

  message(bytes: Uint8Array, binary: boolean): void {
    if (this.#closing) return;
    this.alive();
    if (bytes.length > LIMITS.maxFrameBytes) {
      this.close(CLOSE.frameTooBig, `a frame may have ${String(LIMITS.maxFrameBytes)} bytes`);
      return;
    }
    if (!this.#budget.spend(this.#gateway.now)) {
      const limit = String(this.#gateway.settings.messagesPerMinute);
      this.close(CLOSE.messageRate, `more than ${limit} messages a minute`);
      return;
    }
    if (binary !== this.codec.binary) {
      this.#malformed(`${this.codec.name} travels in ${this.codec.binary ? 'binary' : 'text'} frames`);
      return;
    }
    const decoded = this.codec.decode(bytes);
    if (!decoded.ok) {
      this.#malformed(decoded.problem);
      return;
    }
    const { value } = decoded;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.#malformed('it is not an object with a type');
      return;
    }
    const parsed = parseUpFrame(value);
    if (parsed.ok) this.#dispatch(parsed.frame);
    else this.#refuse(parsed.id, new ProtocolError('WS_001', parsed.message));
  }

  alive(): void {
    if (this.#closing) return;
    this.#heardAt = this.#gateway.now;
    if (this.#session !== null) this.#gateway.registry.heartbeat(this.#session.providerId);
  }

  drain(): void {
    if (!this.#closing && this.#outbox.drained()) this.#subscriptions?.advance();
  }

  closed(code: number): void {
    const wasOpen = !this.#closing;
    this.#leave();
    this.#gateway.connectionGone(this, wasOpen ? code : null);
  }

  // ---- what the gateway and its streams call ----------------------------------------------------------------

  get writable(): boolean {
    return !this.#closing && !this.#outbox.isFull;
  }

  send(frame: Uint8Array): void {
    if (this.#closing) return;
    if (!this.#outbox.send(frame, this.#gateway.now)) this.fallBehind('it does not read what it is sent');
    else if (this.#outbox.isFull) this.#gateway.wakeAt(this, this.#outbox.giveUpAt);
  }

  fallBehind(reason: string): void {
    this.close(CLOSE.tooSlow, reason);
  }

  fail(): void {
    this.close(CLOSE.internal, 'internal error');
  }

  /** A newer session of the same provider has taken over: from now on this one has no effect on it. */
  replaced(): void {
    this.#session = null;
    this.close(CLOSE.replaced, 'a newer session of this provider has taken over');
  }

  close(code: number, reason: string): void {
    if (this.#closing) return;
    this.#leave();
    this.#gateway.countClose(code);
    this.#socket.close(code, reason);
  }

  /**
   * Looks at what is due: admission, silence, ping, bookmark, a stalled queue.
   * @returns When (service ms) to look again.
   */
  tick(now: number): number {
    if (this.#closing) return Number.POSITIVE_INFINITY;
    const { settings } = this.#gateway;
    const admitBy = this.#openedAt + LIMITS.admissionMs;
    const silentAt = this.#heardAt + silenceLimitMs(settings);
    if (this.#outbox.isStuck(now)) {
      this.fallBehind('it does not read what it is sent');
    } else if (!this.#admitted && this.#signedRequests.isIdle && now >= admitBy) {
      this.close(CLOSE.admissionTimeout, 'neither authenticated nor subscribed within 10 s');
    } else if (now >= silentAt) {
      this.close(CLOSE.heartbeatLost, 'no sign of life for 2.5 heartbeat intervals');
    }
    if (this.#isOver()) return Number.POSITIVE_INFINITY;
    if (now >= this.#nextPing) {
      this.#socket.ping();
      this.#nextPing = now + settings.heartbeatMs;
    }
    if (this.#subscriptions !== null && now >= this.#nextBookmark) {
      this.#nextBookmark = this.#subscriptions.bookmark(now);
    }
    const admission = this.#admitted ? Number.POSITIVE_INFINITY : Math.max(admitBy, now + 1);
    return Math.min(admission, silentAt, this.#nextPing, this.#nextBookmark, this.#outbox.giveUpAt);
  }

  // ---- requests ---------------------------------------------------------------------------------------------

  #dispatch(frame: UpFrame): void {
    if (this.#gateway.draining && frame.type !== 'heartbeat' && frame.type !== 'unsubscribe') {
      this.close(CLOSE.overloaded, STOPPING);
      return;
    }
    switch (frame.type) {
      case 'heartbeat':
        this.#reply({ type: 'heartbeat', server_time: this.#gateway.isoNow() });
        return;
      case 'subscribe':
        this.#attempt(frame.id, () => {
          this.#subscribe(frame);
        });
        return;
      case 'unsubscribe':
        this.#attempt(frame.id, () => {
          this.#unsubscribe(frame);
        });
        return;
      case 'authenticate':
        this.#enqueue(frame.id, () => this.#authenticate(frame));
        return;
      case 'advertise':
        this.#enqueue(frame.id, () => this.#advertise(frame));
        return;
      case 'withdraw':
        this.#enqueue(frame.id, () => this.#withdraw(frame));
        return;
    }
  }

  #enqueue(id: RequestId, run: () => Promise<void>): void {
    const taken = this.#signedRequests.add(async () => {
      if (this.#closing) return;
      try {
        await run();
      } catch (error) {
        this.#fail(id, error);
      }
    });
    if (taken) return;
    const limit = String(QUEUE.maxWaitingRequests);
    this.close(CLOSE.messageRate, `more than ${limit} signed requests wait for their answer`);
  }

  #attempt(id: RequestId, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#fail(id, error);
    }
  }

  async #authenticate(frame: Up<'authenticate'>): Promise<void> {
    const nonce = this.#nonce;
    this.#nonce = null;
    try {
      if (nonce === null) {
        throw new ProtocolError(
          'AUTH_001',
          "this connection's nonce has been used; open a new connection to authenticate again",
        );
      }
      const claim = readSignedClaim(frame.provider_id, frame.public_key ?? null, frame.t, frame.signature);
      await this.#gateway.authenticate(claim, nonce, this.#host, this.client.address);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#refuse(frame.id, error);
      // The nonce is spent either way, so there is nothing left to do here but to come back.
      this.close(closeCodeOf(error), error.message);
      return;
    }
    // The socket may have gone while the signature was verified; then there is nobody to speak for.
    if (this.#closing) return;
    const providerId = frame.provider_id;
    const { token, applied } = this.#gateway.takeOver(providerId, this);
    this.#session = { providerId, publicKey: frame.public_key ?? providerId, token };
    this.#admitted = true;
    await applied;
    const advertisement = this.#gateway.registry.find(providerId) ?? utf8('null');
    this.#replyWith({ type: 'authenticated', id: frame.id, provider_id: providerId }, advertisement);
  }

  async #advertise(frame: Up<'advertise'>): Promise<void> {
    const session = this.#requireSession();
    const claim = readSignedClaim(session.providerId, session.publicKey, frame.t, frame.signature);
    const advertisement = await this.#gateway.writer.advertise(
      claim,
      utf8(frame.payload),
      session.token,
      this.client.address,
    );
    this.#replyWith({ type: 'advertised', id: frame.id }, advertisement);
  }

  async #withdraw(frame: Up<'withdraw'>): Promise<void> {
    const session = this.#requireSession();
    const claim = readSignedClaim(session.providerId, session.publicKey, frame.t, frame.signature);
    await this.#gateway.writer.withdraw(claim, session.token, this.client.address);
    this.#reply({ type: 'withdrawn', id: frame.id });
  }

  #requireSession(): Session {
    if (this.#session !== null) return this.#session;
    throw new ProtocolError('WS_002', 'authenticate first, then advertise and withdraw');
  }

  #subscribe(frame: Up<'subscribe'>): void {
    this.#ownSubscriptions().subscribe(frame);
    this.#admitted = true;
    if (this.#closing || this.#nextBookmark !== Number.POSITIVE_INFINITY) return;
    this.#nextBookmark = this.#gateway.now + LIMITS.bookmarkMs;
    this.#gateway.wakeAt(this, this.#nextBookmark);
  }

  #unsubscribe(frame: Up<'unsubscribe'>): void {
    const subscriptions = this.#ownSubscriptions();
    subscriptions.unsubscribe(frame);
    if (subscriptions.size === 0) this.#nextBookmark = Number.POSITIVE_INFINITY;
    this.#reply({ type: 'unsubscribed', id: frame.id, stream: frame.stream });
  }

  /** Made when the first is asked for, because most connections are those of providers. */
  #ownSubscriptions(): Subscriptions {
    return (this.#subscriptions ??= new Subscriptions(this.#gateway, this, this.client));
  }

  // ---- answers ----------------------------------------------------------------------------------------------

  #reply(frame: DownFrame): void {
    this.send(this.codec.encode(frame));
  }

  /** Answers with a frame whose `advertisement` is there as JSON already. */
  #replyWith(head: object, advertisement: Uint8Array): void {
    this.send(this.codec.extend(head, 'advertisement', transcode(this.codec, advertisement)));
  }

  #refuse(id: RequestId | undefined, error: ProtocolError): void {
    this.#gateway.countRefusal(error.code);
    this.#reply({ type: 'error', ...(id === undefined ? {} : { id }), ...error.toBody(this.#gateway.wall) });
  }

  #malformed(problem: string): void {
    this.#refuse(undefined, new ProtocolError('WS_001', `the frame cannot be read: ${problem}`));
    this.close(CLOSE.malformedFrame, `malformed frame: ${problem}`);
  }

  #fail(id: RequestId, error: unknown): void {
    if (error instanceof FencedError) return;
    if (error instanceof ProtocolError) {
      this.#refuse(id, error);
    } else if (error instanceof PayloadError) {
      // Over a socket the payload is one member of a well-formed request: what is wrong is the advertisement.
      this.#refuse(id, new ProtocolError('ADV_001', `payload: ${error.message}`));
    } else {
      this.#gateway.reportError(error);
      this.fail();
    }
  }

  /** Asked where the compiler believes to know, although a call in between may have closed the connection. */
  #isOver(): boolean {
    return this.#closing;
  }

  /** Gives up everything this connection holds; it happens once, at the first sign of the end. */
  #leave(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#outbox.end();
    this.#subscriptions?.end();
    this.#subscriptions = null;
    const session = this.#session;
    this.#session = null;
    if (session !== null) this.#gateway.sessionEnded(session.providerId, session.token, this);
  }
}

/** Whether, and when, it makes sense to come back after authentication was refused. */
function closeCodeOf({ code, unavailable }: ProtocolError): number {
  if (unavailable) return CLOSE.overloaded;
  return code.startsWith('RATE_') ? CLOSE.messageRate : CLOSE.authenticationFailed;
}
