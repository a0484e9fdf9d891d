import { LIMITS } from '../protocol/limits.js';

/** What streams may cost. Tests hand in smaller ones. */
export interface StreamLimits {
  /** Subscribers that are sent events in one event-loop iteration. */
  framesPerTurn: number;
  /** Events in one catch-up; a client further behind starts over from a snapshot. */
  maxCatchUpEvents: number;
  /** Advertisements in one `snapshot` frame. */
  snapshotBatch: number;
  /** Bytes of changed rows kept for one slow reader of a snapshot. */
  maxSnapshotBytes: number;
}

export const STREAM_LIMITS: Readonly<StreamLimits> = {
  framesPerTurn: 500,
  maxCatchUpEvents: 5000,
  snapshotBatch: LIMITS.maxSnapshotBatch,
  maxSnapshotBytes: 16 * 1024 * 1024,
};

/** Who counts what streams do. */
export interface StreamObserver {
  /** A subscriber asked to resume: granted, or refused because the hub no longer has what it missed. */
  resumeDecided(outcome: 'exact' | 'refused'): void;
  /** Seconds from a change until the sockets had its events. */
  eventsSent(latencySeconds: number): void;
}
