import type { Database } from 'better-sqlite3';

/** Numbered by their position, from 1. Never change one that was released: add another. */
const MIGRATIONS: readonly ((db: Database) => void)[] = [
  (db) => {
    // The table of the first generation, whose older files lack the last two columns.
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
    // How far each run of a hub came, by its fencing token: Unix milliseconds, and the machine's uptime in milliseconds.
    db.exec(`CREATE TABLE runs (
      fencing_token INTEGER PRIMARY KEY,
      steady INTEGER NOT NULL,
      wall INTEGER NOT NULL,
      boot_id TEXT,
      uptime INTEGER
    )`);
  },
];

/** The database was written by a newer version of the hub. */
export class NewerSchemaError extends Error {
  override readonly name = 'NewerSchemaError';
}

/**
 * Brings the schema up to date, each step in a transaction of its own.
 * @throws NewerSchemaError when the file is ahead of this program.
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

function addColumns(db: Database, definitions: readonly string[]): void {
  const present = new Set(db.prepare("SELECT name FROM pragma_table_info('advertisements')").pluck().all());
  for (const definition of definitions) {
    if (!present.has(definition.split(' ')[0]))
      db.exec(`ALTER TABLE advertisements ADD COLUMN ${definition}`);
  }
}
