import type { Attributes } from '../../protocol/attributes.js';

/** An advertisement as it is kept. Times are Unix milliseconds. */
export interface AdvertisementRecord {
  providerId: string;
  ipAddress: string;
  country: string;
  resources: Readonly<Record<string, number>>;
  platform: string | null;
  pricing: Readonly<Record<string, number | string | undefined>> | null;
  name: string | null;
  paymentsNetwork: string | null;
  attributes: Readonly<Attributes> | null;
  endpoint: { readonly port: number } | null;
  createdAt: number;
  /** The last heartbeat. */
  updatedAt: number;
  /** What the provider signed; null for an unsigned advertisement, which is shown as unverified. */
  proof: ProofRecord | null;
  /** Whether it came from the address that it names. */
  ipConfirmed: boolean;
  /** Whether a session of the provider was open. Then `updatedAt` may lag by as much as heartbeats are collected. */
  attached: boolean;
}

/** What a provider signed. */
export interface ProofRecord {
  /** Lower-case hex; of an Ethereum address, which is a key of its own, its EIP-55 form. */
  publicKey: string;
  t: number;
  /** The exact bytes, or the text that they are the UTF-8 of. */
  payload: Uint8Array | string;
  /** Lower-case hex. */
  signature: string;
}

/** What has been counted of a client address, or of those that share a count, for longer than a hub may run. */
export interface CountRecord {
  /** Names bound in a day; signatures that were not valid, once they are too many; how often they were in a day. */
  kind: (typeof COUNT_KINDS)[number];
  /** Who is counted, in the limiter's terms. */
  key: string;
  count: number;
  /** Unix milliseconds; it counts no longer from then on. */
  endsAt: number;
}

export const COUNT_KINDS = ['names', 'invalid', 'blocks'] as const;

/** Which key owns a provider id, and the newest signed time accepted from it. Outlives the advertisement. */
export interface IdentityRecord {
  providerId: string;
  /** As in `ProofRecord`. */
  publicKey: string;
  /** Unix milliseconds; 0 before the first `advertise` or `withdraw`. */
  lastT: number;
  /** Unix milliseconds of the last heartbeat that was written. */
  seenAt: number;
}
