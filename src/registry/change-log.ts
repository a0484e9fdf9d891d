import type { RemovalReason } from '../protocol/frames/frames-down.js';
import { AttributeColumns } from './store/columns.js';
import { grown } from '../lib/typed-arrays.js';
import type { ValueNumbers } from './store/value-numbers.js';

/** Why an advertisement was removed, as the log keeps it. */
export type GoneReason = Exclude<RemovalReason, 'unmatched' | 'outranked'>;

/** One change, for listeners that match it as it happens. */
export interface Change {
  /** The log position of the entry that made it. */
  seq: number;
  providerId: string;
  /** The row of `ChangeLog.before` with the attributes before the change; null if there was no advertisement. */
  beforeRow: number | null;
  /** The store's slot with the state after it; null if the advertisement is gone. */
  slot: number | null;
  /** Set if the advertisement is gone. */
  reason: GoneReason | null;
}

/** How one provider has changed since a position of the log. */
export interface Difference {
  providerId: string;
  /** The row of `ChangeLog.before` with the attributes at that position; null if there was no advertisement. */
  beforeRow: number | null;
  /** The store's slot with the present state; null if there is no advertisement. */
  slot: number | null;
  /** Why it was last removed; null if it was not. */
  reason: GoneReason | null;
}

const INITIAL_SLOTS = 1024;

/**
 * A ring of the latest changes in order: for each, the provider and the attributes before it. Together with the store, which holds the
 * present, that is enough to tell any stream what it missed since any position that the ring still covers. The changes of one provider are
 * linked, newest to oldest, so finding them only takes a walk over numbers. In here, a change is known by its ordinal; clients know it by its
 * log position, because entries without a visible effect take positions too.
 */
export class ChangeLog {
  readonly before: AttributeColumns;
  readonly #capacity: number;
  readonly #numbers: ValueNumbers;
  readonly #ids: string[] = [];
  /** The position of each change. */
  readonly #seqs: Float64Array;
  readonly #existed: Uint8Array;
  readonly #reasons: (GoneReason | null)[] = [];
  /** The slot of each change. */
  readonly #slots: Int32Array;
  /** The ordinal of the previous change in the same slot; 0 for none. */
  readonly #previousInSlot: Float64Array;
  /** The ordinal of the last change in each slot; 0 for none. */
  #latestInSlot = new Float64Array(INITIAL_SLOTS);
  /** The ordinal of the same provider's previous change; 0 for none, or none that is known. */
  readonly #previous: Float64Array;
  /** Whether there is a newer change of the same provider. */
  readonly #superseded: Uint8Array;
  /** The ordinal of each provider's last change, if it is in the ring. */
  readonly #latest = new Map<string, number>();
  #epoch: string;
  /** The ordinal of the last change; 0 before the first. */
  #count = 0;
  #seq = 0;
  /** The position up to which the log has been followed. */
  #reached = 0;
  /** The position since which no change is missing. */
  #floor = 0;

  /** @param capacity How many changes are kept. */
  constructor(epoch: string, capacity: number, numbers: ValueNumbers) {
    this.#epoch = epoch;
    this.#capacity = Math.max(1, capacity);
    this.before = new AttributeColumns(this.#capacity, this.#ids);
    this.#seqs = new Float64Array(this.#capacity);
    this.#existed = new Uint8Array(this.#capacity);
    this.#slots = new Int32Array(this.#capacity);
    this.#previous = new Float64Array(this.#capacity);
    this.#previousInSlot = new Float64Array(this.#capacity);
    this.#superseded = new Uint8Array(this.#capacity);
    this.#numbers = numbers;
  }

  /** Identifies the log that these positions belong to. */
  get epoch(): string {
    return this.#epoch;
  }

  /** The position of the last visible change: entries after it leave every list and stream as it is. */
  get seq(): number {
    return this.#seq;
  }

  /** The ordinal of the last change; 0 before the first. */
  get count(): number {
    return this.#count;
  }

  /** Starts to follow a log from this position, before its first entry. */
  startAt(epoch: string, seq: number): void {
    this.#epoch = epoch;
    this.leapTo(seq);
  }

  /** Changes up to a position are missing: nothing before it can be answered any more. */
  leapTo(position: number): void {
    this.#seq = position;
    this.#floor = position;
    this.#reached = position;
  }

  /** The log has been followed up to a position; the entries before it may have had no visible effect. */
  reach(position: number): void {
    this.#reached = position;
  }

  /** Whether the log has been followed up to a position. */
  hasReached(seq: number): boolean {
    return seq <= Math.max(this.#seq, this.#reached);
  }

  /** Whether all changes after this position are still here. */
  covers(seq: number): boolean {
    return seq >= this.#floor && this.hasReached(seq);
  }

  /** The ordinal of the last change up to a covered position. */
  countAt(seq: number): number {
    return this.#firstAfter(seq) - 1;
  }

  /**
   * Records a change that is about to be made. For a new provider, `place` must follow.
   * @param seq The position of the entry that makes it.
   * @param current Where the attributes before it are; null if there is no advertisement yet.
   * @returns The row of `before` with the attributes before it; null if there was no advertisement.
   */
  append(
    seq: number,
    providerId: string,
    current: { columns: AttributeColumns; slot: number } | null,
    reason: GoneReason | null,
  ): number | null {
    this.#seq = seq;
    this.#count += 1;
    const row = this.#count % this.#capacity;
    // Anything from before a leap is older than the floor.
    if (this.#count > this.#capacity) this.#floor = Math.max(this.#floor, this.#seqs[row]!);
    if (this.#existed[row] === 1) this.#numbers.releaseRow(this.before, row);
    this.#link(providerId, row);
    this.#seqs[row] = seq;
    this.#reasons[row] = reason;
    this.#existed[row] = current === null ? 0 : 1;
    if (current === null) return null;
    this.#fileInSlot(current.slot);
    this.before.copyRow(row, current.columns, current.slot);
    this.#numbers.retainRow(this.before, row);
    return row;
  }

  /** Sets the slot of the provider that the last change added. */
  place(slot: number): void {
    this.#fileInSlot(slot);
  }

  /** The ordinal of the last change in a slot; 0 for none. */
  latestIn(slot: number): number {
    return slot < this.#latestInSlot.length ? this.#latestInSlot[slot]! : 0;
  }

  /** The ordinal of the first change in a slot after a given change that the ring still covers; 0 for none. */
  firstIn(slot: number, after: number): number {
    let first = 0;
    for (let at = this.latestIn(slot); at > after; at = this.#previousInSlot[at % this.#capacity]!)
      first = at;
    return first;
  }

  /** The row of `before` with the attributes before a change in the ring; null if there was no advertisement. */
  rowBefore(ordinal: number): number | null {
    const row = ordinal % this.#capacity;
    return this.#existed[row] === 1 ? row : null;
  }

  /**
   * Visits the providers that changed after `seq`, each once, in the order of their last changes. Call `covers` first.
   * @param look Returns false to stop. Its argument is only valid until it returns.
   */
  since(seq: number, look: (difference: Difference) => boolean): void {
    const difference: Difference = { providerId: '', beforeRow: null, slot: null, reason: null };
    const start = this.#firstAfter(seq);
    for (let at = start; at <= this.#count; at += 1) {
      const last = at % this.#capacity;
      if (this.#superseded[last] === 1) continue;
      let first = last;
      difference.reason = this.#reasons[last] ?? null;
      for (let before = this.#previous[first]!; before >= start; before = this.#previous[first]!) {
        first = before % this.#capacity;
        difference.reason ??= this.#reasons[first] ?? null;
      }
      difference.providerId = this.#ids[last]!;
      difference.beforeRow = this.#existed[first] === 1 ? first : null;
      difference.slot = this.#reasons[last] === null ? this.#slots[last]! : null;
      if (!look(difference)) return;
    }
  }

  /** The ordinal of the first change after a position; one more than the last if there is none. */
  #firstAfter(seq: number): number {
    let low = Math.max(1, this.#count - this.#capacity + 1);
    let high = this.#count + 1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.#seqs[middle % this.#capacity]! > seq) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #fileInSlot(slot: number): void {
    if (slot >= this.#latestInSlot.length)
      this.#latestInSlot = grown(this.#latestInSlot, new Float64Array(2 ** Math.ceil(Math.log2(slot + 1))));
    const row = this.#count % this.#capacity;
    this.#slots[row] = slot;
    this.#previousInSlot[row] = this.#latestInSlot[slot]!;
    this.#latestInSlot[slot] = this.#count;
  }

  /** Links the current change, which replaces the oldest in the ring, as its provider's newest. */
  #link(providerId: string, row: number): void {
    const replaced = this.#count - this.#capacity;
    const oldest = this.#ids[row];
    if (oldest !== undefined && this.#latest.get(oldest) === replaced) this.#latest.delete(oldest);
    const previous = this.#latest.get(providerId) ?? 0;
    if (previous > 0) this.#superseded[previous % this.#capacity] = 1;
    this.#ids[row] = providerId;
    this.#previous[row] = previous;
    this.#superseded[row] = 0;
    this.#latest.set(providerId, this.#count);
  }
}
