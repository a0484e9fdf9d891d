import type { Subscription } from './stream.js';

/** Counts what streams do. */
export interface StreamObserver {
  /** A subscriber asked to resume: granted, or refused because the hub no longer has what it missed. */
  resumeDecided(outcome: 'exact' | 'refused', subscription: Subscription): void;
  /** Seconds from a change until the sockets had its events. */
  eventsSent(latencySeconds: number): void;
}
