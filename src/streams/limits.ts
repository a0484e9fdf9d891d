import { LIMITS } from '../protocol/limits.js';

/** Limits on the cost of streams. Tests pass smaller ones. */
export interface StreamLimits {
  /** Subscribers sent events per event-loop iteration. */
  framesPerTurn: number;
  /** Streams flushed per event-loop iteration. */
  flushesPerTurn: number;
  /** Work on snapshots and missed events per event-loop iteration, in the units of `WORK`. */
  workPerTurn: number;
  /** Events per catch-up; a client further behind starts over with a snapshot. */
  maxCatchUpEvents: number;
  /** Bytes of JSON per catch-up. */
  maxCatchUpBytes: number;
  /** Advertisements per `snapshot` frame. */
  snapshotBatch: number;
  /** Bytes of JSON after which a `snapshot` frame is complete. */
  snapshotBytes: number;
  /** Slots visited per `snapshot` frame, full or not. */
  snapshotLooks: number;
  /** Bytes of changed rows kept for all snapshots; beyond, the oldest snapshot is abandoned. */
  maxSnapshotBytes: number;
  /** How many spare matches a stream of N first matches keeps, in addition to N. */
  leastSpare: number;
  /** How many changes a snapshot may be behind for another subscriber to share it. */
  maxSharedLag: number;
}

export const STREAM_LIMITS: Readonly<StreamLimits> = {
  framesPerTurn: 500,
  flushesPerTurn: 500,
  workPerTurn: 300_000,
  maxCatchUpEvents: 5000,
  maxCatchUpBytes: 8 * 1024 * 1024,
  snapshotBatch: LIMITS.maxSnapshotBatch,
  snapshotBytes: 512 * 1024,
  snapshotLooks: 65_536,
  maxSnapshotBytes: 64 * 1024 * 1024,
  leastSpare: 16,
  maxSharedLag: 1000,
};

/** Estimated work, before it is timed, in units of 10 ns. */
export const WORK = {
  /** Visiting a row. */
  look: 2,
  /** A list's unit of work, visiting one row. */
  listed: 10,
  /** Visiting a change. */
  change: 10,
  /** Answering a request. */
  answer: 300,
  /** Copying and sending an advertisement. */
  row: 100,
  /** Encoding an advertisement, by codec. */
  encode: { json: 100, events: 100, msgpack: 1500 },
} as const;

/** How many advertisements to read or encode, and how many rows to visit, before yielding. */
export const ROWS_PER_STEP = 100;
export const LOOKS_PER_STEP = 1024;
