import type { GoneReason } from './change-log.js';
import type { AdvertisementRecord, IdentityRecord } from './store/records.js';

/** A session's hold on its provider: void as soon as a newer session has one. Each hub counts its own. */
export type SessionToken = number;

/** A session, among those of all hubs. */
export interface Session {
  /** The run of a hub that it is open at: see `Log.hub`. */
  hub: string;
  token: SessionToken;
}

/**
 * One change of what is known: a plain, serialisable value. It carries its times (steady Unix milliseconds), so applying it
 * reads no clock.
 */
export type Entry =
  | {
      kind: 'advertise';
      record: AdvertisementRecord;
      /** What to remember of who signed; null for an unsigned advertisement. */
      identity: IdentityRecord | null;
      /** Whether it came over a session. Then it is live only while one is open. */
      overSession: boolean;
      /** The client address that it came from; null for none. */
      origin: string | null;
    }
  | { kind: 'withdraw'; providerId: string; identity: IdentityRecord | null }
  /** A name is bound to its key, or an address to its owner, by its first session. */
  | { kind: 'bind'; identity: IdentityRecord }
  /** A session begins, which is a heartbeat: the provider is live from `at` on, and every older token is void. */
  | {
      kind: 'attach';
      providerId: string;
      hub: string;
      token: SessionToken;
      at: number;
      /** The client address that the session is from; null where nobody knows. */
      from: string | null;
      /** Whether it was open before its hub was declared dead. Then it is without effect when there is another. */
      again: boolean;
    }
  /** A session ended. Without effect when a newer one has taken over. */
  | { kind: 'detach'; providerId: string; hub: string; token: SessionToken }
  /** A run of a hub is over, and with it all its sessions. */
  | { kind: 'end'; hub: string }
  /**
   * A provider was silent for too long; `seenAt` is its last heartbeat. Without effect when it was heard from since. Null where the
   * log has made sure of that, because heartbeats are only known to the hub that gets them.
   */
  | { kind: 'expire'; providerId: string; seenAt: number | null };

/**
 * The entries that must be durable before anybody sees them. The others end with the hub: after a restart no session is
 * open, and the last heartbeats tell what has expired.
 */
export type DurableEntry = Extract<Entry, { kind: 'advertise' | 'withdraw' | 'bind' }>;

/** Whether an entry must be durable before anybody sees it. */
export function isDurable(entry: Entry): entry is DurableEntry {
  return entry.kind === 'advertise' || entry.kind === 'withdraw' || entry.kind === 'bind';
}

/** Why an entry takes an advertisement away. */
export const REASONS = { withdraw: 'withdrawn', expire: 'expired' } as const satisfies Record<
  'withdraw' | 'expire',
  GoneReason
>;
