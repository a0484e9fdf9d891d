import { Gateway } from '../../../src/gateway/gateway.js';
import type { Socket, SocketHandler } from '../../../src/gateway/transports/port.js';
import type { GatewaySettings, ReaderEnd } from '../../../src/gateway/settings.js';
import type { OpenReads } from '../../../src/http/events.js';
import { Registry } from '../../../src/registry/registry.js';
import { WritePath } from '../../../src/registry/write/write-path.js';
import type { FakeClock } from '../fake-clock.js';
import { MemoryLog } from '../worlds/memory-log.js';

/** A gateway with almost no limits over an in-memory registry, for fake sockets. */
export class GatewayWorld {
  readonly registry: Registry;
  readonly gateway: Gateway;
  readonly log = new MemoryLog();
  /** Why streamed bodies ended. */
  readonly readerEnds: ReaderEnd[] = [];

  constructor(clock: FakeClock, settings: Partial<GatewaySettings> = {}) {
    this.registry = new Registry(
      { expiryMs: 300_000, restartGraceMs: 60_000, replayEvents: 1000, cleanupMs: 60_000 },
      clock,
    );
    this.registry.keepIn(this.log);
    this.gateway = new Gateway(
      this.registry,
      new WritePath(this.registry, this.log, () => Promise.resolve(true)),
      {
        heartbeatMs: 30_000,
        expirySeconds: 300,
        messagesPerMinute: 0,
        maxConnections: 1000,
        maxConnectionsPerAddress: 0,
        maxLongBodiesPerAddress: 0,
        maxSubscriptions: 8,
        maxSubscriptionsPerAddress: 0,
        subscribesPerMinute: 0,
        maxFilters: 1000,
        maxQueuedBytes: 16 * 1024 * 1024,
        maxTotalQueuedBytes: 1024 ** 3,
        publicHosts: [],
        tls: false,
        ...settings,
      },
      {
        observer: {
          connectionClosed: () => undefined,
          visibilityAnswered: () => undefined,
          readerEnded: (reason) => void this.readerEnds.push(reason),
          requestRefused: () => undefined,
          resumeDecided: () => undefined,
          eventsSent: () => undefined,
        },
        onError: (error) => {
          throw error;
        },
      },
    );
  }

  /** Has a socket arrive. @returns What the transport would call. */
  open(socket: Socket): SocketHandler {
    const decision = this.gateway.upgrade(
      {
        method: 'GET',
        path: '/api/v1/ws',
        search: '',
        headers: new Map([['host', 'hub.example']]),
        body: new Uint8Array(),
        peerAddress: socket.peerAddress,
        isGone: false,
      },
      socket.peerAddress,
    );
    if (!decision.accept) throw new Error('the handshake was refused');
    return decision.open(socket);
  }
}

/** Reads that stay open, where none is asked for. */
export const NO_READS: OpenReads = {
  readEvents: () => {
    throw new Error('nobody asked for events here');
  },
  awaitChange: () => Promise.reject(new Error('nobody asked to wait here')),
  checkLongBody: () => undefined,
};
