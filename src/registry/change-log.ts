import type { RemovalReason } from '../protocol/frames-down.js';
import { AttributeColumns } from './columns.js';
import type { Interner } from './interner.js';
import type { Interners } from './predicate.js';

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

/**
 * The last changes in order, in a ring: for each the provider and the attributes before it. Together with the
 * store, which holds the present, that is enough to tell any stream what it missed since any sequence number
 * that the ring still covers.
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
  #seq = 0;

  /** @param capacity How many changes are kept. */
  constructor(epoch: string, capacity: number, interners: Interners) {
    this.epoch = epoch;
    this.#capacity = Math.max(1, capacity);
    this.before = new AttributeColumns(this.#capacity);
    this.#existed = new Uint8Array(this.#capacity);
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
   * Records a change that is about to be made.
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
    this.#ids[row] = providerId;
    this.#reasons[row] = reason;
    this.#existed[row] = current === null ? 0 : 1;
    if (current === null) return { seq: this.#seq, beforeRow: null };
    this.before.copyRow(row, current.columns, current.slot);
    this.#platforms.retain(this.before.platform[row]!);
    this.#networks.retain(this.before.network[row]!);
    return { seq: this.#seq, beforeRow: row };
  }

  /**
   * The providers that changed after `seq`, each once, in the order of their last changes, with the state at `seq`
   * and the last reason to go. The caller has asked `covers`.
   */
  since(seq: number): Map<string, { beforeRow: number | null; reason: GoneReason | null }> {
    const changed = new Map<string, { beforeRow: number | null; reason: GoneReason | null }>();
    for (let at = seq + 1; at <= this.#seq; at += 1) {
      const row = at % this.#capacity;
      const id = this.#ids[row]!;
      const known = changed.get(id);
      const reason = this.#reasons[row] ?? null;
      if (known === undefined) {
        changed.set(id, { beforeRow: this.#existed[row] === 1 ? row : null, reason });
      } else {
        changed.delete(id);
        changed.set(id, { beforeRow: known.beforeRow, reason: reason ?? known.reason });
      }
    }
    return changed;
  }
}
