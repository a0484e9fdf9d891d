import type { ClockAnchor } from '../lib/clock.js';
import type { Entry } from './entry.js';
import type { AdvertisementRecord, CountRecord, IdentityRecord } from './store/records.js';
import type { RowBatch } from './store/row-batch.js';

/**
 * The log of changes, as the registry sees it: a port. SQLite is one implementation (`mirror/`); tests have another, in
 * memory, with delays and failures.
 */

/** Heartbeats collected since the last batch: parallel arrays. Times are steady time, as all that is stored. */
export interface HeartbeatBatch {
  /** When it was collected: whoever is attached was so then. Null while others still wait to be collected. */
  anchor: ClockAnchor | null;
  providerIds: string[];
  /** Unix milliseconds. */
  updatedAt: Float64Array;
  /** 1 where a session is open. */
  attached: Uint8Array;
}

/** Takes what was kept, in any order. Nothing counts before the log is open. */
export interface KeptSink {
  /** Where steady time stood when heartbeats were last saved; comes before all else, if it is known. */
  clock(anchor: ClockAnchor): void;
  /** How many advertisements there are; comes before them. */
  expect(advertisements: number): void;
  /** Advertisements that were signed, made ready in another thread. */
  rows(batch: RowBatch): void;
  /** One without a proof. It may be of the first generation, and has not been validated. */
  advertisement(record: AdvertisementRecord): void;
  /** Bindings, without most of those that a signed advertisement tells of. */
  identity(record: IdentityRecord): void;
  /** What was counted of addresses. It may have ended meanwhile. */
  count(record: CountRecord): void;
  /** Asked after the last: whether no provider came twice. */
  isConsistent(): boolean;
  /** What was kept has turned out to be unreadable: forget all that came so far. */
  reset(): void;
}

/**
 * Opens a log: hands over what was kept, and makes sure that writing works.
 * @throws Error when it cannot be used. The message tells the operator what to do.
 */
export type OpenLog<Kind extends Log = Log> = (sink: KeptSink) => Promise<Kind>;

/** Takes each entry with its position, in the order of the log. */
export type Deliver = (entry: Entry, position: number) => void;

/** Is told how far a log has been followed, which its entries alone do not say. */
export interface LogFollower {
  /** All entries up to a position have been delivered. */
  reached(position: number): void;
  /** Entries are missing up to a position, where what is known is made whole: nothing before it can be told any more. */
  leapt(position: number): void;
}

export const NOT_FOLLOWED: LogFollower = { reached: () => undefined, leapt: () => undefined };

/** Puts entries in one order, and keeps those that must outlive the hub. */
export interface Log {
  /** Names the positions of this log. Another epoch's positions mean nothing here. */
  readonly epoch: string;
  /** Where the last entry stands. Positions only grow; they are what clients see as the cursor's `seq`. */
  readonly position: number;
  /** Names this run of the hub among all that share the log: whose sessions are its own. Empty while it may not write. */
  readonly hub: string;
  /**
   * Sets the one callback that gets every entry, the proposer's own included, and those of other hubs that share the log. What a shared
   * log holds already is delivered at once.
   */
  deliverTo(deliver: Deliver, follower?: LogFollower): void;
  /**
   * Adds an entry. Resolves with its position once it is delivered, and durable where it has to be.
   * @throws PersistenceError (as a rejection) when it was not written; ConflictError when another hub has written what the entry
   * was decided upon, and that is applied: decide again.
   */
  propose(entry: Entry): Promise<number>;
  /** Written with the next transaction; nobody waits for it. The anchor of an empty batch is written, too. */
  saveHeartbeats(batch: HeartbeatBatch): void;
  /** Written with the next transaction, each in the place of an earlier one of its kind and key; nobody waits for it. */
  saveCounts(records: readonly CountRecord[]): void;
  /** Removes expired advertisements, and what no longer counts at a steady time (Unix ms). Nobody waits for it. */
  purge(expiredIds: string[], now: number): void;
  /** Null while writes work, else why they do not. */
  readonly problem: string | null;
  /** Writes that are not durable yet. */
  readonly pending: number;
  /** Age of the oldest of them, in milliseconds; 0 when there is none. */
  readonly lagMs: number;
  /** Whether other hubs may write it, too. */
  readonly isShared: boolean;
  /** How long the store that hubs share has not been heard of, in milliseconds; 0 where there is none. */
  readonly silentMs: number;
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

/** Another hub has written what an entry was decided upon. Its write is applied: whoever decides again sees it. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError';

  constructor() {
    super('another hub has written meanwhile');
  }
}

const NOT_STARTED = 'the hub has not started yet';

/** What a registry has until it is told where to keep its entries. */
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
