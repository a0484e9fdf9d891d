import type { Database } from 'better-sqlite3';
import { canonicalAddress } from '../../protocol/schemes/ethereum-address.js';
import { parseTime } from './time.js';

/** Numbered by position, from 1. Never change a released one: add another. */
const MIGRATIONS: readonly ((db: Database) => void)[] = [
  (db) => {
    // The first generation's table, whose older files lack the last two columns.
    db.exec(`CREATE TABLE IF NOT EXISTS advertisements (
      provider_id TEXT PRIMARY KEY,
      ip_address TEXT NOT NULL,
      country TEXT NOT NULL,
      resources TEXT NOT NULL,
      created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
      updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
    )`);
    addColumns(db, ['platform TEXT', 'pricing TEXT']);
  },
  (db) => {
    addColumns(db, [
      'name TEXT',
      'payments_network TEXT',
      'public_key TEXT',
      'signed_at INTEGER',
      'payload BLOB',
      'signature TEXT',
      'attached INTEGER NOT NULL DEFAULT 0',
    ]);
  },
  (db) => {
    db.exec(`CREATE TABLE IF NOT EXISTS identities (
      provider_id TEXT PRIMARY KEY,
      public_key TEXT NOT NULL,
      last_t INTEGER NOT NULL,
      seen_at INTEGER NOT NULL
    )`);
  },
  (db) => {
    db.exec(
      'CREATE TABLE IF NOT EXISTS hub (id INTEGER PRIMARY KEY CHECK (id = 1), starts INTEGER NOT NULL)',
    );
    db.exec('INSERT OR IGNORE INTO hub (id, starts) VALUES (1, 0)');
  },
  (db) => {
    // The last recorded time of each run of a hub, by its fencing token: Unix milliseconds, and the machine's uptime in milliseconds.
    db.exec(`CREATE TABLE runs (
      fencing_token INTEGER PRIMARY KEY,
      steady INTEGER NOT NULL,
      wall INTEGER NOT NULL,
      boot_id TEXT,
      uptime INTEGER
    )`);
  },
  (db) => {
    dropLookalikes(db);
    mergeSpellings(db);
  },
  (db) => {
    db.exec(`CREATE TABLE IF NOT EXISTS counts (
      kind TEXT NOT NULL,
      key TEXT NOT NULL,
      count INTEGER NOT NULL,
      ends_at INTEGER NOT NULL,
      PRIMARY KEY (kind, key)
    )`);
    db.exec('CREATE INDEX IF NOT EXISTS counts_by_end ON counts (ends_at)');
  },
  (db) => {
    addColumns(db, ['attributes TEXT', 'endpoint_port INTEGER', 'ip_confirmed INTEGER NOT NULL DEFAULT 0']);
  },
  (db) => {
    // The first generation's hub can still use the file, and knows nothing of proofs: what it changes, nobody has signed.
    const changed = SIGNED_COLUMNS.map((column) => `NEW.${column} IS NOT OLD.${column}`).join(' OR ');
    db.exec(`CREATE TRIGGER changed_without_proof AFTER UPDATE OF ${SIGNED_COLUMNS.join(', ')} ON advertisements
      WHEN OLD.signature IS NOT NULL AND NEW.signature IS OLD.signature AND (${changed})
      BEGIN
        UPDATE advertisements SET public_key = NULL, signed_at = NULL, payload = NULL, signature = NULL
          WHERE rowid = NEW.rowid;
      END`);
  },
];

/** What a proof is of, as of this migration: it stays as it is when later ones add columns. */
const SIGNED_COLUMNS = [
  'provider_id',
  'ip_address',
  'country',
  'platform',
  'resources',
  'pricing',
  'name',
  'payments_network',
  'attributes',
  'endpoint_port',
];

/** The database was written by a newer version of the hub. */
export class NewerSchemaError extends Error {
  override readonly name = 'NewerSchemaError';
}

/**
 * Migrates the schema, each step in its own transaction.
 * @throws NewerSchemaError if the file is newer than this program.
 */
export function migrate(db: Database): void {
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version < 0 || version > MIGRATIONS.length) {
    throw new NewerSchemaError(
      `its schema has version ${String(version)}, and this hub knows versions up to ${String(MIGRATIONS.length)}: ` +
        'run the newer hub that wrote it, or set DISCOVERY_DB_URL to another file',
    );
  }
  MIGRATIONS.slice(version).forEach((step, index) => {
    db.transaction(() => {
      step(db);
      db.pragma(`user_version = ${String(version + index + 1)}`);
    })();
  });
}

/** Ids that resemble a public key used to be names. Nobody can speak for them any more. */
function dropLookalikes(db: Database): void {
  for (const table of ['advertisements', 'identities']) {
    db.exec(`DELETE FROM ${table} WHERE length(provider_id) = 64
      AND provider_id GLOB '*[A-F]*' AND provider_id NOT GLOB '*[^0-9A-Fa-f]*'`);
  }
}

/**
 * Converts Ethereum addresses to their canonical form. The first generation treated each spelling as a separate provider; the one last
 * heard of stays. Addresses with a wrong checksum are not served.
 */
function mergeSpellings(db: Database): void {
  const rows = db
    .prepare<[], { rowid: number; id: string; seen: unknown }>(
      "SELECT rowid, provider_id AS id, updated_at AS seen FROM advertisements WHERE provider_id LIKE '0x%' AND length(provider_id) = 42",
    )
    .all()
    .map((row) => ({ ...row, canonical: canonicalAddress(row.id), seen: parseTime(row.seen) ?? 0 }))
    .sort((a, b) => b.seen - a.seen);
  const remove = db.prepare<[number]>('DELETE FROM advertisements WHERE rowid = ?');
  const rename = db.prepare<[string, number]>('UPDATE advertisements SET provider_id = ? WHERE rowid = ?');
  const kept = new Map<string, { rowid: number; id: string }>();
  for (const { rowid, id, canonical } of rows) {
    if (canonical === null) continue;
    if (kept.has(canonical)) remove.run(rowid);
    else kept.set(canonical, { rowid, id });
  }
  // Only now can no other row conflict.
  for (const [canonical, { rowid, id }] of kept) if (id !== canonical) rename.run(canonical, rowid);
}

function addColumns(db: Database, definitions: readonly string[]): void {
  const present = new Set(db.prepare("SELECT name FROM pragma_table_info('advertisements')").pluck().all());
  for (const definition of definitions) {
    if (!present.has(definition.split(' ')[0]))
      db.exec(`ALTER TABLE advertisements ADD COLUMN ${definition}`);
  }
}
