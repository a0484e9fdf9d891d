import { Packr } from 'msgpackr';
import type { Entry, Session } from '../entry.js';
import type { CopiedSession, Standing } from '../local-copy.js';
import { checkShape } from './record-shape.js';
import type { AdvertisementRecord, IdentityRecord } from '../store/records.js';

/**
 * The whole state of a provider, as the shared store keeps it under the provider's key, and the entry that produced it: a hub that follows the
 * store applies the entry, one that starts takes the state. Times are steady Unix milliseconds of the hub that wrote it.
 */
export interface ProviderRecord {
  /** Identifies this write, so that its author recognises it if the response was lost. */
  writeId: string;
  made: Made;
  advertisement: AdvertisementRecord | null;
  /** Whether the advertisement is live only while a session is open. */
  needsSession: boolean;
  /** What is remembered of the signer; null if nobody has signed. */
  identity: IdentityRecord | null;
  /** The open session. It ends with its hub, without another record. */
  session: CopiedSession | null;
}

/** The parts of the entry that the state does not contain. */
export type Made =
  | { by: 'advertise' | 'withdraw' | 'bind' | 'expire' }
  | { by: 'attach'; at: number }
  /** Without an age, it is of an older hub, which vouched for its provider until then. */
  | { by: 'detach'; session: Session; heartbeatAgeMs?: number };

/** Changing this affects hubs that run side by side with older versions. */
const FORMAT = 1;

const packr = new Packr({
  useRecords: false,
  variableMapSize: true,
  mapsAsObjects: true,
  // Records are plain data; a price that a stranger named toJSON must not be called.
  useToJSON: false,
});

export function encodeRecord(record: ProviderRecord): Buffer {
  return packr.pack({ ...record, format: FORMAT });
}

/** @throws Error if the bytes are no record of this provider, or of a format that this hub does not know. */
export function decodeRecord(bytes: Uint8Array, providerId: string): ProviderRecord {
  const value = packr.unpack(bytes) as (ProviderRecord & { format: number }) | null;
  const format = value?.format;
  if (format !== FORMAT)
    throw new Error(`the record has format ${String(format)}; this hub knows format ${FORMAT}`);
  checkShape(value, providerId);
  return value!;
}

/**
 * The state of a provider after an entry.
 * @param before The state before it; null if there was none.
 * @returns Null if the entry has no effect.
 */
export function recordAfter(
  before: ProviderRecord | null,
  entry: ProviderEntry,
  writeId: string,
): ProviderRecord | null {
  const { advertisement, needsSession, identity, session } = before ?? NOTHING;
  const same = { writeId, advertisement, needsSession, identity, session };
  switch (entry.kind) {
    case 'advertise':
      return {
        ...same,
        made: { by: 'advertise' },
        advertisement: entry.record,
        needsSession: entry.overSession || session !== null,
        identity: entry.identity ?? identity,
      };
    case 'withdraw':
      return { ...same, made: { by: 'withdraw' }, advertisement: null, identity: entry.identity ?? identity };
    case 'bind':
      return { ...same, made: { by: 'bind' }, identity: entry.identity };
    case 'attach': {
      if (entry.again && session !== null) return null;
      const { hub, token, at, from } = entry;
      return { ...same, made: { by: 'attach', at }, needsSession: true, session: { hub, token, from } };
    }
    case 'detach': {
      const { hub, token, heartbeatAgeMs } = entry;
      if (session?.hub !== hub || session.token !== token) return null;
      return { ...same, made: { by: 'detach', session: { hub, token }, heartbeatAgeMs }, session: null };
    }
    case 'expire':
      // An open session keeps its provider.
      if (advertisement === null || session !== null) return null;
      return { ...same, made: { by: 'expire' }, advertisement: null };
  }
}

const NOTHING = { advertisement: null, needsSession: false, identity: null, session: null };

/** The entries that concern a single provider. */
export type ProviderEntry = Exclude<Entry, { kind: 'end' }>;

export function providerOf(entry: ProviderEntry): string {
  if (entry.kind === 'advertise') return entry.record.providerId;
  return entry.kind === 'bind' ? entry.identity.providerId : entry.providerId;
}

/**
 * The entry that produced a record.
 * @param origin The client address that an advertisement came from; null if another hub received it.
 */
export function entryOf(providerId: string, record: ProviderRecord, origin: string | null): Entry | null {
  const { made, identity, advertisement, session } = record;
  switch (made.by) {
    case 'advertise':
      if (advertisement === null) return null;
      return { kind: 'advertise', record: advertisement, identity, overSession: record.needsSession, origin };
    case 'withdraw':
      return { kind: 'withdraw', providerId, identity };
    case 'bind':
      return identity === null ? null : { kind: 'bind', identity };
    case 'attach':
      return session === null ? null : { kind: 'attach', providerId, ...session, at: made.at, again: false };
    case 'detach':
      return { kind: 'detach', providerId, ...made.session, heartbeatAgeMs: made.heartbeatAgeMs ?? 0 };
    case 'expire':
      return { kind: 'expire', providerId, seenAt: null };
  }
}

/** What a local copy keeps of a record besides its content. */
export function standingOf(
  providerId: string,
  { made, advertisement, identity, needsSession, session }: ProviderRecord,
  revision: number,
): Standing {
  const isAdvertised = advertisement !== null;
  const seenAt = made.by === 'attach' ? made.at : (advertisement?.updatedAt ?? identity?.seenAt ?? 0);
  return { providerId, revision, isAdvertised, needsSession, session, seenAt };
}

/** The entries that recreate a provider's state from scratch. */
export function entriesOf(
  providerId: string,
  { advertisement, needsSession, identity, session }: ProviderRecord,
): Entry[] {
  const entries: Entry[] = [];
  if (advertisement !== null)
    entries.push({
      kind: 'advertise',
      record: advertisement,
      identity,
      overSession: needsSession,
      origin: null,
    });
  else if (identity !== null) entries.push({ kind: 'bind', identity });
  if (session !== null) {
    const at = advertisement?.updatedAt ?? identity?.seenAt ?? 0;
    entries.push({ kind: 'attach', providerId, ...session, at, again: false });
  }
  return entries;
}
