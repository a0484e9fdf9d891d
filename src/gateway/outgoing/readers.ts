import { ProtocolError } from '../../protocol/errors.js';
import type { StreamedBody } from '../../protocol/http-message.js';
import type { Backlog } from './backlog.js';
import type { Clients } from '../clients.js';
import { STOPPING } from '../drain.js';
import { Reader, type ReaderHost } from './reader.js';
import type { GatewaySettings, ReaderEnd } from '../settings.js';

/** What readers need from the gateway. */
export interface ReadersHost {
  /** Service milliseconds. */
  readonly now: number;
  readonly settings: GatewaySettings;
  readonly backlog: Backlog;
  readonly clients: Clients;
  /** Whether the hub is stopping and accepts nothing new. */
  readonly draining: boolean;
  /** WebSockets and readers. */
  readonly connections: number;
  countReaderEnd(reason: ReaderEnd): void;
  reportError(error: unknown): void;
}

/**
 * The readers of streamed bodies. Each counts as a connection, per address and overall, and may have as many bytes queued as a WebSocket.
 */
export class Readers implements ReaderHost {
  readonly settings: GatewaySettings;
  readonly backlog: Backlog;
  readonly #host: ReadersHost;
  readonly #open = new Set<Reader>();

  constructor(host: ReadersHost) {
    this.#host = host;
    this.settings = host.settings;
    this.backlog = host.backlog;
  }

  get now(): number {
    return this.#host.now;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Bytes queued for all of them. */
  get queuedBytes(): number {
    let bytes = 0;
    for (const reader of this.#open) bytes += reader.bufferedAmount;
    return bytes;
  }

  /** The open readers, in no particular order. */
  all(): Reader[] {
    return [...this.#open];
  }

  /**
   * Adds a reader, which counts until its body is closed.
   * @param address The client address that requested the body.
   * @returns The body for the transport, replacing `body`.
   * @throws ProtocolError `RATE_002` if the address has too many connections, `ADV_003` if the hub is full or stopping.
   */
  admit(body: StreamedBody, address: string): StreamedBody {
    const { clients, settings, connections, draining } = this.#host;
    if (draining) throw new ProtocolError('ADV_003', STOPPING, { unavailable: true, retryAfterSeconds: 5 });
    clients.checkRoom(address, settings.maxConnectionsPerAddress);
    if (connections >= settings.maxConnections) {
      throw new ProtocolError('ADV_003', 'the hub has as many connections as it can take; try again later', {
        unavailable: true,
        retryAfterSeconds: 60,
      });
    }
    const reader = new Reader(this, clients.enter(address), body);
    this.#open.add(reader);
    return reader;
  }

  /** Called on every tick of the gateway. */
  tick(): void {
    for (const reader of this.#open) reader.tick();
  }

  readerGone(reader: Reader, reason: ReaderEnd): void {
    this.#open.delete(reader);
    this.#host.clients.leave(reader.client);
    this.#host.countReaderEnd(reason);
  }

  reportError(error: unknown): void {
    this.#host.reportError(error);
  }
}
