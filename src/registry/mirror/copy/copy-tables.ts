import type { Database } from 'better-sqlite3';
import type { CopyMark } from '../../local-copy.js';
import { ADVERTISEMENT_COLUMNS, IDENTITY_COLUMNS } from '../rows.js';
import { formatTime } from '../time.js';
import { upsert } from '../upsert.js';
import type { CopyOperation } from '../messages.js';

/** In the order of `StandingRow`. */
export const STANDING_COLUMNS = [
  'provider_id',
  'revision',
  'is_advertised',
  'needs_session',
  'seen_at',
  'hub',
  'token',
  'session_from',
] as const;

/** Whether an advertisement is live, in SQL. */
export const IS_LIVE = `(SELECT needs_session = 0 OR hub IN (SELECT hub FROM running) FROM standings
  WHERE standings.provider_id = advertisements.provider_id)`;

/** Copies of other formats are made anew. */
const FORMAT = 1;

/** Creates what a copy has besides the tables of a hub's file, where it is missing. */
export function createCopyTables(db: Database): void {
  db.exec(`CREATE TABLE IF NOT EXISTS standings (
      provider_id TEXT PRIMARY KEY,
      revision INTEGER NOT NULL,
      is_advertised INTEGER NOT NULL,
      needs_session INTEGER NOT NULL,
      seen_at INTEGER NOT NULL,
      hub TEXT,
      token INTEGER,
      session_from TEXT
    );
    CREATE TABLE IF NOT EXISTS running (hub TEXT PRIMARY KEY);
    CREATE TABLE IF NOT EXISTS mark (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      format INTEGER NOT NULL,
      epoch TEXT NOT NULL,
      revision INTEGER NOT NULL,
      since INTEGER NOT NULL
    )`);
}

/** Where the copy stands; null if it is incomplete or of another format. */
export function readMark(db: Database): CopyMark | null {
  const sql = 'SELECT epoch, revision, since FROM mark WHERE format = ?';
  return db.prepare<[number], CopyMark>(sql).get(FORMAT) ?? null;
}

export function readHubs(db: Database): Set<string> {
  return new Set(db.prepare<[], string>('SELECT hub FROM running').pluck().all());
}

/**
 * Prepares writing to a database with the copy's tables.
 * @returns Writes all operations in one transaction, which is durable when this returns, and throws an SqliteError if nothing was written.
 */
export function createCopyWriter(db: Database): (operations: readonly CopyOperation[]) => void {
  const putAdvertisement = db.prepare<[unknown[]]>(upsert('advertisements', ADVERTISEMENT_COLUMNS));
  const putIdentity = db.prepare<[unknown[]]>(upsert('identities', IDENTITY_COLUMNS));
  const putStanding = db.prepare<[unknown[]]>(upsert('standings', STANDING_COLUMNS));
  const putHub = db.prepare<[string]>('INSERT OR IGNORE INTO running (hub) VALUES (?)');
  const putMark = db.prepare<[number, string, number, number]>(
    'INSERT OR REPLACE INTO mark (id, format, epoch, revision, since) VALUES (1, ?, ?, ?, ?)',
  );
  const removal = (table: string, column = 'provider_id') =>
    db.prepare<[string]>(`DELETE FROM ${table} WHERE ${column} = ?`);
  const removeAdvertisement = removal('advertisements');
  const removeIdentity = removal('identities');
  const removeStanding = removal('standings');
  const removeHub = removal('running', 'hub');

  function apply(operation: CopyOperation): void {
    switch (operation[0]) {
      case 'standing':
        putStanding.run(operation[1]);
        break;
      case 'record': {
        const [, standing, advertisement, identity] = operation;
        const [providerId] = standing;
        putStanding.run(standing);
        if (advertisement === null) removeAdvertisement.run(providerId);
        else putAdvertisement.run(withTexts(advertisement));
        if (identity === null) removeIdentity.run(providerId);
        else putIdentity.run(identity);
        break;
      }
      case 'gone':
        for (const statement of [removeAdvertisement, removeIdentity, removeStanding])
          statement.run(operation[1]);
        break;
      case 'hub':
        (operation[2] ? putHub : removeHub).run(operation[1]);
        break;
      case 'mark': {
        const { epoch, revision, since } = operation[1];
        putMark.run(FORMAT, epoch, revision, since);
        break;
      }
    }
  }
  return db.transaction((operations: readonly CopyOperation[]) => {
    operations.forEach(apply);
  });
}

/** Times as the hub's file has them. Who is attached is a matter of the standings. */
function withTexts(row: readonly unknown[]): unknown[] {
  const values = [...row];
  for (const time of [CREATED_AT, UPDATED_AT]) values[time] = formatTime(row[time] as number);
  values[ATTACHED] = 0;
  return values;
}

const CREATED_AT = ADVERTISEMENT_COLUMNS.indexOf('created_at');
const UPDATED_AT = ADVERTISEMENT_COLUMNS.indexOf('updated_at');
const ATTACHED = ADVERTISEMENT_COLUMNS.indexOf('attached');
