import type { DurableEntry } from './entry.js';

/**
 * The log of changes, as the registry sees it: a port. SQLite is one implementation (`mirror/`); tests have another, in
 * memory, with delays and failures.
 */

/** Heartbeats collected since the last batch: parallel arrays. */
export interface HeartbeatBatch {
  providerIds: string[];
  /** Unix milliseconds. */
  updatedAt: Float64Array;
  /** 1 where a session is open. */
  attached: Uint8Array;
}

/** Takes each entry once it is durable, in the order of the log. */
export type Deliver = (entry: DurableEntry) => void;

/** Writes in the order they are asked for. */
export interface Log {
  /** Sets the one callback that gets every entry, the proposer's own included. */
  deliverTo(deliver: Deliver): void;
  /**
   * Adds an entry. Resolves once it is durable and delivered.
   * @throws PersistenceError (as a rejection) when it was not written.
   */
  propose(entry: DurableEntry): Promise<void>;
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

const NOT_STARTED = 'the hub has not started yet';

/** What a registry has until it is told where to keep its entries. */
export const noLog: Log = {
  deliverTo: () => undefined,
  propose: () => Promise.reject(new PersistenceError(NOT_STARTED)),
  saveHeartbeats: () => undefined,
  purge: () => undefined,
  problem: NOT_STARTED,
  close: () => Promise.resolve(),
};
