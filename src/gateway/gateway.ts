import { CLOSE } from '../protocol/frames/close-codes.js';
import { negotiateCodec } from '../protocol/frames/codec.js';
import { type ErrorCode, ProtocolError } from '../protocol/errors.js';
import { SUBPROTOCOLS } from '../protocol/limits.js';
import type { SignedClaim } from '../registry/write/claim.js';
import { TICK_MS } from '../lib/clock.js';
import { TimingWheel } from '../lib/timing-wheel.js';
import type { Attachment, Registry, SessionToken } from '../registry/registry.js';
import { WindowLimiter } from '../lib/limits/window-limiter.js';
import type { WritePath } from '../registry/write/write-path.js';
import { Backlog } from './outgoing/backlog.js';
import { Clients } from './clients.js';
import { Connection } from './connections/connection.js';
import { Drain, STOPPING } from './drain.js';
import { plausibleHosts } from './connections/dialled-hosts.js';
import type { ConnectionHost, HostedConnection } from './connections/connection-host.js';
import { LongBodies } from './outgoing/long-bodies.js';
import { type EventRequest, readEvents } from './events/event-reader.js';
import { ListWaits, type WaitHost, type WaitRequest } from './events/list-waits.js';
import { Readers, type ReadersHost } from './outgoing/readers.js';
import { Intake } from './connections/intake.js';
import { Nonces } from './connections/nonces.js';
import type { StreamedBody } from '../protocol/http-message.js';
import type { HttpRequest, UpgradeDecision } from './transports/port.js';
import {
  type GatewayJournal,
  type GatewayObserver,
  type GatewaySettings,
  NO_JOURNAL,
  type ReaderEnd,
} from './settings.js';
import type { StreamObserver } from '../streams/observer.js';
import { StreamHub } from '../streams/stream-hub.js';
import { Visibilities } from './visibilities.js';

/** The reason given to clients when all places are taken. */
const FULL = 'the hub has as many connections as it can take; try again later';
/** The reason given to clients when the hub closes their connections because it is cut off from its store. */
const CUT_OFF = 'the hub has lost contact with the others; reconnect, to another one if you can';
const MINUTE_MS = 60_000;
const INITIAL_CONNECTIONS = 1024;
/** How many connections are checked, mostly to ping them, per event-loop iteration. */
const LOOKS_A_TURN = 250;
/** Buckets of one tick each: nearly two minutes, longer than any default deadline of a connection. */
const WHEEL_BUCKETS = 512;

/** All connections: who is connected, which provider each speaks for, and when to check each again. */
export class Gateway implements ConnectionHost, ReadersHost, WaitHost {
  readonly registry: Registry;
  readonly writePath: WritePath;
  readonly settings: GatewaySettings;
  readonly streams: StreamHub;
  /** Counts new subscriptions by client address. */
  readonly subscribes: WindowLimiter;
  readonly nonces = new Nonces();
  readonly backlog: Backlog;
  readonly intake = new Intake();
  readonly clients = new Clients();
  readonly readers: Readers;
  readonly longBodies = new LongBodies(this);
  readonly waits: ListWaits;
  readonly visibilities: Visibilities;
  readonly journal: GatewayJournal;
  readonly #observer: GatewayObserver;
  readonly #onError: (error: unknown) => void;
  readonly #connections: (Connection | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  readonly #sessions = new Map<string, HostedConnection>();
  readonly #wheel = new TimingWheel(INITIAL_CONNECTIONS, TICK_MS, WHEEL_BUCKETS);
  #capacity = INITIAL_CONNECTIONS;
  #drain: { progress: Drain; done: () => void } | null = null;
  #draining = false;
  #drained: Promise<void> | null = null;
  /** Whether more connections are due than one iteration could check. */
  #isLooking = false;

  constructor(
    registry: Registry,
    writePath: WritePath,
    settings: GatewaySettings,
    hooks: { observer: GatewayObserver; journal?: GatewayJournal; onError: (error: unknown) => void },
  ) {
    this.registry = registry;
    this.writePath = writePath;
    this.settings = settings;
    this.backlog = new Backlog(settings.maxTotalQueuedBytes);
    this.#observer = hooks.observer;
    this.journal = hooks.journal ?? NO_JOURNAL;
    this.#onError = hooks.onError;
    this.subscribes = new WindowLimiter(settings.subscribesPerMinute, MINUTE_MS);
    this.readers = new Readers(this);
    this.waits = new ListWaits(this);
    this.streams = new StreamHub(registry, this.#streamObserver(), { onError: hooks.onError });
    registry.onChange(({ providerId, reason }) => {
      if (reason === 'withdrawn') this.#sessions.get(providerId)?.advertisementWithdrawn();
    });
    registry.onTakenOver((providerId) => {
      const connection = this.#sessions.get(providerId);
      if (connection === undefined) return;
      this.#sessions.delete(providerId);
      connection.replaced();
    });
    this.visibilities = new Visibilities(registry, this.streams, (seconds) => {
      hooks.observer.visibilityAnswered(seconds);
    });
  }

  /** Service milliseconds. */
  get now(): number {
    return this.registry.clock.now;
  }

  get steady(): number {
    return this.registry.clock.steady();
  }

  /** Unix milliseconds. */
  get wall(): number {
    return this.registry.clock.wall();
  }

  /** WebSockets. */
  get sockets(): number {
    return this.#connections.length - this.#freeSlots.length;
  }

  /** WebSockets and readers of streamed bodies. */
  get connections(): number {
    return this.sockets + this.readers.size;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** Whether the hub is stopping and accepts nothing new. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Bytes queued on all connections. */
  get queuedBytes(): number {
    let bytes = this.readers.queuedBytes;
    for (const connection of this.#connections) bytes += connection?.bufferedBytes ?? 0;
    return bytes;
  }

  isoNow(): string {
    return new Date(this.wall).toISOString();
  }

  /**
   * Decides on a handshake.
   * @param address The client address, as limits count it.
   * @param from The exact address.
   * @throws ProtocolError if it is refused.
   */
  upgrade(request: HttpRequest, address: string, from = address): UpgradeDecision {
    this.clients.checkRoom(address, this.settings.maxConnectionsPerAddress);
    const offered = request.headers.get('sec-websocket-protocol') ?? '';
    const negotiated = negotiateCodec(offered);
    if (negotiated === null) {
      throw new ProtocolError(
        'HTTP_400',
        `none of the offered subprotocols is known; offer ${SUBPROTOCOLS.json} or ${SUBPROTOCOLS.msgpack}, or none for JSON`,
      );
    }
    const host = (request.headers.get('host') ?? '').toLowerCase();
    const { codec, subprotocol } = negotiated;
    return {
      accept: true,
      subprotocol,
      open: (socket) => {
        const client = this.clients.enter(address);
        const slot = this.#takeSlot();
        const connection = new Connection(this, socket, { codec, host, client, from, slot });
        this.#connections[connection.slot] = connection;
        this.journal.connected(address, codec.name);
        this.#lookAt(connection);
        if (this.registry.isCutOff) connection.close(CLOSE.overloaded, CUT_OFF);
        else if (this.#draining) connection.close(CLOSE.overloaded, STOPPING);
        else if (this.connections > this.settings.maxConnections) connection.close(CLOSE.overloaded, FULL);
        return connection;
      },
    };
  }

  /** Streams a filter's matches as server-sent events: see `events/event-reader.ts`. */
  readEvents(request: EventRequest): StreamedBody {
    return readEvents(this, request);
  }

  /** Asks for a long body's place before the body is made: see `LongBodies.check`. */
  checkLongBody(address: string): void {
    this.longBodies.check(address);
  }

  /** Waits until a filter's matches change: see `ListWaits.wait`. */
  awaitChange(request: WaitRequest): Promise<string | null> {
    return this.waits.wait(request);
  }

  /** Advances time for all connections. Called after the registry's tick. */
  tick(): void {
    if (this.registry.isCutOff) this.#closeAll();
    this.#lookAtDue();
    this.readers.tick();
    this.longBodies.tick();
    this.waits.tick();
    this.#advanceDrain();
  }

  /**
   * Closes all WebSockets with 4503 and ends all streamed bodies, spread evenly over a time; connections that arrive or ask for something new
   * are closed at once. Providers stay live, because only the hub is leaving.
   * @param durationMs 0 closes all at once.
   * @returns Resolves once all are closed, early if nobody is left; the same promise however often it is called.
   */
  drain(durationMs: number): Promise<void> {
    return (this.#drained ??= this.#beginDrain(durationMs));
  }

  #beginDrain(durationMs: number): Promise<void> {
    this.#draining = true;
    const sockets = this.#connections.filter((connection) => connection !== undefined);
    const bodies = this.readers.all().map((reader) => ({ close: () => reader.stop() }));
    const open = [...sockets, ...bodies];
    return new Promise((done) => {
      this.#drain = { progress: new Drain(open, this.now, durationMs), done };
      this.#advanceDrain();
    });
  }

  // ---- what connections call --------------------------------------------------------------------------------

  /** Schedules a check of a connection no later than `time`, if that is sooner than planned. */
  wakeAt(connection: HostedConnection, time: number): void {
    if (time >= connection.lookAt) return;
    connection.lookAt = time;
    this.#wheel.schedule(connection.slot, time);
  }

  authenticate(claim: SignedClaim, nonce: string, host: string, address: string): Promise<void> {
    const { hosts, others } = plausibleHosts(host, this.settings.publicHosts, this.settings.tls);
    return this.writePath.authenticate(claim, nonce, hosts, others, address);
  }

  /** Makes this connection the provider's session; an older one is closed. */
  takeOver(providerId: string, connection: HostedConnection): Attachment {
    const older = this.#sessions.get(providerId);
    this.#sessions.set(providerId, connection);
    const attachment = this.registry.attach(providerId, connection.from);
    if (older !== undefined) {
      this.journal.replaced(providerId, connection.client.address, older.client.address);
      older.replaced();
    }
    this.journal.authenticated(providerId, connection.client.address);
    return attachment;
  }

  /** A session's connection has ended: its provider turns suspect, unless the hub itself is stopping. */
  sessionEnded(providerId: string, token: SessionToken, connection: HostedConnection): void {
    if (this.#sessions.get(providerId) !== connection) return;
    this.#sessions.delete(providerId);
    if (this.#draining) return;
    // Deferred: the connection may break while events are being sent, and these must not change meanwhile.
    queueMicrotask(() => {
      this.registry.detach(providerId, token);
    });
  }

  countClose(code: number, { client }: HostedConnection): void {
    this.#observer.connectionClosed(code);
    this.journal.closed(code, client.address);
  }

  countReaderEnd(reason: ReaderEnd): void {
    this.#observer.readerEnded(reason);
  }

  countRefusal(code: ErrorCode, { client }: HostedConnection, claimed: string | null): void {
    this.#observer.requestRefused(code);
    this.journal.refused(code, client.address, claimed);
  }

  /** @param code The peer's close code; null if the hub closed it, which is already counted. */
  connectionGone(connection: HostedConnection, code: number | null): void {
    if (code !== null) this.countClose(code, connection);
    if (this.#connections[connection.slot] !== connection) return;
    this.#connections[connection.slot] = undefined;
    this.clients.leave(connection.client);
    this.#wheel.cancel(connection.slot);
    this.#freeSlots.push(connection.slot);
  }

  reportError(error: unknown): void {
    this.#onError(error);
  }

  #streamObserver(): StreamObserver {
    const observer = this.#observer;
    return {
      eventsSent: (seconds) => {
        observer.eventsSent(seconds);
      },
      resumeDecided: (outcome, subscription) => {
        observer.resumeDecided(outcome, subscription);
        const { stream, subscriber } = subscription;
        if (outcome === 'refused' && subscriber instanceof Connection) {
          this.journal.resumeRefused(stream.name, subscriber.client.address);
        }
      },
    };
  }

  #closeAll(): void {
    for (const connection of this.#connections) connection?.close(CLOSE.overloaded, CUT_OFF);
    for (const reader of this.readers.all()) reader.stop();
  }

  #advanceDrain(): void {
    if (this.#drain === null) return;
    const { progress, done } = this.#drain;
    if (!progress.advance(this.now) && this.connections > 0) return;
    this.#drain = null;
    done();
  }

  /** Checks due connections in portions: those that arrived together are due together, and must not hold up others. */
  #lookAtDue(): void {
    if (this.#isLooking) return;
    const all = this.#wheel.advance(this.now, LOOKS_A_TURN, (slot) => {
      const connection = this.#connections[slot];
      if (connection !== undefined) this.#lookAt(connection);
    });
    if (all) return;
    this.#isLooking = true;
    setImmediate(() => {
      this.#isLooking = false;
      this.#lookAtDue();
    });
  }

  #lookAt(connection: Connection): void {
    connection.lookAt = connection.tick(this.now);
    this.#wheel.schedule(connection.slot, connection.lookAt);
  }

  #takeSlot(): number {
    const slot = this.#freeSlots.pop() ?? this.#connections.length;
    if (slot === this.#capacity) {
      this.#capacity *= 2;
      this.#wheel.grow(this.#capacity);
    }
    // Deferred, because the connection only exists once its constructor has returned.
    this.#connections[slot] = undefined;
    return slot;
  }
}
