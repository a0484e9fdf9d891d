/** Is told of each change of a row, because it reads the store as it was before. */
export interface RowWatcher {
  /** Called before a row changes or goes. */
  preserve(slot: number): void;
  /** Called after a row has come. */
  added(slot: number): void;
}

/** Everybody who is told of changes of rows. */
export class RowWatchers {
  readonly #open = new Set<RowWatcher>();

  /** Called before a row changes or goes. */
  preserve(slot: number): void {
    for (const watcher of this.#open) watcher.preserve(slot);
  }

  /** Called after a row has come. */
  added(slot: number): void {
    for (const watcher of this.#open) watcher.added(slot);
  }

  /** Tells a watcher of all changes from now on. */
  add(watcher: RowWatcher): void {
    this.#open.add(watcher);
  }

  /** Undoes `add`. */
  remove(watcher: RowWatcher): void {
    this.#open.delete(watcher);
  }
}
