import { LIMITS } from '../protocol/limits.js';

/** What streams may cost. Tests hand in smaller ones. */
export interface StreamLimits {
  /** Subscribers that are sent events in one event-loop iteration. */
  framesPerTurn: number;
  /** Streams that are flushed in one event-loop iteration. */
  flushesPerTurn: number;
  /** Work on snapshots and missed events in one event-loop iteration, in the units of `WORK`. */
  workPerTurn: number;
  /** Events in one catch-up; a client further behind starts over from a snapshot. */
  maxCatchUpEvents: number;
  /** Bytes of JSON in one catch-up. */
  maxCatchUpBytes: number;
  /** Advertisements in one `snapshot` frame. */
  snapshotBatch: number;
  /** Bytes of JSON above which a `snapshot` frame takes no more advertisements. */
  snapshotBytes: number;
  /** Slots that are looked at for one `snapshot` frame, full or not. */
  snapshotLooks: number;
  /** Bytes of changed rows kept for all who read snapshots; beyond them, the oldest snapshot is given up. */
  maxSnapshotBytes: number;
  /** First matches that are kept behind those of a stream's limit, beside as many as the limit is. */
  leastSpare: number;
  /** Changes by which a snapshot that others are reading may be behind when one more subscriber joins in. */
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

/** What work is said to take before it is measured, in units of 10 ns. */
export const WORK = {
  /** Looking at a row. */
  look: 2,
  /** What a list counts as one row that is looked at. */
  listed: 10,
  /** Looking at a change. */
  change: 10,
  /** Answering a request. */
  answer: 300,
  /** Copying and sending an advertisement. */
  row: 100,
  /** Encoding an advertisement, by codec. */
  encode: { json: 100, events: 100, msgpack: 1500 },
} as const;

/** Advertisements that are read or encoded, and rows that are looked at, before others may get their turn. */
export const ROWS_PER_STEP = 100;
export const LOOKS_PER_STEP = 8192;
