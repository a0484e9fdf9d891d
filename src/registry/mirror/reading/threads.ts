import { parentPort, Worker, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { threadScript } from '../../../lib/thread-script.js';
import { DamagedFileError } from '../database.js';
import type { Readers } from '../messages.js';

/** Why a thread failed, and the type of the error. */
interface Failure {
  kind: 'damage' | 'sqlite' | 'other';
  code: string;
  message: string;
}

type Report<Name extends keyof Readers> = { said: Readers[Name]['says'] } | { failure: Failure };

/**
 * Runs a thread until it has ended and so closed everything it had open.
 * @param take Receives the thread's output. If it throws, the thread counts as failed.
 * @throws DamagedFileError, SqliteError, or whatever else the thread or `take` failed with.
 */
export function runThread<Name extends keyof Readers>(
  name: Name,
  data: Readers[Name]['data'],
  take: (said: Readers[Name]['says']) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(threadScript(name), { name, workerData: data });
    let failure: Error | null = null;
    worker.on('message', (report: Report<Name>) => {
      if (failure !== null) return;
      try {
        if ('failure' in report) throw errorOf(report.failure);
        take(report.said);
      } catch (error) {
        failure = error as Error;
      }
    });
    worker.once('error', (error: Error) => {
      failure ??= error;
    });
    worker.once('exit', () => {
      if (failure === null) resolve();
      else reject(failure);
    });
  });
}

/**
 * The thread's side of `runThread`.
 * @param work The thread's work. Memory that it transfers with its output is no longer available to it.
 */
export function inThread<Name extends keyof Readers>(
  _name: Name,
  work: (
    data: Readers[Name]['data'],
    say: (what: Readers[Name]['says'], travels?: readonly ArrayBuffer[]) => void,
  ) => void,
): void {
  const report = (what: Report<Name>, travels: readonly ArrayBuffer[] = []): void => {
    parentPort?.postMessage(what, travels);
  };
  try {
    work(workerData as Readers[Name]['data'], (what, travels) => {
      report({ said: what }, travels);
    });
  } catch (error) {
    report({ failure: failureOf(error as Error) });
  }
}

function failureOf(error: Error): Failure {
  const { message } = error;
  if (error instanceof Database.SqliteError) return { kind: 'sqlite', code: error.code, message };
  return { kind: error instanceof DamagedFileError ? 'damage' : 'other', code: '', message };
}

function errorOf({ kind, code, message }: Failure): Error {
  if (kind === 'sqlite') return new Database.SqliteError(message, code);
  return kind === 'damage' ? new DamagedFileError(message) : new Error(message);
}
