import { statSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import type { AdvertisementRecord, IdentityRecord } from '../../store/records.js';
import { checkHeader, checkStructure, connect, readRuns, reserveDatabase } from '../database.js';
import { describeFailure } from '../failures.js';
import { ADVERTISEMENT_COLUMNS, IDENTITY_COLUMNS, readAdvertisement, readIdentity } from '../rows.js';

/** Everything a file contains about one provider. */
export interface KeptProvider {
  providerId: string;
  /** Null if there is none, or none that a hub can have written. */
  advertisement: AdvertisementRecord | null;
  /** The binding; null if nobody has signed. */
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

/** Reads a stopped hub's file provider by provider. No hub can use the file meanwhile. */
export class KeptProviders {
  /** Identifies this file in its present state. */
  readonly fingerprint: string;
  readonly #db: Database;

  /**
   * Opens the file, and migrates it like a starting hub would.
   * @throws Error if it cannot be used, e.g. because a hub is running on it; the message says what to do.
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
    if (this.count('') === 0) {
      db.close();
      throw new Error(`${path} knows of no provider: name the file that the hub used`);
    }
    this.fingerprint = `${String(statSync(path).size)} bytes, ${String(starts)} starts`;
  }

  /** How many providers come after an id in id order; all for an empty one. */
  count(after: string): number {
    return this.#db.prepare<[object], number>(`SELECT count(*) FROM (${IDS})`).pluck().get({ after }) ?? 0;
  }

  /** The providers after an id, in id order. */
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

/** The binding of a provider. For one that advertises, the proof may be the only record of it. */
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
