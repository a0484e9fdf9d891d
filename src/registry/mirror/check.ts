import { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { DamagedFileError } from './database.js';

/** What the checking thread says: null when the file is sound; without a code SQLite itself raised no error. */
export type CheckOutcome = { code: string | null; message: string } | null;

/**
 * Has another thread walk through the whole file, and ends when that has let go of it.
 * @throws DamagedFileError, or SqliteError.
 */
export async function checkFile(path: string): Promise<void> {
  const outcome = await new Promise<CheckOutcome>((resolve, reject) => {
    const worker = new Worker(new URL('./checker.js', import.meta.url), { name: 'check', workerData: path });
    let said: CheckOutcome | undefined;
    worker.once('message', (message: CheckOutcome) => {
      said = message;
    });
    worker.once('error', reject);
    worker.once('exit', (code) => {
      if (said !== undefined) resolve(said);
      else reject(new Error(`the check ended with exit code ${String(code)}`));
    });
  });
  if (outcome === null) return;
  const { code, message } = outcome;
  throw code === null ? new DamagedFileError(message) : new Database.SqliteError(message, code);
}
