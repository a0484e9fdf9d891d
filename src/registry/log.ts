import type { ClockAnchor } from '../lib/clock.js';
import type { Entry } from './entry.js';
import type { AdvertisementRecord, CountRecord, IdentityRecord } from './store/records.js';
import type { RowBatch } from './store/row-batch.js';

/**
 * The port through which the registry sees the log. Implementations: SQLite for a single hub (`mirror/`), etcd for several (`etcd/`), and in
 * memory with delays and failures for tests.
 */

/** After this much silence, hubs that share a log consider one of them dead, in milliseconds. */
export const DEAD_MS = 15_000;

/** Heartbeats since the last batch, as parallel arrays. Times are steady time, like all that is stored but `createdAt`. */
export interface HeartbeatBatch {
  /** The time up to which the batch is complete: whoever is attached was so then. Null while more heartbeats wait to be collected. */
  anchor: ClockAnchor | null;
  providerIds: string[];
  /** Unix milliseconds. */
  updatedAt: Float64Array;
  /** 1 where a session is open. */
  attached: Uint8Array;
}

/** Receives what a log has kept, in any order. Nothing takes effect before the log is open. */
export interface KeptSink {
  /** Steady time when heartbeats were last saved; comes before all else, if it is known. */
  clock(anchor: ClockAnchor): void;
  /** How many advertisements follow. */
  expect(advertisements: number): void;
  /** Signed advertisements, prepared in another thread. */
  rows(batch: RowBatch): void;
  /** Advertisements of a log that hubs share, signed or not, as they stand there: none has expired. Prepared in another thread. */
  copied(batch: RowBatch): void;
  /** An unsigned advertisement. It may come from the first generation, and has not been validated. */
  advertisement(record: AdvertisementRecord): void;
  /** Bindings, except most of those that signed advertisements imply. */
  identity(record: IdentityRecord): void;
  /** A count of an address. Its window may have ended meanwhile. */
  count(record: CountRecord): void;
  /** Called last. @returns Whether no provider came twice. */
  isConsistent(): boolean;
  /** The log turned out to be unreadable: forget everything that came so far. */
  reset(): void;
}

/**
 * Opens a log: hands over what it has kept, and makes sure that writing works.
 * @throws Error if it cannot be used. The message tells the operator what to do.
 */
export type OpenLog<Kind extends Log = Log> = (sink: KeptSink) => Promise<Kind>;

/** Receives each entry with its position, in the order of the log. */
export type Deliver = (entry: Entry, position: number) => void;

/** Learns how far a log has been followed, which its entries alone do not tell. */
export interface LogFollower {
  /** All entries up to a position have been delivered. */
  reached(position: number): void;
  /** Entries up to a position were skipped; the state there is complete, but nothing before it can be answered any more. */
  leapt(position: number): void;
  /** A position after which nothing that clients see has changed so far. */
  unchangedSince(): number;
}

export const NOT_FOLLOWED: LogFollower = {
  reached: () => undefined,
  leapt: () => undefined,
  unchangedSince: () => Number.POSITIVE_INFINITY,
};

/** Orders entries, and keeps those that must outlive the hub. */
export interface Log {
  /** Identifies this log's positions. Those of another epoch mean nothing here. */
  readonly epoch: string;
  /** The position of the last entry. Positions only grow; clients see them as the cursor's `seq`. */
  readonly position: number;
  /** Names this run of the hub among all that share the log, and so its own sessions. Empty while it may not write. */
  readonly hub: string;
  /**
   * Sets the one callback that receives every entry, including the caller's own and those of other hubs that share the log. What a
   * shared log already holds is delivered at once.
   */
  deliverTo(deliver: Deliver, follower?: LogFollower): void;
  /**
   * Adds an entry. Resolves with its position once it is delivered, and durable if it has to be.
   * @throws PersistenceError (as a rejection) if it was not written; ConflictError if another hub has changed what the entry was based
   * on and that change is applied: decide again.
   */
  propose(entry: Entry): Promise<number>;
  /** Written with the next transaction, without confirmation. The anchor of an empty batch is written, too. */
  saveHeartbeats(batch: HeartbeatBatch): void;
  /** Written with the next transaction, each replacing an earlier one of its kind and key, without confirmation. */
  saveCounts(records: readonly CountRecord[]): void;
  /** Removes expired advertisements, and what is no longer valid at a steady time (Unix ms), without confirmation. */
  purge(expiredIds: string[], now: number): void;
  /** Null while writes work, otherwise why they do not. */
  readonly problem: string | null;
  /** How many writes are not durable yet. */
  readonly pending: number;
  /** Age of the oldest of them, in milliseconds; 0 if there is none. */
  readonly lagMs: number;
  /** Whether other hubs write to it, too. */
  readonly isShared: boolean;
  /** Time since the last contact with the store that hubs share, in milliseconds; 0 without one. */
  readonly silentMs: number;
  /**
   * Writes what is pending, then closes.
   * @throws PersistenceError if that does not finish.
   */
  close(): Promise<void>;
}

/** A write failed. The message says why, for the operator. */
export class PersistenceError extends Error {
  override readonly name = 'PersistenceError';
}

/** Another hub has changed what an entry was based on. Its change is applied, so deciding again takes it into account. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError';

  constructor() {
    super('another hub has written meanwhile');
  }
}

const NOT_STARTED = 'the hub has not started yet';

/** The log of a registry that has none yet. */
export const noLog: Log = {
  epoch: '',
  position: 0,
  hub: '',
  deliverTo: () => undefined,
  propose: () => Promise.reject(new PersistenceError(NOT_STARTED)),
  saveHeartbeats: () => undefined,
  saveCounts: () => undefined,
  purge: () => undefined,
  problem: NOT_STARTED,
  pending: 0,
  lagMs: 0,
  isShared: false,
  silentMs: 0,
  close: () => Promise.resolve(),
};
