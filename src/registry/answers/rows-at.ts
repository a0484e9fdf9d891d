import { ProtocolError } from '../../protocol/errors.js';
import { formatCursor } from '../../protocol/cursor.js';
import type { Work } from '../../lib/turns/work-queue.js';
import type { ChangeLog } from '../change-log.js';
import type { AttributeColumns } from '../store/columns.js';
import type { Store } from '../store/store.js';

/** How many rows are passed together, and how many slots are visited per step. */
const BLOCK = 512;
const STEP = 4096;

/** Receives some rows, as indexes in columns, valid until it returns, and the slot of each, for `at`. */
export type VisitRows = (
  columns: AttributeColumns,
  rows: readonly number[],
  slots: readonly number[],
) => void;

/** The location of an advertisement's attributes. */
export interface RowPlace {
  readonly columns: AttributeColumns;
  readonly index: number;
}

/**
 * The attributes of all advertisements as they were when this was created, for scans that run in steps while the store keeps changing.
 * Nothing is copied: the change log has the earlier attributes of changed rows.
 */
export class RowsAt {
  /** `"<epoch>:<seq>"` */
  readonly cursor: string;
  /** How many advertisements there are. */
  readonly size: number;
  readonly #store: Store;
  readonly #changes: ChangeLog;
  readonly #seq: number;
  /** The ordinal of the last change before. */
  readonly #change: number;
  readonly #slots: number;
  /** Reused for each block. */
  readonly #present: number[] = [];

  constructor(store: Store, changes: ChangeLog) {
    this.#store = store;
    this.#changes = changes;
    this.#seq = changes.seq;
    this.#change = changes.count;
    this.#slots = store.slotLimit;
    this.size = store.size;
    this.cursor = formatCursor(changes.epoch, changes.seq);
  }

  /**
   * Visits all rows, each once, in steps.
   * @param workOf The work of visiting a number of rows.
   * @throws ProtocolError `ADV_003` if more has changed meanwhile than the change log holds.
   */
  *visit(look: VisitRows, workOf: (rows: number) => number): Work<void> {
    for (let from = 0; from < this.#slots; from += STEP) {
      this.#check();
      const to = Math.min(from + STEP, this.#slots);
      for (let start = from; start < to; start += BLOCK)
        this.#block(start, Math.min(start + BLOCK, to), look);
      yield workOf(to - from);
    }
    this.#check();
  }

  /**
   * The location of a slot's row, valid until the store changes; null if the slot was empty.
   * @throws ProtocolError `ADV_003` like `visit`.
   */
  at(slot: number): RowPlace | null {
    this.#check();
    const changed = this.#changes.firstIn(slot, this.#change);
    if (changed === 0) {
      return this.#store.ids[slot] === undefined ? null : { columns: this.#store.attributes, index: slot };
    }
    const index = this.#changes.rowBefore(changed);
    return index === null ? null : { columns: this.#changes.before, index };
  }

  #block(from: number, to: number, look: VisitRows): void {
    const { ids, attributes } = this.#store;
    const changes = this.#changes;
    const present = this.#present;
    const before: number[] = [];
    const changed: number[] = [];
    let count = 0;
    const isUntouched = changes.count === this.#change;
    for (let slot = from; slot < to; slot += 1) {
      if (isUntouched || changes.latestIn(slot) <= this.#change) {
        if (ids[slot] !== undefined) present[count++] = slot;
      } else {
        const row = changes.rowBefore(changes.firstIn(slot, this.#change));
        if (row === null) continue;
        before.push(row);
        changed.push(slot);
      }
    }
    present.length = count;
    if (count > 0) look(attributes, present, present);
    if (before.length > 0) look(changes.before, before, changed);
  }

  #check(): void {
    if (this.#changes.covers(this.#seq)) return;
    throw new ProtocolError('ADV_003', 'too much changed while the answer was made; try again soon', {
      unavailable: true,
      retryAfterSeconds: 5,
    });
  }
}
