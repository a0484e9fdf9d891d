import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { ClockAnchor } from '../../lib/clock.js';
import type { DatabaseLocation } from './location.js';
import { migrate } from './migrations.js';

/** How long to wait for another process that is about to release the file, in milliseconds. */
const BUSY_TIMEOUT_MS = 2000;

/** Opens a connection without touching the file yet; `create` creates a missing file. */
export function connect(location: DatabaseLocation, create: boolean): Database.Database {
  const path = location.kind === 'memory' ? ':memory:' : location.path;
  return new Database(path, { timeout: BUSY_TIMEOUT_MS, fileMustExist: !create && location.kind === 'file' });
}

/** Opens a read-only connection beside the one that has reserved the file. */
export function openToRead(path: string): Database.Database {
  return new Database(path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
}

/**
 * Locks the file exclusively until this connection closes, and migrates the schema.
 * @throws SqliteError, or NewerSchemaError.
 */
export function prepareDatabase(db: Database.Database): void {
  // Must come before the first access: only then does WAL work without shared memory, and the lock is held from here on.
  db.pragma('locking_mode = EXCLUSIVE');
  bringUpToDate(db);
}

/**
 * Keeps other writers, but not readers, out until `takeFencingToken` or until the connection closes, and migrates the schema.
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
 * Rejects a file that is not a database before SQLite opens it, which would overwrite the shared memory beside it.
 * @throws SqliteError
 */
export function checkHeader(path: string): void {
  // A hub that holds the file has no shared memory. Its locks would be lost if this process opened and closed the file.
  if (!existsSync(`${path}-shm`)) return;
  const header = headerOf(path);
  if (header !== '' && header !== MAGIC) {
    throw new Database.SqliteError('file is not a database', 'SQLITE_NOTADB');
  }
}

/** Empty for a new file, and for one that cannot be read, for which SQLite will report the reason. */
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

/** How many runs to remember. Whoever was attached before that has expired since, unless the hub hardly ran at all. */
const KEPT_RUNS = 1000;

/** SQLite can open the file, but the file is damaged. */
export class DamagedFileError extends Error {
  override readonly name = 'DamagedFileError';
}

/**
 * Checks the whole file. Just reading the rows would miss damage to indexes and free pages, which would make later writes fail.
 * @throws DamagedFileError, or SqliteError.
 */
export function checkStructure(db: Database.Database): void {
  const finding = db.pragma('quick_check(1)', { simple: true }) as string;
  // Problems without this header are about values that violate a column's constraint, which is not damage.
  const HEAD = '*** in database main ***\n';
  if (finding.startsWith(HEAD)) throw new DamagedFileError(finding.slice(HEAD.length));
}

/** The steady time up to which each run of a hub is known to have had its sessions, by its fencing token. */
export type Runs = ReadonlyMap<number, number>;

export function readRuns(db: Database.Database): Runs {
  return new Map(db.prepare<[], [number, number]>('SELECT fencing_token, steady FROM runs').raw().all());
}

/** The steady time that a hub last wrote; null if none did. */
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
 * Draws the next fencing token, which voids all earlier ones, and ends the reservation. Also proves that the file is writable.
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
 * Checks that nobody has drawn another fencing token. The lock alone cannot tell: it is free between loading and the worker's start, and
 * while a dead worker is replaced.
 * @throws Error if another hub has used the file.
 */
export function checkFencingToken(db: Database.Database, fencingToken: number): void {
  if (db.prepare('SELECT starts FROM hub').pluck().get() !== fencingToken) {
    throw new Error(
      'another hub has used the file since this one read it: restart this hub, and let each have its own file',
    );
  }
}
