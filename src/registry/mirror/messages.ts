import type { ClockAnchor } from '../../lib/clock.js';
import type { CopyMark } from '../local-copy.js';
import type { AdvertisementRecord, IdentityRecord } from '../store/records.js';
import type { RowBatch } from '../store/row-batch.js';
import type { Runs } from './database.js';
import type { DatabaseLocation } from './location.js';

/** The data a worker is started with. */
export interface WorkerSetup {
  location: DatabaseLocation;
  /** The token that this hub drew at startup; if the file holds another, another hub has used it. */
  fencingToken: number;
}

/** The values of an advertisement in the order of `ADVERTISEMENT_COLUMNS`; times are Unix milliseconds. */
export type AdvertisementRow = [
  providerId: string,
  ipAddress: string,
  country: string,
  platform: string | null,
  resources: string,
  pricing: string | null,
  createdAt: number,
  updatedAt: number,
  name: string | null,
  paymentsNetwork: string | null,
  publicKey: string | null,
  signedAt: number | null,
  payload: string | Uint8Array | null,
  signature: string | null,
  attached: 0 | 1,
  attributes: string | null,
  endpointPort: number | null,
  ipConfirmed: 0 | 1,
];

/** The values of an identity in the order of `IDENTITY_COLUMNS`; times are Unix milliseconds. */
export type IdentityRow = [providerId: string, publicKey: string, lastT: number, seenAt: number];

/** The values of a count in the order of `COUNT_COLUMNS`; the time is Unix milliseconds. */
export type CountRow = [kind: string, key: string, count: number, endsAt: number];

/** One write. All are idempotent. Tuples, because objects would transfer their member names every time. */
export type Operation =
  | readonly ['advertise', AdvertisementRow, IdentityRow | null]
  | readonly ['remove', providerId: string, IdentityRow | null]
  | readonly ['identity', IdentityRow]
  | readonly ['heartbeat', providerId: string, updatedAt: number, attached: 0 | 1]
  | readonly ['count', CountRow]
  | readonly ['forget', now: number]
  | readonly ['clock', ClockAnchor];

/** The values of a standing in the order of `STANDING_COLUMNS`; the time is Unix milliseconds. */
export type StandingRow = [
  providerId: string,
  revision: number,
  isAdvertised: 0 | 1,
  needsSession: 0 | 1,
  seenAt: number,
  hub: string | null,
  token: number | null,
  from: string | null,
];

/** One change to the copy of a shared store. */
export type CopyOperation =
  | readonly ['record', StandingRow, AdvertisementRow | null, IdentityRow | null]
  /** The content stays as it is. */
  | readonly ['standing', StandingRow]
  | readonly ['gone', providerId: string]
  | readonly ['hub', hub: string, isRunning: boolean]
  | readonly ['mark', CopyMark];

/** Standings in columns, whose numbers are transferred rather than copied. */
export interface StandingBatch {
  ids: string[];
  /** The names of hubs; -1 stands for none. */
  hubs: string[];
  /** `STANDING_NUMBERS` per standing: revision, whether it is advertised, whether it needs a session, when it was seen, hub, token. */
  numbers: Float64Array<ArrayBuffer>;
  froms: (string | null)[];
}

export const STANDING_NUMBERS = 6;

/** An operation that was skipped: its index in the batch, and why. */
export type Refusal = readonly [index: number, reason: string];

/** Bodies of the requests to the worker. An empty `write` proves that writing works. */
export interface Requests {
  write: readonly Operation[];
  /** To the copy of a store that hubs share. */
  copy: readonly CopyOperation[];
  close: null;
}

/** Results of the requests. Without `problem`, all but the refused operations are durable; with it, none is. */
export interface Results {
  write: { problem: null; refusals: readonly Refusal[] } | { problem: string };
  copy: { problem: string | null };
  close: { problem: string | null };
}

export type RequestKind = keyof Requests;

/** The threads that read a file at startup, by the names of their source files: their input and their output. */
export interface Readers {
  /** Succeeds if the file at this path is sound. */
  checker: { data: string; says: never };
  reader: { data: { path: string; stretch: Stretch }; says: Found };
}

/** A range of row numbers in all tables, bounds included. */
export interface Stretch {
  runs: Runs;
  from: number;
  to: number;
  /** Whether the file is a copy of a store that hubs share. */
  isCopy: boolean;
}

/** The content found in a stretch. */
export type Found =
  | { kind: 'signed'; batch: RowBatch }
  | { kind: 'unsigned'; records: AdvertisementRecord[] }
  | { kind: 'identities'; records: IdentityRecord[] }
  /** All advertisements of a copy, signed or not. */
  | { kind: 'copied'; batch: RowBatch }
  | { kind: 'standings'; batch: StandingBatch }
  /** How many rows no hub can have written. */
  | { kind: 'skipped'; rows: number };

/** A request on its way to the worker. */
export type Request = { [K in RequestKind]: { kind: K; body: Requests[K] } }[RequestKind];
