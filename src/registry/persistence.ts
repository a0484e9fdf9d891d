import type { AdvertisementRecord, IdentityRecord } from './store/records.js';

/**
 * What the registry asks of whatever keeps it across restarts. Today that is the SQLite mirror; the registry
 * knows only this port.
 */

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
