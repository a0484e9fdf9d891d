/** Whoever reads what was, while the store goes on changing. */
export interface SnapshotReader {
  /** Called before a row changes or goes. */
  preserve(slot: number): void;
  /** Called after a row has come. */
  added(slot: number): void;
}

/** Those who are reading what was. */
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

  /** Has a reader told of all changes from now on. */
  add(reader: SnapshotReader): void {
    this.#open.add(reader);
  }

  /** The end of `add`. */
  remove(reader: SnapshotReader): void {
    this.#open.delete(reader);
  }
}
