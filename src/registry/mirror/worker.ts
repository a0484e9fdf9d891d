/** The thread that writes: opens the file when the first request comes, and answers one request at a time. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import { checkFencingToken, connect, prepareDatabase } from './database.js';
import { describeFailure } from './failures.js';
import type { Operation, Request, Results, WorkerSetup } from './messages.js';
import { type BatchWriter, createBatchWriter } from './batch-writer.js';

const { location, fencingToken } = workerData as WorkerSetup;
const path = location.kind === 'memory' ? ':memory:' : location.path;
let open: { db: Database; write: BatchWriter } | null = null;

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

/** Returns why the file could not be closed; null when it is closed with all writes inside. */
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
    open ??= openDatabase();
    return { problem: null, refusals: open.write(operations) };
  } catch (error) {
    const problem = describeFailure(path, error);
    // After a failed sync only a new connection knows for certain what the file holds.
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
