import type { GoneReason } from './change-log.js';
import type { AdvertisementRecord, IdentityRecord } from './store/records.js';

/** A session's hold on its provider, void once a newer session takes over. Each hub numbers its own. */
export type SessionToken = number;

/** A session, across all hubs. */
export interface Session {
  /** The run of the hub where it is open: see `Log.hub`. */
  hub: string;
  token: SessionToken;
}

/**
 * One change to the hub's state: a plain, serialisable value. It carries its times (steady Unix milliseconds), so whoever applies it
 * gets the same advertisements. Only when a lease runs out is a hub's own affair, because it counts that in its own service time.
 */
export type Entry =
  | {
      kind: 'advertise';
      record: AdvertisementRecord;
      /** What to remember of the signer; null for an unsigned advertisement. */
      identity: IdentityRecord | null;
      /** Whether it came over a session. It is then live only while one is open. */
      overSession: boolean;
      /** The client address it came from; null for none. */
      origin: string | null;
    }
  | { kind: 'withdraw'; providerId: string; identity: IdentityRecord | null }
  /** The first session of a name binds it to its key, or that of an address to its owner. */
  | { kind: 'bind'; identity: IdentityRecord }
  /** A session begins, which is a heartbeat: the provider is live from `at` on, and every older token is void. */
  | {
      kind: 'attach';
      providerId: string;
      hub: string;
      token: SessionToken;
      at: number;
      /** The client address of the session; null if unknown. */
      from: string | null;
      /** Whether it was open before its hub was declared dead. It then has no effect if there is another session. */
      again: boolean;
    }
  /** A session ended. No effect if a newer one has taken over. */
  | {
      kind: 'detach';
      providerId: string;
      hub: string;
      token: SessionToken;
      /** How long ago the last heartbeat was, in milliseconds: the only time that hubs without a common clock can agree on. */
      heartbeatAgeMs: number;
    }
  /** A run of a hub ended, and with it all its sessions. */
  | { kind: 'end'; hub: string }
  /**
   * A provider was silent for too long; `seenAt` is its last heartbeat. No effect if there was a heartbeat since. Null if the log has
   * already made sure of that, because only the hub that receives heartbeats knows them.
   */
  | { kind: 'expire'; providerId: string; seenAt: number | null };

/**
 * The entries that must be durable before they become visible. The others do not outlive the hub: after a restart no session is open,
 * and the last heartbeats tell what has expired.
 */
export type DurableEntry = Extract<Entry, { kind: 'advertise' | 'withdraw' | 'bind' }>;

/** Whether an entry must be durable before it becomes visible. */
export function isDurable(entry: Entry): entry is DurableEntry {
  return entry.kind === 'advertise' || entry.kind === 'withdraw' || entry.kind === 'bind';
}

/** The removal reason of each kind of entry that removes an advertisement. */
export const REASONS = { withdraw: 'withdrawn', expire: 'expired' } as const satisfies Record<
  'withdraw' | 'expire',
  GoneReason
>;
