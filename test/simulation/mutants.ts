import type { ChangeLog } from '../../src/registry/change-log.js';
import type { Entry } from '../../src/registry/entry.js';
import type { CopyMark } from '../../src/registry/local-copy.js';
import type { StoreFaults } from './store.js';

/** What is wrong on purpose, at a seam between the parts. */
export interface Mutant {
  /** One that soon catches it. */
  seed?: number;
  store?: StoreFaults;
  /** Parts of a revision come as if they were all of it. */
  breaksRevisions?: boolean;
  /** What a hub tells the others in the place of an entry; null for nothing. @param isSweep Whether it is proposed while the hub looks after what it holds. */
  tells?: (entry: Entry, isSweep: boolean) => Entry | null;
  /** Whether a resume is granted. */
  covers?: (changes: ChangeLog, seq: number) => boolean;
  /** What a local copy says of where it stands. */
  marks?: (mark: CopyMark) => CopyMark;
}

/** Each of them has to be caught. */
export const MUTANTS: Readonly<Record<string, Mutant>> = {
  'no compare': { store: { ignoresRevisions: true } },
  'no fence': { seed: 209, store: { ignoresFences: true } },
  'no sweep': { seed: 38, tells: (entry, isSweep) => (isSweep && entry.kind === 'detach' ? null : entry) },
  'parts of a revision applied': { breaksRevisions: true },
  'resume granted below the floor': { covers: (changes, seq) => changes.hasReached(seq) },
  'not attached again after fencing': {
    seed: 25,
    tells: (entry) => (entry.kind === 'attach' && entry.again ? null : entry),
  },
  'loss of the store not noticed': { seed: 5, store: { hidesLosses: true } },
  'a copy that forgets what clients have seen': {
    seed: 18,
    marks: (mark) => ({ ...mark, since: 0 }),
  },
  'last heartbeat not told': {
    tells: (entry) => (entry.kind === 'detach' ? { ...entry, heartbeatAgeMs: 0 } : entry),
  },
};
