import { existsSync, renameSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import type { AdvertisementRecord, IdentityRecord } from '../persistence.js';
import { checkStructure, connect, prepareDatabase, takeLease } from './database.js';
import { describeFailure, isUnreadable } from './failures.js';
import type { DatabaseLocation } from './location.js';
import { ADVERTISEMENT_COLUMNS, IDENTITY_COLUMNS, readAdvertisement, readIdentity } from './rows.js';

/** Where the mirror reports to an operator. A pino logger fits. */
export interface MirrorLog {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** Takes what is stored, identities first. Nothing counts before `loadMirror` has returned. */
export interface MirrorSink {
  identity(record: IdentityRecord): void;
  /** First-generation and unsigned rows come with `proof: null` and have not been validated. */
  advertisement(record: AdvertisementRecord): void;
  /** The file has turned out to be unreadable: forget all that came so far. */
  reset(): void;
}

/** What `Mirror.open` goes on from. */
export interface LoadedMirror {
  readonly location: DatabaseLocation;
  /** Names this hub's turn with the file. */
  readonly lease: number;
  /** Where an unreadable file went; null when there was none. */
  readonly movedAside: string | null;
  /** Rows that no hub can have written. They were left where they are. */
  readonly skippedRows: number;
}

/**
 * Opens the database, migrates it, and hands all that is stored to `sink`, before it returns. A file that
 * SQLite cannot read is moved aside, and the hub starts empty.
 * @throws Error when the file cannot be used. The message names it, the cause and what to do.
 */
export function loadMirror(location: DatabaseLocation, sink: MirrorSink, log: MirrorLog): LoadedMirror {
  if (location.kind === 'memory') return { location, lease: 0, movedAside: null, skippedRows: 0 };
  const { path } = location;
  try {
    const loaded = loadFile(path, sink);
    if (!('unreadable' in loaded)) return finish(location, { ...loaded, movedAside: null }, log);
    sink.reset();
    log.error(
      `the database ${path} cannot be read (${loaded.unreadable}); ` +
        `it was moved to ${loaded.movedAside}, and the hub starts empty`,
    );
    const fresh = loadFile(path, sink);
    if ('unreadable' in fresh) throw new Error(fresh.unreadable);
    return finish(location, { ...fresh, movedAside: loaded.movedAside }, log);
  } catch (error) {
    throw new Error(describeFailure(path, error), { cause: error });
  }
}

function finish(
  location: DatabaseLocation,
  loaded: Omit<LoadedMirror, 'location'>,
  log: MirrorLog,
): LoadedMirror {
  if (loaded.skippedRows > 0) {
    log.warn(`${String(loaded.skippedRows)} rows of the database could not be understood and were left out`);
  }
  return { location, ...loaded };
}

type FileResult = { lease: number; skippedRows: number } | { unreadable: string; movedAside: string };

function loadFile(path: string, sink: MirrorSink): FileResult {
  const db = connect({ kind: 'file', path }, true);
  try {
    prepareDatabase(db);
    checkStructure(db);
    const skippedRows = readRows(db, sink);
    return { lease: takeLease(db), skippedRows };
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    // Closing would empty the write-ahead log and delete it, so its file goes first; Windows cannot move open files.
    if (process.platform === 'win32') db.close();
    return { unreadable: (error as Error).message, movedAside: moveAside(path) };
  } finally {
    db.close();
  }
}

function readRows(db: Database, sink: MirrorSink): number {
  let skipped = 0;
  const rows = (columns: readonly string[], table: string) =>
    db
      .prepare<[], unknown[]>(`SELECT ${columns.join(', ')} FROM ${table}`)
      .raw()
      .iterate();
  for (const row of rows(IDENTITY_COLUMNS, 'identities')) {
    const record = readIdentity(row);
    if (record === null) skipped += 1;
    else sink.identity(record);
  }
  for (const row of rows(ADVERTISEMENT_COLUMNS, 'advertisements')) {
    const record = readAdvertisement(row);
    if (record === null) skipped += 1;
    else sink.advertisement(record);
  }
  return skipped;
}

/** Renames the database and its companions so that SQLite still finds them together. */
function moveAside(path: string): string {
  const stamp = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  let target = `${path}.unreadable-${stamp}`;
  for (let i = 2; existsSync(target); i += 1) target = `${path}.unreadable-${stamp}-${String(i)}`;
  for (const suffix of ['-wal', '-shm', '-journal', '']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, target + suffix);
  }
  return target;
}
