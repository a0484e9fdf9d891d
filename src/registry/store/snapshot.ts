/** Reads the store as it was at some moment, while it keeps changing. */
export interface SnapshotReader {
  /** Called before a row changes or goes. */
  preserve(slot: number): void;
  /** Called after a row has come. */
  added(slot: number): void;
}

/** All readers of earlier states. */
export class Snapshots {
  readonly #open = new Set<SnapshotReader>();

  /** Called before a row changes or goes. */
  preserve(slot: number): void {
    for (const reader of this.#open) reader.preserve(slot);
  }

  /** Called after a row has come. */
  added(slot: number): void {
    for (const reader of this.#open) reader.added(slot);
  }

  /** Notifies a reader of all changes from now on. */
  add(reader: SnapshotReader): void {
    this.#open.add(reader);
  }

  /** Undoes `add`. */
  remove(reader: SnapshotReader): void {
    this.#open.delete(reader);
  }
}
