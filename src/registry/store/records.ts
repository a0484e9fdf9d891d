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
  createdAt: number;
  /** The last heartbeat. */
  updatedAt: number;
  /** What the provider signed; null for an unsigned advertisement, which is shown as unverified. */
  proof: ProofRecord | null;
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
