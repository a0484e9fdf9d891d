/** The writer thread: opens the file on the first request, and answers one request at a time. */
import { statSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import { checkFencingToken, connect, prepareDatabase } from './database.js';
import { describeFailure } from './failures.js';
import type { Operation, Request, Results, WorkerSetup } from './messages.js';
import { type BatchWriter, createBatchWriter } from './batch-writer.js';

const { location, fencingToken } = workerData as WorkerSetup;
const path = location.kind === 'memory' ? ':memory:' : location.path;
let open: { db: Database; write: BatchWriter } | null = null;
/** The identity of the opened file, whatever its name; null before the first open. */
let identity: string | null = null;

/** Distinguishes a file from a replacement at the same path; null if there is none. */
function identityOfFile(): string | null {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? null : `${String(stat.dev)}:${String(stat.ino)}`;
}

/**
 * Writes to a file that was removed or replaced would succeed, but nobody would ever read them.
 * @throws Error
 */
function checkFile(): void {
  if (location.kind === 'memory') return;
  const present = identityOfFile();
  identity ??= present;
  if (present !== null && present === identity) return;
  throw new Error(
    'it was removed or replaced while the hub ran: put it back, or restart the hub, which goes on with the file that is there',
  );
}

function openDatabase(): { db: Database; write: BatchWriter } {
  const db = connect(location, false);
  try {
    prepareDatabase(db);
    if (location.kind === 'file') checkFencingToken(db, fencingToken);
    return { db, write: createBatchWriter(db, fencingToken) };
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
  }
}

function write(operations: readonly Operation[]): Results['write'] {
  try {
    checkFile();
    open ??= openDatabase();
    const refusals = open.write(operations);
    checkFile();
    return { problem: null, refusals };
  } catch (error) {
    const problem = describeFailure(path, error);
    // After a failed sync, only a new connection knows for certain what the file contains.
    close();
    return { problem };
  }
}

parentPort?.on('message', (request: Request) => {
  if (request.kind === 'write') {
    parentPort?.postMessage(write(request.body));
  } else {
    parentPort?.postMessage({ problem: close() } satisfies Results['close']);
    parentPort?.close();
  }
});
