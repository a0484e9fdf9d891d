import { clearBit, hasBit, setBit, wordsFor } from '../../lib/bitmap.js';
import type { Store } from './store.js';

/** Whoever reads what was, while the store goes on changing. */
export interface SnapshotReader {
  /** Called before a row changes or goes. */
  preserve(slot: number): void;
  /** Called after a row has come. */
  added(slot: number): void;
}

/**
 * The matches of one moment, read bit by bit while the store goes on changing: a row that is about to change and
 * has not been read yet is set aside first. So what is read is the truth at one cursor, however slow the reader.
 */
export class Snapshot implements SnapshotReader {
  readonly seq: number;
  readonly #store: Store;
  readonly #slots: readonly number[];
  readonly #unread: Uint32Array;
  readonly #setAside = new Map<number, Buffer>();
  readonly #onClose: (snapshot: Snapshot) => void;
  #position = 0;
  #setAsideBytes = 0;

  constructor(store: Store, seq: number, slots: readonly number[], onClose: (snapshot: Snapshot) => void) {
    this.seq = seq;
    this.#store = store;
    this.#slots = slots;
    this.#onClose = onClose;
    this.#unread = new Uint32Array(wordsFor(store.slotLimit));
    for (const slot of slots) setBit(this.#unread, slot);
  }

  /** How many advertisements it has in all. */
  get size(): number {
    return this.#slots.length;
  }

  get done(): boolean {
    return this.#position === this.#slots.length;
  }

  /** Bytes kept because rows changed before they were read. */
  get setAsideBytes(): number {
    return this.#setAsideBytes;
  }

  /** Copies of the next advertisements' JSON, at most `max` of them. */
  read(max: number): Uint8Array[] {
    const fragments: Uint8Array[] = [];
    for (; fragments.length < max && !this.done; this.#position += 1) {
      const slot = this.#slots[this.#position]!;
      clearBit(this.#unread, slot);
      const kept = this.#setAside.get(slot);
      if (kept !== undefined) {
        this.#setAside.delete(slot);
        this.#setAsideBytes -= kept.length;
      }
      fragments.push(kept ?? Buffer.from(this.#store.fragment(slot)));
    }
    if (this.done) this.close();
    return fragments;
  }

  /** Called before a row changes or goes. */
  preserve(slot: number): void {
    if (slot >= this.#unread.length * 32 || !hasBit(this.#unread, slot) || this.#setAside.has(slot)) return;
    const copy = Buffer.from(this.#store.fragment(slot));
    this.#setAside.set(slot, copy);
    this.#setAsideBytes += copy.length;
  }

  /** It has none of those that come later. */
  added(): void {
    return;
  }

  /** Lets go of everything; also called when the last advertisement has been read. */
  close(): void {
    this.#setAside.clear();
    this.#setAsideBytes = 0;
    this.#onClose(this);
  }
}

/** The snapshots that are being read. */
export class Snapshots {
  readonly #store: Store;
  readonly #open = new Set<SnapshotReader>();

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * Opens rows of this moment for reading at leisure, in this order.
   * @param seq The number of the last change.
   */
  open(slots: readonly number[], seq: number): Snapshot {
    const snapshot = new Snapshot(this.#store, seq, slots, (closed) => this.#open.delete(closed));
    this.#open.add(snapshot);
    return snapshot;
  }

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
