import { existsSync, renameSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import type { KeptSink } from '../../log.js';
import {
  checkHeader,
  checkStructure,
  connect,
  DamagedFileError,
  readAnchor,
  readRuns,
  reserveDatabase,
  takeFencingToken,
} from '../database.js';
import { describeFailure, isUnreadable } from '../failures.js';
import type { DatabaseLocation } from '../location.js';
import type { Found, Stretch } from '../messages.js';
import { COUNT_COLUMNS, readCount } from '../rows.js';
import { readStretch } from './stretch.js';
import { runThread } from './threads.js';

/** Where the mirror reports to an operator. A pino logger will do. */
export interface MirrorLogger {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** The state that `Mirror.open` continues from. */
export interface LoadedMirror {
  readonly location: DatabaseLocation;
  /** The token of this hub's turn with the file. */
  readonly fencingToken: number;
  /** Where an unreadable file was moved; null if there was none. */
  readonly movedAside: string | null;
  /** How many rows no hub can have written. They stay in the file. */
  readonly skippedRows: number;
}

/**
 * Opens the database, migrates it, and hands its whole content to `sink`. Threads read a large file while another one checks it. A file that
 * SQLite cannot read is moved aside, and the hub starts empty.
 * @throws Error if the file cannot be used. The message names it, the cause and what to do.
 */
export async function loadMirror(
  location: DatabaseLocation,
  sink: KeptSink,
  log: MirrorLogger,
): Promise<LoadedMirror> {
  if (location.kind === 'memory') return { location, fencingToken: 0, movedAside: null, skippedRows: 0 };
  const { path } = location;
  try {
    const loaded = await loadFile(path, sink);
    if (!('unreadable' in loaded)) return finish(location, { ...loaded, movedAside: null }, log);
    sink.reset();
    log.error(
      `the database ${path} cannot be read (${loaded.unreadable}); ` +
        `it was moved to ${loaded.movedAside}, and the hub starts empty`,
    );
    const fresh = await loadFile(path, sink);
    if ('unreadable' in fresh) throw new Error(fresh.unreadable);
    return finish(location, { ...fresh, movedAside: loaded.movedAside }, log);
  } catch (error) {
    throw new Error(describeFailure(path, error), { cause: error });
  }
}

function finish(
  location: DatabaseLocation,
  loaded: Omit<LoadedMirror, 'location'>,
  log: MirrorLogger,
): LoadedMirror {
  if (loaded.skippedRows > 0) {
    log.warn(`${String(loaded.skippedRows)} rows of the database could not be understood and were skipped`);
  }
  return { location, ...loaded };
}

/** Fewer rows are read on this thread: starting another takes longer. */
const MIN_ROWS_FOR_THREADS = 1000;
/** Fewer rows are read by one thread. */
const MIN_SHARED_ROWS = 20_000;

type FileResult = { fencingToken: number; skippedRows: number } | { unreadable: string; movedAside: string };

async function loadFile(path: string, sink: KeptSink): Promise<FileResult> {
  const db = connect({ kind: 'file', path }, true);
  try {
    checkHeader(path);
    reserveDatabase(db);
    const anchor = readAnchor(db);
    if (anchor !== null) sink.clock(anchor);
    const skippedRows = await readAll(db, path, sink);
    return { fencingToken: takeFencingToken(db), skippedRows };
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    // Closing would truncate and delete the write-ahead log, so it is moved first; but Windows cannot move open files.
    if (process.platform === 'win32') db.close();
    return { unreadable: (error as Error).message, movedAside: moveAside(path) };
  } finally {
    db.close();
  }
}

/** Hands all rows to the sink, and checks the file. @returns How many were skipped. */
async function readAll(db: Database, path: string, sink: KeptSink): Promise<number> {
  let skipped = 0;
  const take = (found: Found): void => {
    if (found.kind === 'signed') sink.rows(found.batch);
    else if (found.kind === 'unsigned') for (const record of found.records) sink.advertisement(record);
    else if (found.kind === 'identities') for (const record of found.records) sink.identity(record);
    else if (found.kind === 'skipped') skipped += found.rows;
  };
  sink.expect(db.prepare<[], number>('SELECT count(*) FROM advertisements').pluck().get() ?? 0);
  skipped += readCounts(db, sink);
  await readAndCheck(db, path, wholeOf(db, false), take);
  // Checking indexes against their tables would take longer than everything else. Instead: an index that lacks a row lets a duplicate in.
  if (!sink.isConsistent()) throw new DamagedFileError('a provider occurs twice, so an index is damaged');
  return skipped;
}

/**
 * Reads a stretch, and checks the whole file meanwhile: in threads, unless it is small.
 * @throws DamagedFileError, SqliteError, or what `take` throws.
 */
export async function readAndCheck(
  db: Database,
  path: string,
  stretch: Stretch,
  take: (found: Found) => void,
): Promise<void> {
  if (stretch.to - stretch.from < MIN_ROWS_FOR_THREADS) {
    checkStructure(db);
    readStretch(db, stretch, take);
    return;
  }
  const threads = [
    runThread('checker', path, () => undefined),
    ...halves(stretch).map((half) => runThread('reader', { path, stretch: half }, take)),
  ];
  // All threads keep the file open until they end.
  for (const end of await Promise.allSettled(threads)) if (end.status === 'rejected') throw end.reason;
}

/** Hands the per-address counts to the sink. @returns How many were skipped. */
function readCounts(db: Database, sink: KeptSink): number {
  let skipped = 0;
  for (const row of db
    .prepare<[], unknown[]>(`SELECT ${COUNT_COLUMNS.join(', ')} FROM counts`)
    .raw()
    .iterate()) {
    const record = readCount(row);
    if (record === null) skipped += 1;
    else sink.count(record);
  }
  return skipped;
}

/** The stretch that covers all tables. */
export function wholeOf(db: Database, isCopy: boolean): Stretch {
  const tables = ['advertisements', 'identities', ...(isCopy ? ['standings'] : [])];
  // Separate queries, because a combined one would scan all rows.
  const ends = ['min', 'max'].flatMap((end) =>
    tables.map((table) => db.prepare<[], number | null>(`SELECT ${end}(rowid) FROM ${table}`).pluck().get()),
  );
  const numbers = ends.filter((end) => typeof end === 'number');
  return {
    runs: readRuns(db),
    from: Math.min(...numbers, Number.MAX_SAFE_INTEGER),
    to: Math.max(...numbers, 0),
    isCopy,
  };
}

/** Splits a stretch into one per reader thread. */
function halves(whole: Stretch): Stretch[] {
  const { from, to } = whole;
  if (to - from < MIN_SHARED_ROWS) return [whole];
  const middle = Math.floor((from + to) / 2);
  return [
    { ...whole, to: middle },
    { ...whole, from: middle + 1 },
  ];
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
