import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export interface SmallDisk {
  folder: string;
  /** Takes all space that is left. */
  fill(): void;
  /** Gives that space back. */
  free(): void;
  remount(option: string): void;
}

/** Mounts a disk of this size until the test ends. */
export function mountTemporary(t: TestContext, size: string): SmallDisk {
  const { unmount, ...disk } = mount(size);
  t.after(unmount);
  return disk;
}

function mount(size: string): SmallDisk & { unmount: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'mirror-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder], { stdio: 'ignore' });
  const filler = join(folder, 'filler');
  return {
    folder,
    unmount() {
      execFileSync('umount', ['-l', folder]);
      rmSync(folder, { recursive: true });
    },
    fill() {
      const file = openSync(filler, 'a');
      try {
        for (const chunk of [Buffer.alloc(65_536), Buffer.alloc(1)]) writeUntilFull(file, chunk);
      } finally {
        closeSync(file);
      }
    },
    free() {
      rmSync(filler);
    },
    remount(option) {
      execFileSync('mount', ['-o', `remount,${option}`, folder]);
    },
  };
}

function writeUntilFull(file: number, chunk: Uint8Array): void {
  try {
    while (writeSync(file, chunk) === chunk.length);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

function findWhyNot(): string | false {
  try {
    mount('64k').unmount();
    return false;
  } catch {
    return 'mounting a small disk is not permitted here';
  }
}

/** Why small disks cannot be mounted, false when they can. */
export const unmountable = findWhyNot();
