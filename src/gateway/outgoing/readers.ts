import { ProtocolError } from '../../protocol/errors.js';
import type { StreamedBody } from '../../protocol/http-message.js';
import type { Backlog } from './backlog.js';
import type { Clients } from '../clients.js';
import { STOPPING } from '../drain.js';
import { Reader, type ReaderHost } from './reader.js';
import type { GatewaySettings, ReaderEnd } from '../settings.js';

/** What the readers need of the gateway that has them. */
export interface ReadersHost {
  /** Service milliseconds. */
  readonly now: number;
  readonly settings: GatewaySettings;
  readonly backlog: Backlog;
  readonly clients: Clients;
  /** Whether the hub stops: nothing new is taken on. */
  readonly draining: boolean;
  /** WebSockets and readers. */
  readonly connections: number;
  countReaderEnd(reason: ReaderEnd): void;
  reportError(error: unknown): void;
}

/**
 * The readers of streamed bodies. Each counts as a connection, of its client address and in all, and may have as many
 * bytes waiting as a WebSocket.
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

  /** Bytes that wait for all of them. */
  get queuedBytes(): number {
    let bytes = 0;
    for (const reader of this.#open) bytes += reader.bufferedAmount;
    return bytes;
  }

  /** Those that are open, in no order. */
  all(): Reader[] {
    return [...this.#open];
  }

  /**
   * Takes a reader in. It counts from here on, until its body is closed.
   * @param address The client address that asked for the body.
   * @returns The body for the transport, in the place of `body`.
   * @throws ProtocolError `RATE_002` when the address has as many connections as it may have, `ADV_003` when the hub
   * can take no more or stops.
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

  /** Called with every tick of the gateway. */
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
