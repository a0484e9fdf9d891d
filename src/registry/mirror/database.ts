import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { ClockAnchor } from '../../lib/clock.js';
import type { DatabaseLocation } from './location.js';
import { migrate } from './migrations.js';

/** How long to wait for another process that is about to let go of the file, in milliseconds. */
const BUSY_TIMEOUT_MS = 2000;

/** Opens a connection without touching the file yet; `create` makes a missing file. */
export function connect(location: DatabaseLocation, create: boolean): Database.Database {
  const path = location.kind === 'memory' ? ':memory:' : location.path;
  return new Database(path, { timeout: BUSY_TIMEOUT_MS, fileMustExist: !create && location.kind === 'file' });
}

/** Opens a connection that only reads, beside the one that has reserved the file. */
export function openToRead(path: string): Database.Database {
  return new Database(path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
}

/**
 * Takes the file for this connection alone until it closes, and brings the schema up to date.
 * @throws SqliteError, or NewerSchemaError.
 */
export function prepareDatabase(db: Database.Database): void {
  // Before the first access: only then does WAL do without shared memory, and the lock is held from here on.
  db.pragma('locking_mode = EXCLUSIVE');
  bringUpToDate(db);
}

/**
 * Keeps all other writers out until `takeFencingToken` or the connection closes, while others may read, and brings the schema
 * up to date.
 * @throws SqliteError, or NewerSchemaError.
 */
export function reserveDatabase(db: Database.Database): void {
  bringUpToDate(db);
  db.exec('BEGIN IMMEDIATE');
}

function bringUpToDate(db: Database.Database): void {
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  migrate(db);
}

const MAGIC = 'SQLite format 3\0';

/**
 * Tells a file that is no database before SQLite opens it, which would write over the shared memory that lies beside it.
 * @throws SqliteError
 */
export function checkHeader(path: string): void {
  // A hub that has the file has no shared memory. Its locks would be lost if this process opened and closed the file.
  if (!existsSync(`${path}-shm`)) return;
  const header = headerOf(path);
  if (header !== '' && header !== MAGIC) {
    throw new Database.SqliteError('file is not a database', 'SQLITE_NOTADB');
  }
}

/** Empty for a new file, and for one that cannot be read: SQLite will say why. */
function headerOf(path: string): string {
  let file: number | null = null;
  try {
    file = openSync(path, 'r');
    const header = Buffer.alloc(MAGIC.length);
    return header.toString('latin1', 0, readSync(file, header));
  } catch {
    return '';
  } finally {
    if (file !== null) closeSync(file);
  }
}

/** What more runs ago was attached has expired since, or the hub can hardly have run at all. */
const KEPT_RUNS = 1000;

/** SQLite can open the file, but not trust it. */
export class DamagedFileError extends Error {
  override readonly name = 'DamagedFileError';
}

/**
 * Walks through the whole file. Reading the rows alone would miss damage to indexes and free pages, which makes
 * later writes fail.
 * @throws DamagedFileError, or SqliteError.
 */
export function checkStructure(db: Database.Database): void {
  const finding = db.pragma('quick_check(1)', { simple: true }) as string;
  // Without this head it is about values that break a rule of their column, which is no damage.
  const HEAD = '*** in database main ***\n';
  if (finding.startsWith(HEAD)) throw new DamagedFileError(finding.slice(HEAD.length));
}

/** Until when (steady time) each run of a hub is known to have had its sessions, by its fencing token. */
export type Runs = ReadonlyMap<number, number>;

export function readRuns(db: Database.Database): Runs {
  return new Map(db.prepare<[], [number, number]>('SELECT fencing_token, steady FROM runs').raw().all());
}

/** Where steady time stood when a hub last wrote it; null where none did. */
export function readAnchor(db: Database.Database): ClockAnchor | null {
  const found = db
    .prepare<[], { steady: number; wall: number; boot_id: string | null; uptime: number | null }>(
      'SELECT * FROM runs ORDER BY fencing_token DESC LIMIT 1',
    )
    .get();
  if (found === undefined) return null;
  const { steady, wall, boot_id: id, uptime: uptimeMs } = found;
  return { steady, wall, boot: id === null || uptimeMs === null ? null : { id, uptimeMs } };
}

/**
 * Draws the next fencing token, which ends all earlier ones, and ends the reservation. Also proves that the file can be
 * written.
 */
export function takeFencingToken(db: Database.Database): number {
  const sql = `INSERT INTO hub (id, starts) VALUES (1, 1)
    ON CONFLICT (id) DO UPDATE SET starts = starts + 1 RETURNING starts`;
  const fencingToken = db.prepare<[], number>(sql).pluck().get() ?? 0;
  db.prepare('DELETE FROM runs WHERE fencing_token < ?').run(fencingToken - KEPT_RUNS);
  db.exec('COMMIT');
  return fencingToken;
}

/**
 * Checks that nobody has drawn another fencing token. The lock alone cannot tell: it is free between the load and the
 * worker's start, and while a worker that died is replaced.
 * @throws Error when another hub has used the file.
 */
export function checkFencingToken(db: Database.Database, fencingToken: number): void {
  if (db.prepare('SELECT starts FROM hub').pluck().get() !== fencingToken) {
    throw new Error(
      'another hub has used the file since this one read it: restart this hub, and let each have its own file',
    );
  }
}
