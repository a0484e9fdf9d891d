import type { Session } from './entry.js';
import type { KeptSink } from './log.js';
import type { AdvertisementRecord, IdentityRecord } from './store/records.js';

/**
 * The port through which a log that several hubs share keeps a copy of the store on the hub's own disk, for a quick start. The copy is as of one
 * revision: a kill at any time leaves the rows and the mark of the same transaction. Implementations: SQLite (`mirror/copy/`), and in memory
 * for simulations.
 */

/** Where a copy stands: it contains everything up to a revision, and nothing after it. */
export interface CopyMark {
  /** The epoch of the store. */
  epoch: string;
  revision: number;
  /** Nothing that clients see has changed after this revision. */
  since: number;
}

/** A session, and the client address it comes from; null if unknown. */
export interface CopiedSession extends Session {
  from: string | null;
}

/** What is known about a provider's record besides its content. */
export interface Standing {
  providerId: string;
  /** The record's revision. */
  revision: number;
  /** Whether there is an advertisement. */
  isAdvertised: boolean;
  /** Whether the advertisement is live only while a session is open. */
  needsSession: boolean;
  /** The session in the record, whose hub may have ended meanwhile. */
  session: CopiedSession | null;
  /** When the session began, or the last write before it: steady Unix milliseconds. */
  seenAt: number;
}

/** One change to a copy. */
export type CopyChange =
  | {
      kind: 'record';
      standing: Standing;
      /** Null where only the standing has changed. */
      content: { advertisement: AdvertisementRecord | null; identity: IdentityRecord | null } | null;
    }
  | { kind: 'gone'; providerId: string }
  | { kind: 'hub'; hub: string; isRunning: boolean };

/** What a copy contains besides what it hands to the sink. */
export interface Copied {
  /** The running hubs. */
  hubs: Set<string>;
  /** All records. */
  standings: Iterable<Standing>;
  /** What is remembered of the owners of ids without an advertisement, and of some with one. */
  bindings: ReadonlyMap<string, IdentityRecord>;
}

/** A copy of the store. If the disk fails, methods reject with an Error for the operator; the hub works without the copy. */
export interface LocalCopy {
  /** Where it stands; null if it was not completed, or cannot be read. Comes first. */
  mark(): Promise<CopyMark | null>;
  /** The most recently written records, in no particular order. */
  newest(count: number): Promise<{ providerId: string; revision: number }[]>;
  /** Hands over everything. */
  load(sink: KeptSink): Promise<Copied>;
  /** Empties it, whatever its state. */
  clear(): Promise<void>;
  /** Writes changes, at most one for each provider and hub, in one transaction. Without a mark, the copy is not usable yet. */
  write(changes: readonly CopyChange[], mark: CopyMark | null): Promise<void>;
  close(): Promise<void>;
}
