/** The thread that checks a file while another one reads it. */
import { parentPort, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { BUSY_TIMEOUT_MS, checkStructure } from './database.js';
import type { CheckOutcome } from './check.js';

function check(path: string): CheckOutcome {
  try {
    const db = new Database(path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
    try {
      checkStructure(db);
    } finally {
      db.close();
    }
    return null;
  } catch (error) {
    const { code = null, message } = error as Error & { code?: string };
    return { code, message };
  }
}

parentPort?.postMessage(check(workerData as string));
