import { existsSync, renameSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import type { JsonTexts } from '../fragment.js';
import type { AdvertisementRecord, IdentityRecord } from '../persistence.js';
import { checkFile } from './check.js';
import { checkHeader, connect, reserveDatabase, takeLease } from './database.js';
import { describeFailure, isUnreadable } from './failures.js';
import type { DatabaseLocation } from './location.js';
import { ADVERTISEMENT_COLUMNS, IDENTITY_COLUMNS, readAdvertisement, readIdentity } from './rows.js';

/** Where the mirror reports to an operator. A pino logger fits. */
export interface MirrorLog {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** Takes what is stored, advertisements first. Nothing counts before the promise of `loadMirror` resolves. */
export interface MirrorSink {
  /**
   * First-generation and unsigned rows come with `proof: null` and have not been validated.
   * @param texts The JSON of the record's parts.
   */
  advertisement(record: AdvertisementRecord, texts: JsonTexts): void;
  /** Bindings, without most of those whose advertisement says the same. */
  identity(record: IdentityRecord): void;
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
 * Opens the database, migrates it, and hands all that is stored to `sink`, while another thread checks the file. A file
 * that SQLite cannot read is moved aside, and the hub starts empty.
 * @throws Error when the file cannot be used. The message names it, the cause and what to do.
 */
export async function loadMirror(
  location: DatabaseLocation,
  sink: MirrorSink,
  log: MirrorLog,
): Promise<LoadedMirror> {
  if (location.kind === 'memory') return { location, lease: 0, movedAside: null, skippedRows: 0 };
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
  log: MirrorLog,
): LoadedMirror {
  if (loaded.skippedRows > 0) {
    log.warn(`${String(loaded.skippedRows)} rows of the database could not be understood and were left out`);
  }
  return { location, ...loaded };
}

type FileResult = { lease: number; skippedRows: number } | { unreadable: string; movedAside: string };

async function loadFile(path: string, sink: MirrorSink): Promise<FileResult> {
  const db = connect({ kind: 'file', path }, true);
  try {
    checkHeader(path);
    reserveDatabase(db);
    const check = checkFile(path);
    let skippedRows: number;
    try {
      skippedRows = readRows(db, sink);
    } finally {
      // It has the file open until it ends.
      await check;
    }
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

const PAGE_ROWS = 500;
const PUBLIC_KEY = ADVERTISEMENT_COLUMNS.indexOf('public_key');

/**
 * Leaves out what an advertisement says itself. Both are first written together and so mostly have the same rowid, which
 * makes this cheaper than handing the identity over; the sink has to expect those that it does not find.
 */
const IS_NOT_TOLD = `NOT EXISTS (
  SELECT 1 FROM advertisements AS a WHERE a.rowid = identities.rowid AND a.provider_id = identities.provider_id
    AND a.public_key = identities.public_key AND a.signed_at = identities.last_t
)`;

function readRows(db: Database, sink: MirrorSink): number {
  let skipped = 0;
  const identity = (row: readonly unknown[]): void => {
    const record = readIdentity(row);
    if (record === null) skipped += 1;
    else sink.identity(record);
  };
  const ids = IDENTITY_COLUMNS.join(', ');
  const identityOf = db
    .prepare<[unknown], unknown[]>(`SELECT ${ids} FROM identities WHERE provider_id = ?`)
    .raw();
  forEachRow(db, 'advertisements', ADVERTISEMENT_COLUMNS, 'TRUE', (row) => {
    const stored = readAdvertisement(row);
    if (stored === null) skipped += 1;
    else sink.advertisement(stored.record, stored.texts);
    const tellsOfKey = stored !== null && stored.record.proof !== null;
    if (row[PUBLIC_KEY] !== null && !tellsOfKey) identityOf.all(row[0]).forEach(identity);
  });
  forEachRow(db, 'identities', IDENTITY_COLUMNS, IS_NOT_TOLD, identity);
  return skipped;
}

/** In pages, because SQLite hands over single rows a fifth more slowly. */
function forEachRow(
  db: Database,
  table: string,
  columns: readonly string[],
  condition: string,
  take: (row: readonly unknown[]) => void,
): void {
  const page = db
    .prepare<[number, number], unknown[]>(
      `SELECT ${columns.join(', ')}, rowid FROM ${table} WHERE rowid > ? AND ${condition} ORDER BY rowid LIMIT ?`,
    )
    .raw();
  for (let last = -Infinity; ;) {
    const rows = page.all(last, PAGE_ROWS);
    for (const row of rows) take(row);
    if (rows.length < PAGE_ROWS) return;
    last = rows.at(-1)!.at(-1) as number;
  }
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
