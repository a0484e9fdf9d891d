import { accessSync, constants, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { DamagedFileError } from './database.js';

function codeOf(error: unknown): string {
  return error instanceof Database.SqliteError ? error.code : '';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether reading failed because the file is damaged or not a database. */
export function isUnreadable(error: unknown): boolean {
  if (error instanceof DamagedFileError) return true;
  const code = codeOf(error);
  // A damaged row may claim an impossible size, and a damaged header a future format.
  return (
    /^SQLITE_(NOTADB|CORRUPT|TOOBIG)/.test(code) ||
    (code === 'SQLITE_ERROR' && messageOf(error) === 'unsupported file format')
  );
}

/** Whether an operation failed because of its content, so that others in its batch may succeed. */
export function isOperationFault(error: unknown): boolean {
  return (
    !(error instanceof Database.SqliteError) || /^SQLITE_(CONSTRAINT|TOOBIG|MISMATCH|RANGE)/.test(error.code)
  );
}

/** Tells an operator why the file at `path` cannot be used, and what to do about it. */
export function describeFailure(path: string, error: unknown): string {
  const code = codeOf(error);
  const message = messageOf(error);
  const detail = code === '' ? message : `${code}: ${message}`;
  return `${explain(path, code)} (${detail})`;
}

function explain(path: string, code: string): string {
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) {
    return (
      `the database ${path} is in use by another process: ` +
      'stop that hub or tool, or set DISCOVERY_DB_URL to another file'
    );
  }
  if (code === 'SQLITE_FULL' || (code.startsWith('SQLITE_IOERR') && isFull(dirname(path))))
    return `the disk that holds the database ${path} is full: free some space`;
  if (/^SQLITE_(NOTADB|CORRUPT)/.test(code)) {
    return `the database ${path} is damaged: restart the hub, which moves it aside and starts empty`;
  }
  const obstacle = obstacleAt(path);
  if (obstacle !== null) return `the database ${path} cannot be used: ${obstacle}`;
  if (code.startsWith('SQLITE_READONLY')) {
    return `the database ${path} is read-only: give the hub's user the right to write to it and to its folder`;
  }
  if (code.startsWith('SQLITE_IOERR'))
    return `the disk that holds the database ${path} is failing: check it, and the system's log`;
  return `the database ${path} cannot be used`;
}

/** What in the file system prevents a database at this path; null if nothing visible. */
function obstacleAt(path: string): string | null {
  const folder = dirname(path);
  const folderStat = statSync(folder, { throwIfNoEntry: false });
  if (folderStat === undefined) return `the folder ${folder} does not exist; create it`;
  if (!folderStat.isDirectory()) return `${folder} is not a folder`;
  if (!isAllowed(folder, constants.W_OK | constants.X_OK)) {
    return `the folder ${folder} is not writable; give the hub's user the right to write there`;
  }
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return null;
  if (!stat.isFile()) return 'it is not a regular file';
  if (!isAllowed(path, constants.R_OK | constants.W_OK)) {
    return "the file is not readable and writable; give the hub's user the right to both";
  }
  return null;
}

/** What SQLite immediately needs beside the file, in bytes: shared memory during startup, and a page of the log. */
const NEEDED_BYTES = 64 * 1024;

/** Whether the disk has so little space left that SQLite fails, which it does not always report as the reason. */
function isFull(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize < NEEDED_BYTES;
  } catch {
    return false;
  }
}

function isAllowed(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
