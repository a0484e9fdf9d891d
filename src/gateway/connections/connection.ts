import { CLOSE } from '../../protocol/frames/close-codes.js';
import type { Codec } from '../../protocol/frames/codec.js';
import { ProtocolError } from '../../protocol/errors.js';
import type { DownFrame } from '../../protocol/frames/frames-down.js';
import { parseUpFrame, type RequestId, type Up, type UpFrame } from '../../protocol/frames/frames-up.js';
import { LIMITS, PROTOCOL_VERSION } from '../../protocol/limits.js';
import { PayloadError } from '../../registry/write/payload.js';
import { FencedError } from '../../registry/write/write-path.js';
import type { Client } from '../clients.js';
import { STOPPING } from '../drain.js';
import { transcode } from '../../streams/event-encoder.js';
import type { ConnectionHost } from './connection-host.js';
import type { Sender } from './intake.js';
import { Liveness } from './liveness.js';
import { MessageBudget } from './message-budget.js';
import { Outbox } from '../outgoing/outbox.js';
import type { Socket, SocketHandler } from '../transports/port.js';
import { Session, type SessionConnection } from './session.js';
import type { Subscriber } from '../../streams/stream.js';
import { Subscriptions } from './subscriptions.js';

/**
 * One WebSocket connection: frames in, frames out, and its end. Its session handles what a provider does over it, its subscriptions what a
 * requestor does; one connection may have both.
 */
export class Connection implements SocketHandler, Sender, Subscriber, SessionConnection {
  readonly codec: Codec;
  readonly isPaced = true;
  /** Its number on the gateway's wheel of deadlines. */
  readonly slot: number;
  /** The exact address it comes from. */
  readonly client: Client;
  readonly from: string;
  /** When (service ms) the gateway checks it next; maintained by the gateway. */
  lookAt = Number.POSITIVE_INFINITY;
  readonly #gateway: ConnectionHost;
  readonly #socket: Socket;
  readonly #outbox: Outbox;
  readonly #budget: MessageBudget;
  readonly #liveness: Liveness;
  readonly #session: Session;
  #subscriptions: Subscriptions | null = null;
  #isOver = false;
  #nextBookmark = Number.POSITIVE_INFINITY;

  constructor(
    gateway: ConnectionHost,
    socket: Socket,
    options: { codec: Codec; host: string; client: Client; from: string; slot: number },
  ) {
    const { now, settings } = gateway;
    const nonce = gateway.nonces.next();
    this.#gateway = gateway;
    this.#socket = socket;
    this.codec = options.codec;
    this.client = options.client;
    this.from = options.from;
    this.#outbox = new Outbox(socket, options.codec.binary, settings, gateway.backlog, () => {
      this.fallBehind('too much is queued for all clients together, and most of it for this one');
    });
    this.slot = options.slot;
    this.#budget = new MessageBudget(settings.messagesPerMinute, now);
    this.#liveness = new Liveness(settings.heartbeatMs, now);
    this.#session = new Session(gateway, this, options.host, nonce);
    this.reply({
      type: 'welcome',
      version: PROTOCOL_VERSION,
      epoch: gateway.registry.changes.epoch,
      nonce,
      heartbeat_seconds: settings.heartbeatMs / 1000,
      expiry_seconds: settings.expirySeconds,
      max_frame_bytes: LIMITS.maxFrameBytes,
      server_time: gateway.isoNow(),
    });
  }

  get bufferedBytes(): number {
    return this.#isOver ? 0 : this.#socket.bufferedAmount;
  }

  // ---- what the transport calls -----------------------------------------------------------------------------

  message(bytes: Uint8Array, binary: boolean): void {
    if (this.#isOver) return;
    this.#alive();
    if (bytes.length > LIMITS.maxFrameBytes) {
      this.close(CLOSE.frameTooBig, `a frame may have at most ${String(LIMITS.maxFrameBytes)} bytes`);
      return;
    }
    if (!this.#spend()) return;
    if (!this.#gateway.intake.take(this, bytes, binary))
      this.close(CLOSE.messageRate, 'frames from this address arrive faster than they can be processed');
  }

  receive(bytes: Uint8Array, binary: boolean): void {
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
    else this.refuse(parsed.id, new ProtocolError('WS_001', parsed.message));
  }

  pinged(): void {
    if (this.#isOver) return;
    this.#alive();
    this.#spend();
  }

  ponged(): void {
    if (this.#isOver) return;
    this.#alive();
    if (!this.#liveness.takePong()) this.#spend();
  }

  emptied(): void {
    if (this.#isOver || !this.#outbox.emptied()) return;
    // It was full: a peer that takes that much is alive, even if its pong, queued behind, takes a while.
    this.#alive();
    this.#subscriptions?.advance();
    this.#sendDueBookmark();
  }

  closed(code: number): void {
    const wasOpen = !this.#isOver;
    this.#leave();
    this.#gateway.connectionGone(this, wasOpen ? code : null);
  }

  // ---- what its session calls -------------------------------------------------------------------------------

  get isOver(): boolean {
    return this.#isOver;
  }

  admit(): void {
    this.#liveness.admit();
  }

  reply(frame: DownFrame): void {
    this.send(this.codec.encode(frame));
  }

  replyWith(head: object, advertisement: Uint8Array): void {
    this.send(this.codec.extend(head, 'advertisement', transcode(this.codec, advertisement)));
  }

  refuse(
    id: RequestId | undefined,
    error: ProtocolError,
    claimed: string | null = this.#session.providerId,
  ): void {
    this.#gateway.countRefusal(error.code, this, claimed);
    this.reply({ type: 'error', ...(id === undefined ? {} : { id }), ...error.toBody(this.#gateway.wall) });
  }

  fault(id: RequestId, error: unknown): void {
    if (error instanceof FencedError) return;
    if (error instanceof ProtocolError) {
      this.refuse(id, error);
    } else if (error instanceof PayloadError) {
      // Here the payload is one member of a well-formed request, so the advertisement is at fault.
      this.refuse(id, new ProtocolError('ADV_001', `payload: ${error.message}`));
    } else {
      this.#gateway.reportError(error);
      this.fail();
    }
  }

  // ---- what the gateway and its streams call ----------------------------------------------------------------

  get account(): Client {
    return this.client;
  }

  get writable(): boolean {
    return !this.#isOver && !this.#outbox.isFull;
  }

  send(frame: Uint8Array): void {
    if (this.#isOver) return;
    if (!this.#outbox.send(frame, this.#gateway.now)) {
      this.fallBehind('it does not read what it is sent');
      return;
    }
    if (this.#liveness.takePingAfter(frame.length)) this.#socket.ping();
    if (this.#outbox.isFull) this.#gateway.wakeAt(this, this.#outbox.giveUpAt);
  }

  fallBehind(reason: string): void {
    this.close(CLOSE.tooSlow, reason);
  }

  fail(): void {
    this.close(CLOSE.internal, 'internal error');
  }

  replaced(): void {
    this.#session.release();
    this.close(CLOSE.replaced, 'a newer session of this provider has taken over');
  }

  advertisementWithdrawn(): void {
    this.#session.advertisementWithdrawn();
  }

  close(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#leave();
    this.#gateway.countClose(code, this);
    this.#socket.close(code, reason);
  }

  /**
   * Handles what is due: a stalled queue, admission, silence, ping, bookmark.
   * @returns When (service ms) to check again.
   */
  tick(now: number): number {
    if (this.#isOver) return Number.POSITIVE_INFINITY;
    if (this.#outbox.isMoving(now)) this.#alive();
    if (now >= this.#outbox.giveUpAt) {
      this.fallBehind('it does not read what it is sent');
      return Number.POSITIVE_INFINITY;
    }
    const verdict = this.#liveness.verdict(now, this.#isAsking);
    if (verdict !== null) {
      this.close(verdict.code, verdict.reason);
      return Number.POSITIVE_INFINITY;
    }
    if (this.#liveness.takePing(now)) this.#socket.ping();
    this.#sendDueBookmark();
    // An overdue bookmark is retried in the next tick, or, if the outbox is full, once that is empty.
    const bookmark = Math.max(this.#nextBookmark, now + 1);
    return Math.min(this.#liveness.nextLook(now), bookmark, this.#outbox.giveUpAt);
  }

  /** Whether a request that may admit it is pending. */
  get #isAsking(): boolean {
    return this.#session.isAsking || this.#gateway.intake.waits(this);
  }

  /** Records a sign of life. */
  #alive(): void {
    this.#liveness.heard(this.#gateway.now);
    this.#session.heartbeat();
  }

  /** Counts a message or a control frame. @returns False if that was one too many and the connection is closed. */
  #spend(): boolean {
    if (this.#budget.spend(this.#gateway.now)) return true;
    const limit = String(this.#gateway.settings.messagesPerMinute);
    this.close(
      CLOSE.messageRate,
      `more than ${limit} messages a minute, pings and unasked-for pongs included`,
    );
    return false;
  }

  // ---- requests ---------------------------------------------------------------------------------------------

  #dispatch(frame: UpFrame): void {
    if (this.#gateway.draining && frame.type !== 'heartbeat' && frame.type !== 'unsubscribe') {
      this.close(CLOSE.overloaded, STOPPING);
      return;
    }
    switch (frame.type) {
      case 'heartbeat':
        this.reply({ type: 'heartbeat', server_time: this.#gateway.isoNow() });
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
      case 'advertise':
      case 'withdraw':
      case 'visibility':
        this.#session.receive(frame);
        return;
    }
  }

  #attempt(id: RequestId, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.fault(id, error);
    }
  }

  #subscribe(frame: Up<'subscribe'>): void {
    this.#ownSubscriptions().subscribe(frame);
    this.#liveness.admit();
    if (this.#isOver || this.#nextBookmark !== Number.POSITIVE_INFINITY) return;
    this.#nextBookmark = this.#gateway.now + LIMITS.bookmarkMs;
    this.#gateway.wakeAt(this, this.#nextBookmark);
  }

  #unsubscribe(frame: Up<'unsubscribe'>): void {
    const subscriptions = this.#ownSubscriptions();
    subscriptions.unsubscribe(frame);
    if (subscriptions.size === 0) this.#nextBookmark = Number.POSITIVE_INFINITY;
    this.reply({ type: 'unsubscribed', id: frame.id, stream: frame.stream });
  }

  #sendDueBookmark(): void {
    const { now } = this.#gateway;
    if (this.#subscriptions === null || now < this.#nextBookmark) return;
    if (this.#subscriptions.bookmark()) this.#nextBookmark = now + LIMITS.bookmarkMs;
  }

  /** Created on demand, because most connections are those of providers. */
  #ownSubscriptions(): Subscriptions {
    return (this.#subscriptions ??= new Subscriptions(this.#gateway, this, this.client));
  }

  #malformed(problem: string): void {
    this.refuse(undefined, new ProtocolError('WS_001', `the frame cannot be read: ${problem}`));
    this.close(CLOSE.malformedFrame, `malformed frame: ${problem}`);
  }

  /** Releases everything this connection holds; runs once, at the first sign of the end. */
  #leave(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#outbox.end();
    this.#gateway.intake.drop(this);
    this.#subscriptions?.end();
    this.#subscriptions = null;
    this.#session.end();
  }
}
