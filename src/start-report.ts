import type { Logger } from './log.js';

/** How often a slow start reports its progress, in milliseconds. */
const EVERY_MS = 2000;

/** How far a hub is with restoring what its log kept. */
export interface StartProgress {
  /** Advertisements read so far. */
  read: number;
  /** How many there are; null while the log is still being opened. */
  of: number | null;
}

/**
 * Logs the progress of a start until it is done.
 * @param log A pino logger fits.
 * @param where What is read, e.g. `database`.
 * @returns Stops the reports.
 */
export function reportStart(
  log: Pick<Logger, 'info'>,
  where: string,
  progress: () => StartProgress,
): () => void {
  const began = performance.now();
  const timer = setInterval(() => {
    const { read, of } = progress();
    const seconds = Math.round((performance.now() - began) / 1000);
    log.info({ read, of, seconds }, `starting: ${describe(where, read, of)}`);
  }, EVERY_MS);
  return () => {
    clearInterval(timer);
  };
}

function describe(where: string, read: number, of: number | null): string {
  if (of === null) return `opening the ${where}`;
  const count = `${inGroups(read)} of ${inGroups(of)} advertisements`;
  if (read >= of) return `${count} read, checking the ${where}`;
  return `${count} read (${String(Math.floor((100 * read) / of))} %)`;
}

function inGroups(number: number): string {
  return number.toLocaleString('en-US');
}
