import type { RemovalReason } from '../protocol/frames-down.js';
import { AttributeColumns } from './store/columns.js';
import type { Interner } from '../lib/interner.js';
import type { Interners } from './store/predicate.js';

/** Why an advertisement went, as the log keeps it. */
export type GoneReason = Exclude<RemovalReason, 'unmatched'>;

/** One change, for those who match it as it happens. */
export interface Change {
  seq: number;
  providerId: string;
  /** The row of `ChangeLog.before` with the attributes before the change; null when there was no advertisement. */
  beforeRow: number | null;
  /** The slot of the store with the state after it; null when the advertisement is gone. */
  slot: number | null;
  /** Set when the advertisement is gone. */
  reason: GoneReason | null;
}

/** What became of one provider since a sequence number. */
export interface Difference {
  providerId: string;
  /** The row of `ChangeLog.before` with the attributes at that number; null when there was no advertisement. */
  beforeRow: number | null;
  /** The slot of the store with the present state; null when there is no advertisement. */
  slot: number | null;
  /** Why it went, the last time that it did; null when it did not. */
  reason: GoneReason | null;
}

const NO_SLOT = -1;

/**
 * The last changes in order, in a ring: for each the provider and the attributes before it. Together with the
 * store, which holds the present, that is enough to tell any stream what it missed since any sequence number
 * that the ring still covers. The changes of one provider are linked, newest to oldest, so that telling it takes no
 * more than a walk over numbers.
 */
export class ChangeLog {
  readonly epoch: string;
  readonly before: AttributeColumns;
  readonly #capacity: number;
  readonly #platforms: Interner;
  readonly #networks: Interner;
  readonly #ids: string[] = [];
  readonly #existed: Uint8Array;
  readonly #reasons: (GoneReason | null)[] = [];
  /** The slot after each change. */
  readonly #slots: Int32Array;
  /** The number of the same provider's change before each; 0 for none that is known. */
  readonly #previous: Float64Array;
  /** Whether there is a newer change of the same provider. */
  readonly #superseded: Uint8Array;
  /** The number of each provider's last change, as far as it is in the ring. */
  readonly #latest = new Map<string, number>();
  #seq = 0;

  /** @param capacity How many changes are kept. */
  constructor(epoch: string, capacity: number, interners: Interners) {
    this.epoch = epoch;
    this.#capacity = Math.max(1, capacity);
    this.before = new AttributeColumns(this.#capacity);
    this.#existed = new Uint8Array(this.#capacity);
    this.#slots = new Int32Array(this.#capacity);
    this.#previous = new Float64Array(this.#capacity);
    this.#superseded = new Uint8Array(this.#capacity);
    this.#platforms = interners.platforms;
    this.#networks = interners.networks;
  }

  /** The number of the last change; 0 before the first. */
  get seq(): number {
    return this.#seq;
  }

  /** Whether all changes after this one are still here. */
  covers(seq: number): boolean {
    return seq <= this.#seq && seq >= this.#seq - this.#capacity && seq >= 0;
  }

  /**
   * Records a change that is about to be made. For a provider that is new, `place` follows.
   * @param current Where the attributes before it are; null when there is no advertisement yet.
   */
  append(
    providerId: string,
    current: { columns: AttributeColumns; slot: number } | null,
    reason: GoneReason | null,
  ): { seq: number; beforeRow: number | null } {
    this.#seq += 1;
    const row = this.#seq % this.#capacity;
    if (this.#existed[row] === 1) {
      this.#platforms.release(this.before.platform[row]!);
      this.#networks.release(this.before.network[row]!);
    }
    this.#link(providerId, row);
    this.#slots[row] = reason === null && current !== null ? current.slot : NO_SLOT;
    this.#reasons[row] = reason;
    this.#existed[row] = current === null ? 0 : 1;
    if (current === null) return { seq: this.#seq, beforeRow: null };
    this.before.copyRow(row, current.columns, current.slot);
    this.#platforms.retain(this.before.platform[row]!);
    this.#networks.retain(this.before.network[row]!);
    return { seq: this.#seq, beforeRow: row };
  }

  /** Says in which slot the provider is that the last change has added. */
  place(slot: number): void {
    this.#slots[this.#seq % this.#capacity] = slot;
  }

  /**
   * Looks at the providers that changed after `seq`, each once, in the order of their last changes. The caller has
   * asked `covers`.
   * @param look Ends it by returning false. What it gets is only good until it returns.
   */
  since(seq: number, look: (difference: Difference) => boolean): void {
    const difference: Difference = { providerId: '', beforeRow: null, slot: null, reason: null };
    for (let at = seq + 1; at <= this.#seq; at += 1) {
      const last = at % this.#capacity;
      if (this.#superseded[last] === 1) continue;
      let first = last;
      difference.reason = this.#reasons[last] ?? null;
      for (let before = this.#previous[first]!; before > seq; before = this.#previous[first]!) {
        first = before % this.#capacity;
        difference.reason ??= this.#reasons[first] ?? null;
      }
      difference.providerId = this.#ids[last]!;
      difference.beforeRow = this.#existed[first] === 1 ? first : null;
      difference.slot = this.#slots[last] === NO_SLOT ? null : this.#slots[last]!;
      if (!look(difference)) return;
    }
  }

  /** Puts the present change before all others of its provider, in place of the oldest of all. */
  #link(providerId: string, row: number): void {
    const replaced = this.#seq - this.#capacity;
    const oldest = this.#ids[row];
    if (oldest !== undefined && this.#latest.get(oldest) === replaced) this.#latest.delete(oldest);
    const previous = this.#latest.get(providerId) ?? 0;
    if (previous > 0) this.#superseded[previous % this.#capacity] = 1;
    this.#ids[row] = providerId;
    this.#previous[row] = previous;
    this.#superseded[row] = 0;
    this.#latest.set(providerId, this.#seq);
  }
}
