/** The writer thread: opens the file on the first request, and answers one request at a time. */
import { statSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import { checkFencingToken, connect, prepareDatabase } from './database.js';
import { describeFailure } from './failures.js';
import type { Operation, Request, Results, WorkerSetup } from './messages.js';
import { type BatchWriter, createBatchWriter } from './batch-writer.js';
import { createCopyTables, createCopyWriter } from './copy/copy-tables.js';
import type { CopyOperation } from './messages.js';

const { location, fencingToken } = workerData as WorkerSetup;

/** The opened file, and how to write to it. */
interface Open {
  db: Database;
  write: BatchWriter;
  /** Null before the first write to a copy. */
  writeCopy: ((operations: readonly CopyOperation[]) => void) | null;
}

const path = location.kind === 'memory' ? ':memory:' : location.path;
let open: Open | null = null;
/** The identity of the opened file, whatever its name; null before the first open. */
let identity: string | null = null;
/** The same of its write-ahead log; null while it is not open. */
let walIdentity: string | null = null;

/** Distinguishes a file from a replacement at the same path; null if there is none. */
function identityOf(file: string): string | null {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? null : `${String(stat.dev)}:${String(stat.ino)}`;
}

/** How large both files were after the last write. Neither shrinks while it is open: SQLite lets no other program in. */
let leastBytes = { file: 0, wal: 0 };
/** Whether one of them has shrunk: what was cut off stays away, whatever is written later. */
let isCutShort = false;

function sizes(): typeof leastBytes {
  const bytesOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  return { file: bytesOf(path), wal: walIdentity === null ? 0 : bytesOf(`${path}-wal`) };
}

/**
 * What is written to a file of which a part was cut off is lost with it.
 * @throws Error
 */
function checkSizes(): void {
  if (location.kind === 'memory') return;
  const { file, wal } = sizes();
  // One that was removed is the matter of the other checks.
  isCutShort ||=
    file < leastBytes.file || (wal < leastBytes.wal && identityOf(`${path}-wal`) === walIdentity);
  if (isCutShort)
    throw new Error(
      'it, or its write-ahead log, was cut short while the hub ran, and what was there is only in memory now: copy what you need of it from the hub before you restart it',
    );
}

/**
 * Writes to a file that was removed or replaced would succeed, but nobody would ever read them.
 * @throws Error
 */
function checkFile(): void {
  if (location.kind === 'memory') return;
  const present = identityOf(path);
  identity ??= present;
  if (present !== null && present === identity) return;
  throw new Error(
    'it was removed or replaced while the hub ran: put it back, or restart the hub, which goes on with the file that is there',
  );
}

/**
 * What was written to a write-ahead log that somebody has removed is in no file that a restart would find. Closing moves it into the database;
 * the next write opens that again.
 * @throws Error
 */
function checkWal(): void {
  if (location.kind === 'memory') return;
  const present = identityOf(`${path}-wal`);
  walIdentity ??= present;
  if (present === walIdentity) return;
  const problem = close();
  if (problem !== null) throw new Error(problem);
}

function openDatabase(): Open {
  const db = connect(location, false);
  try {
    prepareDatabase(db);
    if (location.kind === 'file') checkFencingToken(db, fencingToken);
    return { db, write: createBatchWriter(db, fencingToken), writeCopy: null };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Returns why the file could not be closed; null if it is closed with all writes inside. */
function close(): string | null {
  try {
    open?.db.close();
    return null;
  } catch (error) {
    return describeFailure(path, error);
  } finally {
    open = null;
    walIdentity = null;
    leastBytes = { file: 0, wal: 0 };
  }
}

/** @returns What `go` does, unless that fails: then why. */
function inFile<Result>(go: (file: Open) => Result): Result | { problem: string } {
  try {
    checkFile();
    checkSizes();
    open ??= openDatabase();
    const result = go(open);
    checkFile();
    checkWal();
    leastBytes = sizes();
    return result;
  } catch (error) {
    const problem = describeFailure(path, error);
    // After a failed sync, only a new connection knows for certain what the file contains.
    close();
    return { problem };
  }
}

function write(operations: readonly Operation[]): Results['write'] {
  return inFile((file) => ({ problem: null, refusals: file.write(operations) }));
}

function copy(operations: readonly CopyOperation[]): Results['copy'] {
  return inFile((file) => {
    if (file.writeCopy === null) {
      createCopyTables(file.db);
      file.writeCopy = createCopyWriter(file.db);
    }
    file.writeCopy(operations);
    return { problem: null };
  });
}

parentPort?.on('message', (request: Request) => {
  if (request.kind === 'write') {
    parentPort?.postMessage(write(request.body));
  } else if (request.kind === 'copy') {
    parentPort?.postMessage(copy(request.body));
  } else {
    parentPort?.postMessage({ problem: close() } satisfies Results['close']);
    parentPort?.close();
  }
});
