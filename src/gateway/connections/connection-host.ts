import type { ErrorCode } from '../../protocol/errors.js';
import type { Attachment, Registry, SessionToken } from '../../registry/registry.js';
import type { SignedClaim } from '../../registry/write/claim.js';
import type { WritePath } from '../../registry/write/write-path.js';
import type { Backlog } from '../outgoing/backlog.js';
import type { Client } from '../clients.js';
import type { Visibilities } from '../visibilities.js';
import type { Intake } from './intake.js';
import type { Nonces } from './nonces.js';
import type { SubscriptionHost } from './subscription-room.js';

/** A connection, as seen by the gateway. */
export interface HostedConnection {
  /** Its number on the gateway's wheel of deadlines. */
  readonly slot: number;
  readonly client: Client;
  /** The exact address it comes from. */
  readonly from: string;
  /** When (service ms) the gateway checks it next. */
  lookAt: number;
  /** A newer session of the same provider has taken over. */
  replaced(): void;
  /** Its provider's advertisement was withdrawn, in whatever way. */
  advertisementWithdrawn(): void;
}

/** What a connection needs from the gateway. */
export interface ConnectionHost extends SubscriptionHost {
  readonly registry: Registry;
  readonly writePath: WritePath;
  readonly nonces: Nonces;
  readonly backlog: Backlog;
  readonly intake: Intake;
  readonly visibilities: Visibilities;
  /** Whether the hub is stopping and accepts nothing new. */
  readonly draining: boolean;
  /** Unix milliseconds. */
  readonly wall: number;
  isoNow(): string;
  /** Schedules a check of a connection no later than `time` (service ms). */
  wakeAt(connection: HostedConnection, time: number): void;
  /** @throws ProtocolError `AUTH_…` (as a rejection) */
  authenticate(claim: SignedClaim, nonce: string, host: string, address: string): Promise<void>;
  /** Makes this connection the provider's session; an older one is closed. */
  takeOver(providerId: string, connection: HostedConnection): Attachment;
  /** A session's connection has ended. */
  sessionEnded(providerId: string, token: SessionToken, connection: HostedConnection): void;
  countClose(code: number, connection: HostedConnection): void;
  /** @param claimed The provider that the refused request claims to come from; null for none. */
  countRefusal(code: ErrorCode, connection: HostedConnection, claimed: string | null): void;
  /** @param code The peer's close code; null if the hub closed it, which is already counted. */
  connectionGone(connection: HostedConnection, code: number | null): void;
  reportError(error: unknown): void;
}
