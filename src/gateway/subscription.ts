import type { Codec } from '../protocol/codec.js';
import type { Snapshot } from '../registry/snapshot.js';
import type { Stream } from './stream.js';

/** What a subscription needs of the connection it belongs to. */
export interface Subscriber {
  readonly codec: Codec;
  /** False while so much waits that stream events are held back. */
  readonly writable: boolean;
  /** May end the connection and all its subscriptions, but does not change the registry before it returns. */
  send(frame: Uint8Array): void;
  /** Closes the connection with 4507. */
  fallBehind(reason: string): void;
  /** Closes the connection with 4500. */
  fail(): void;
}

/**
 * One connection's interest in one stream.
 * - `live`: gets every flush as it happens, in its turn; it was told of changes or joined last at `seq`.
 * - `reading`: is being sent its snapshot; holds nothing yet.
 * - `waiting`: holds the truth at `seq`; what it misses is looked up in the change log once it can take more.
 */
export interface Subscription {
  readonly stream: Stream;
  readonly subscriber: Subscriber;
  state: 'live' | 'reading' | 'waiting';
  seq: number;
  snapshot: Snapshot | null;
}
