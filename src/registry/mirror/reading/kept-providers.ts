import { statSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import type { AdvertisementRecord, IdentityRecord } from '../../store/records.js';
import { checkHeader, checkStructure, connect, readRuns, reserveDatabase } from '../database.js';
import { describeFailure } from '../failures.js';
import { ADVERTISEMENT_COLUMNS, IDENTITY_COLUMNS, readAdvertisement, readIdentity } from '../rows.js';

/** All that a file has of one provider. */
export interface KeptProvider {
  providerId: string;
  /** Null where there is none, or none that a hub can have written. */
  advertisement: AdvertisementRecord | null;
  /** Of whoever signed; null where nobody has. */
  identity: IdentityRecord | null;
}

const IDS = ['advertisements', 'identities']
  .map((table) => `SELECT provider_id FROM ${table} WHERE provider_id > $after`)
  .join(' UNION ');
const columns = (table: string, names: readonly string[]): string[] =>
  names.map((name) => `${table}.${name}`);
const ROWS = `SELECT ids.provider_id, ${[
  ...columns('advertisements', ADVERTISEMENT_COLUMNS),
  ...columns('identities', IDENTITY_COLUMNS),
].join(', ')} FROM (${IDS} ORDER BY provider_id) ids
  LEFT JOIN advertisements ON advertisements.provider_id = ids.provider_id
  LEFT JOIN identities ON identities.provider_id = ids.provider_id
  ORDER BY ids.provider_id`;

/** The file of a hub that does not run, provider by provider. No hub can use it meanwhile. */
export class KeptProviders {
  /** Tells this file, as it is now, from others. */
  readonly fingerprint: string;
  readonly #db: Database;

  /**
   * Opens the file, and brings one of an earlier version up to date, as a start of a hub would.
   * @throws Error when it cannot be used, e.g. because a hub runs on it; the message says what to do.
   */
  constructor(path: string) {
    let db: Database | null = null;
    try {
      db = connect({ kind: 'file', path }, false);
      checkHeader(path);
      reserveDatabase(db);
      checkStructure(db);
    } catch (error) {
      db?.close();
      throw new Error(describeFailure(path, error), { cause: error });
    }
    this.#db = db;
    const starts = db.prepare<[], number>('SELECT starts FROM hub').pluck().get() ?? 0;
    this.fingerprint = `${String(statSync(path).size)} bytes, ${String(starts)} starts`;
  }

  /** How many providers lie behind an id in the order of ids; all with an empty one. */
  count(after: string): number {
    return this.#db.prepare<[object], number>(`SELECT count(*) FROM (${IDS})`).pluck().get({ after }) ?? 0;
  }

  /** The providers behind an id, in the order of ids. */
  *behind(after: string): Generator<KeptProvider, void, undefined> {
    const runs = readRuns(this.#db);
    for (const row of this.#db.prepare<[object], unknown[]>(ROWS).raw().iterate({ after })) {
      const advertisement = row.slice(1, 1 + ADVERTISEMENT_COLUMNS.length);
      const record = readAdvertisement(advertisement, runs)?.record ?? null;
      const identity = readIdentity(row.slice(1 + ADVERTISEMENT_COLUMNS.length));
      yield { providerId: row[0] as string, advertisement: record, identity: merged(record, identity) };
    }
  }

  close(): void {
    this.#db.close();
  }
}

/** What is known of who signed: of somebody who advertises, the proof may be all that tells it. */
function merged(
  advertisement: AdvertisementRecord | null,
  identity: IdentityRecord | null,
): IdentityRecord | null {
  const proof = advertisement?.proof ?? null;
  if (advertisement === null || proof === null) return identity;
  const { providerId, updatedAt } = advertisement;
  const lastT = Math.max(proof.t, identity?.lastT ?? 0);
  const seenAt = Math.max(updatedAt, identity?.seenAt ?? 0);
  return { providerId, publicKey: identity?.publicKey ?? proof.publicKey, lastT, seenAt };
}
