import type { ErrorCode } from '../protocol/errors.js';
import type { StreamObserver } from '../streams/observer.js';

/** An operator's settings for connections. */
export interface GatewaySettings {
  /** Milliseconds between two pings. */
  heartbeatMs: number;
  /** Announced to clients, in seconds. */
  expirySeconds: number;
  /** Messages per minute and connection; 0 for no limit. */
  messagesPerMinute: number;
  /** WebSockets and readers of streamed bodies overall; further WebSockets are closed with 4503, further readers refused. */
  maxConnections: number;
  /** WebSockets and readers of streamed bodies per client address; 0 for no limit. */
  maxConnectionsPerAddress: number;
  /** Long lists being read per client address; 0 for no limit. */
  maxLongBodiesPerAddress: number;
  /** Subscriptions per connection. */
  maxSubscriptions: number;
  /** Subscriptions per client address, over all its connections; 0 for no limit. */
  maxSubscriptionsPerAddress: number;
  /** New subscriptions per minute and client address; 0 for no limit. */
  subscribesPerMinute: number;
  /** Distinct filters in use, overall. */
  maxFilters: number;
  /** Bytes of any kind that may be queued on one connection. */
  maxQueuedBytes: number;
  /** Bytes queued on all connections, beyond which those with the longest queues are closed. */
  maxTotalQueuedBytes: number;
  /** Hosts that a session may be signed for; empty: the one named in the handshake. */
  publicHosts: readonly string[];
  /** Whether the hub itself terminates TLS, so that clients dial `wss`. */
  tls: boolean;
}

/** Fixed bounds of a connection's queues. */
export const QUEUE = {
  /** Queued bytes above which stream events are held back and merged. */
  highWaterBytes: 256 * 1024,
  /** Queued bytes below which they flow again. */
  lowWaterBytes: 32 * 1024,
  /** Milliseconds that a full queue may go without any progress. */
  stallMs: 10_000,
  /** Signed requests of one connection that may be pending. */
  maxWaitingRequests: 64,
} as const;

/**
 * Why a streamed body ended: its producer finished (`ended`) or failed (`failed`), its reader left (`gone`) or fell behind (`slow`), or
 * the hub is `stopping`.
 */
export type ReaderEnd = 'ended' | 'failed' | 'gone' | 'slow' | 'stopping';

/** Counts what the gateway does. */
export interface GatewayObserver extends StreamObserver {
  connectionClosed(code: number): void;
  readerEnded(reason: ReaderEnd): void;
  /** How many seconds a visibility answer took. */
  visibilityAnswered(seconds: number): void;
  /** A request over a WebSocket was refused. */
  requestRefused(code: ErrorCode): void;
}

/** Logs what the gateway does. Addresses are client addresses, as limits count them. */
export interface GatewayJournal {
  connected(address: string, codec: string): void;
  closed(code: number, address: string): void;
  authenticated(providerId: string, address: string): void;
  /** @param before The address of the replaced session. */
  replaced(providerId: string, address: string, before: string): void;
  subscribed(stream: string, address: string): void;
  resumeRefused(stream: string, address: string): void;
  /** @param claimed The provider it claims to come from, unverified; null for none. */
  refused(code: ErrorCode, address: string, claimed: string | null): void;
}

/** Logs nothing. */
export const NO_JOURNAL: GatewayJournal = {
  connected: () => undefined,
  closed: () => undefined,
  authenticated: () => undefined,
  replaced: () => undefined,
  subscribed: () => undefined,
  resumeRefused: () => undefined,
  refused: () => undefined,
};
