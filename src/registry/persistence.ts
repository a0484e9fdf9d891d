/**
 * What the registry asks of whatever keeps it across restarts. Today that is the SQLite mirror; the registry
 * knows only this port.
 */

/** An advertisement as it is kept. Times are Unix milliseconds. */
export interface AdvertisementRecord {
  providerId: string;
  ipAddress: string;
  country: string;
  resources: Readonly<Record<string, number>>;
  platform: string | null;
  pricing: Readonly<Record<string, number | string | undefined>> | null;
  name: string | null;
  paymentsNetwork: string | null;
  createdAt: number;
  /** The last heartbeat. */
  updatedAt: number;
  /** What the provider signed; null for an unsigned advertisement, which is shown as unverified. */
  proof: ProofRecord | null;
  /** Whether a session of the provider was open. Then `updatedAt` may lag by as much as heartbeats are collected. */
  attached: boolean;
}

/** What a provider signed. Key and signature are lower-case hex. */
export interface ProofRecord {
  publicKey: string;
  t: number;
  /** The exact bytes, or the text that they are the UTF-8 of. */
  payload: Uint8Array | string;
  signature: string;
}

/** Which key owns a provider id, and the newest signed time accepted from it. Outlives the advertisement. */
export interface IdentityRecord {
  providerId: string;
  publicKey: string;
  /** Unix milliseconds; 0 before the first `advertise` or `withdraw`. */
  lastT: number;
  /** Unix milliseconds of the last heartbeat that was written. */
  seenAt: number;
}

/** Heartbeats collected since the last batch: parallel arrays. */
export interface HeartbeatBatch {
  providerIds: string[];
  /** Unix milliseconds. */
  updatedAt: Float64Array;
  /** 1 where a session is open. */
  attached: Uint8Array;
}

/**
 * Writes in the order they are asked for. The methods that return a promise resolve once the write is durable,
 * and reject with `PersistenceError` when it was not made.
 */
export interface Persistence {
  advertise(advertisement: AdvertisementRecord, identity: IdentityRecord | null): Promise<void>;
  withdraw(providerId: string, identity: IdentityRecord | null): Promise<void>;
  saveIdentity(identity: IdentityRecord): Promise<void>;
  /** Written with the next transaction; nobody waits for it. */
  saveHeartbeats(batch: HeartbeatBatch): void;
  /** Removes expired advertisements, and identities not seen since `seenBefore` (Unix ms). Nobody waits for it. */
  purge(expiredIds: string[], seenBefore: number): void;
  /** Null while writes work, else why they do not. */
  readonly problem: string | null;
  /**
   * Writes what waits, then closes.
   * @throws PersistenceError when that does not come to an end.
   */
  close(): Promise<void>;
}

/** The write was not made. The message says why, for an operator and for the waiting client. */
export class PersistenceError extends Error {
  override readonly name = 'PersistenceError';
}

/** Where nothing is kept: what a registry has until it is told where to persist. */
export const nothingKept: Persistence = {
  advertise: refuse,
  withdraw: refuse,
  saveIdentity: refuse,
  saveHeartbeats: () => undefined,
  purge: () => undefined,
  problem: 'the hub has not started yet',
  close: () => Promise.resolve(),
};

function refuse(): Promise<void> {
  return Promise.reject(new PersistenceError(nothingKept.problem ?? ''));
}
