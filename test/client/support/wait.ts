import type { Change, ConnectionState, StateChange, Watch } from '../../../src/client/index.js';

/** What sessions and watches have in common. */
interface Connected {
  readonly state: ConnectionState;
  on(name: 'state', listener: (change: StateChange) => void): () => void;
}

const FINAL: readonly ConnectionState[] = ['replaced', 'refused', 'stopped'];

/** Resolves when a state is reached; fails when another final one is. */
export function reached(thing: Connected, state: ConnectionState): Promise<void> {
  return new Promise((resolve, reject) => {
    if (thing.state === state) {
      resolve();
      return;
    }
    const off = thing.on('state', (change) => {
      if (change.state === state) {
        off();
        resolve();
      } else if (FINAL.includes(change.state)) {
        off();
        reject(change.error ?? new Error(`it is ${change.state}`));
      }
    });
  });
}

/** Every state from now on. */
export function recordStates(thing: Connected): StateChange[] {
  const changes: StateChange[] = [];
  thing.on('state', (change) => changes.push(change));
  return changes;
}

/** Every change from now on. */
export function recordChanges(watch: Watch): Change[] {
  const changes: Change[] = [];
  watch.on('change', (change) => changes.push(change));
  return changes;
}

/** Resolves with the next change that fits. */
export function nextChange(watch: Watch, fits: (change: Change) => boolean = () => true): Promise<Change> {
  return new Promise((resolve) => {
    const off = watch.on('change', (change) => {
      if (!fits(change)) return;
      off();
      resolve(change);
    });
  });
}
