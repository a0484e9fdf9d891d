import type { Attributes } from '../../protocol/attributes.js';

/** An advertisement as stored. Times are Unix milliseconds. */
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
  /** The first advertisement, in wall-clock Unix milliseconds: the only stored time that is not steady time. */
  createdAt: number;
  /** The last heartbeat. */
  updatedAt: number;
  /** What the provider signed; null for an unsigned advertisement, which is shown as unverified. */
  proof: ProofRecord | null;
  /** Whether it came from the address it names. */
  ipConfirmed: boolean;
  /** Whether a session of the provider was open. `updatedAt` may then lag by the interval at which heartbeats are flushed. */
  attached: boolean;
}

/** What a provider signed. */
export interface ProofRecord {
  /** Lower-case hex; for an Ethereum address, which is its own key, its EIP-55 form. */
  publicKey: string;
  t: number;
  /** The exact bytes, or the text they encode in UTF-8. */
  payload: Uint8Array | string;
  /** Lower-case hex. */
  signature: string;
}

/** A count of a client address, or of several that share it, that must survive a restart. */
export interface CountRecord {
  /** Names bound in a day; invalid signatures, once they are too many; how many blocks there were in a day. */
  kind: (typeof COUNT_KINDS)[number];
  /** The limiter's key. */
  key: string;
  count: number;
  /** When the window ends, in Unix milliseconds. */
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
