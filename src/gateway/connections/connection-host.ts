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

/** A connection, as the gateway keeps it. */
export interface HostedConnection {
  /** Its number on the gateway's wheel of deadlines. */
  readonly slot: number;
  readonly client: Client;
  /** The very address that it is from. */
  readonly from: string;
  /** When (service ms) the gateway looks at it next. */
  lookAt: number;
  /** A newer session of the same provider has taken over. */
  replaced(): void;
  /** The advertisement of its provider was withdrawn, by whichever way. */
  advertisementWithdrawn(): void;
}

/** What a connection needs of the gateway that keeps it. */
export interface ConnectionHost extends SubscriptionHost {
  readonly registry: Registry;
  readonly writePath: WritePath;
  readonly nonces: Nonces;
  readonly backlog: Backlog;
  readonly intake: Intake;
  readonly visibilities: Visibilities;
  /** Whether the hub stops: nothing new is taken on. */
  readonly draining: boolean;
  /** Unix milliseconds. */
  readonly wall: number;
  isoNow(): string;
  /** Has a connection looked at no later than `time` (service ms). */
  wakeAt(connection: HostedConnection, time: number): void;
  /** @throws ProtocolError `AUTH_…` (as a rejection) */
  authenticate(claim: SignedClaim, nonce: string, host: string, address: string): Promise<void>;
  /** Makes this connection the provider's session; an older one is closed. */
  takeOver(providerId: string, connection: HostedConnection): Attachment;
  /** A session's connection is gone. */
  sessionEnded(providerId: string, token: SessionToken, connection: HostedConnection): void;
  countClose(code: number, connection: HostedConnection): void;
  /** @param claimed The provider that the refused request says to be from; null for none. */
  countRefusal(code: ErrorCode, connection: HostedConnection, claimed: string | null): void;
  /** @param code The peer's close code; null when the hub closed and has counted it. */
  connectionGone(connection: HostedConnection, code: number | null): void;
  reportError(error: unknown): void;
}
