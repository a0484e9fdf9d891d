import { Packr } from 'msgpackr';
import type { Entry, Session } from '../entry.js';
import type { AdvertisementRecord, IdentityRecord } from '../store/records.js';

/**
 * All that is known of a provider, as the store that several hubs share keeps it under the provider's key, and the entry that made it so: who
 * follows the store applies the entry, who begins there takes the state. Times are steady Unix milliseconds of the hub that wrote it.
 */
export interface ProviderRecord {
  /** Names this write, so that its author knows it again when the answer got lost. */
  writeId: string;
  made: Made;
  advertisement: AdvertisementRecord | null;
  /** Whether the advertisement is live only while a session is open. */
  needsSession: boolean;
  /** What is remembered of who signed; null where nobody has. */
  identity: IdentityRecord | null;
  /** The open session; it ends with its hub, without another record. */
  session: OpenSession | null;
}

/** Of the entry, what the state does not tell. */
export type Made =
  | { by: 'advertise' | 'withdraw' | 'bind' | 'expire' }
  | { by: 'attach'; at: number }
  | { by: 'detach'; session: Session };

export interface OpenSession extends Session {
  /** The client address that it is from; null where nobody knows. */
  from: string | null;
}

/** A change here is a change for hubs that run beside others of an earlier version. */
const FORMAT = 1;

const packr = new Packr({
  useRecords: false,
  variableMapSize: true,
  mapsAsObjects: true,
  // What is encoded is plain data; a price that a stranger called toJSON is no function to call.
  useToJSON: false,
});

export function encodeRecord(record: ProviderRecord): Buffer {
  return packr.pack({ ...record, format: FORMAT });
}

/** @throws Error when these bytes are no record, or one of a version that this hub does not know. */
export function decodeRecord(bytes: Uint8Array): ProviderRecord {
  const value = packr.unpack(bytes) as (ProviderRecord & { format: number }) | null;
  const format = value?.format;
  if (format !== FORMAT)
    throw new Error(`a record of format ${String(format)}; this hub knows format ${FORMAT}`);
  return value!;
}

/**
 * The state of a provider after an entry.
 * @param before The state before it; null where there was none.
 * @returns Null when the entry is without effect.
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
      const { hub, token } = entry;
      if (session?.hub !== hub || session.token !== token) return null;
      return { ...same, made: { by: 'detach', session: { hub, token } }, session: null };
    }
    case 'expire':
      // Whoever has a session is here.
      if (advertisement === null || session !== null) return null;
      return { ...same, made: { by: 'expire' }, advertisement: null };
  }
}

const NOTHING = { advertisement: null, needsSession: false, identity: null, session: null };

/** The entries that are about one provider. */
export type ProviderEntry = Exclude<Entry, { kind: 'end' }>;

export function providerOf(entry: ProviderEntry): string {
  if (entry.kind === 'advertise') return entry.record.providerId;
  return entry.kind === 'bind' ? entry.identity.providerId : entry.providerId;
}

/**
 * The entry that made a record what it is.
 * @param origin The client address that an advertisement came from; null where it came to another hub.
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
      return { kind: 'detach', providerId, ...made.session };
    case 'expire':
      return { kind: 'expire', providerId, seenAt: null };
  }
}

/** The entries that make the state of a provider from nothing. */
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
