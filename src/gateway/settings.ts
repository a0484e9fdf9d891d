import type { ErrorCode } from '../protocol/errors.js';
import type { StreamObserver } from '../streams/observer.js';

/** What an operator can set about connections. */
export interface GatewaySettings {
  /** Milliseconds between two pings. */
  heartbeatMs: number;
  /** Announced to clients, in seconds. */
  expirySeconds: number;
  /** Messages a minute and connection; 0 for no limit. */
  messagesPerMinute: number;
  /** WebSockets and readers of streamed bodies in all; a WebSocket more is closed with 4503, a reader refused. */
  maxConnections: number;
  /** WebSockets and readers of streamed bodies of one client address; 0 for no limit. */
  maxConnectionsPerAddress: number;
  /** Long lists that one client address may read at the same time; 0 for no limit. */
  maxLongBodiesPerAddress: number;
  /** Subscriptions a connection. */
  maxSubscriptions: number;
  /** Subscriptions of all connections of one client address; 0 for no limit. */
  maxSubscriptionsPerAddress: number;
  /** Subscriptions that one client address may begin in a minute; 0 for no limit. */
  subscribesPerMinute: number;
  /** Distinct filters that are subscribed to, in all. */
  maxFilters: number;
  /** Bytes that may wait in one connection, whatever it is that waits. */
  maxQueuedBytes: number;
  /** Bytes that wait in all connections above which the longest queues are given up. */
  maxTotalQueuedBytes: number;
  /** Hosts that a session may be signed for; empty: the one the handshake named. */
  publicHosts: readonly string[];
  /** Whether the hub itself speaks TLS, so that what is dialled is `wss`. */
  tls: boolean;
}

/** Fixed bounds of a connection's queues. */
export const QUEUE = {
  /** Bytes waiting above which stream events are held back and coalesced. */
  highWaterBytes: 256 * 1024,
  /** Bytes waiting below which they flow again. */
  lowWaterBytes: 32 * 1024,
  /** Milliseconds that a full queue may go without any progress. */
  stallMs: 10_000,
  /** Signed requests of one connection that may wait for each other. */
  maxWaitingRequests: 64,
} as const;

/**
 * Why a streamed body ended: its end was `ended` by who fills it, or it could not be gone on with (`failed`), its
 * reader went (`gone`) or fell behind (`slow`), or the hub is `stopping`.
 */
export type ReaderEnd = 'ended' | 'failed' | 'gone' | 'slow' | 'stopping';

/** What the gateway tells whoever keeps count. */
export interface GatewayObserver extends StreamObserver {
  connectionClosed(code: number): void;
  readerEnded(reason: ReaderEnd): void;
  /** Seconds until a provider was told who sees it. */
  visibilityAnswered(seconds: number): void;
  /** A request over a socket was refused. */
  requestRefused(code: ErrorCode): void;
}

/** What the gateway tells whoever keeps the log. Addresses are those that limits count. */
export interface GatewayJournal {
  connected(address: string, codec: string): void;
  closed(code: number, address: string): void;
  authenticated(providerId: string, address: string): void;
  /** @param before The address of the session that had to go. */
  replaced(providerId: string, address: string, before: string): void;
  subscribed(stream: string, address: string): void;
  resumeRefused(stream: string, address: string): void;
  /** @param claimed The provider that it was said to be from, which nobody has verified; null for none. */
  refused(code: ErrorCode, address: string, claimed: string | null): void;
}

/** Keeps no log. */
export const NO_JOURNAL: GatewayJournal = {
  connected: () => undefined,
  closed: () => undefined,
  authenticated: () => undefined,
  replaced: () => undefined,
  subscribed: () => undefined,
  resumeRefused: () => undefined,
  refused: () => undefined,
};
