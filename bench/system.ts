import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** How many files and connections one process may have open; null if the system does not tell. */
export function openFilesLimit(): number | null {
  try {
    // The hard limit, because Node raises its own limit to it.
    const match = /^Max open files +\S+ +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return match === null ? null : Number(match[1]);
  } catch {
    return null;
  }
}

/** The median time of a durable write of 4 KiB, in milliseconds: the minimum for any durable write. */
export function timeSyncs(folder: string): number {
  const file = openSync(join(folder, 'sync-test'), 'w');
  const block = Buffer.alloc(4096);
  const times = Float64Array.from({ length: 51 }, () => {
    const from = performance.now();
    writeSync(file, block);
    fdatasyncSync(file);
    return performance.now() - from;
  });
  closeSync(file);
  return times.sort()[25]!;
}
