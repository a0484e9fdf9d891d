import type { ListQuery } from '../../protocol/filters/list-query.js';
import type { ChangeLog } from '../change-log.js';
import type { Predicate } from '../store/predicate.js';
import type { Store } from '../store/store.js';
import { keysIn, type Ranked } from './rank.js';

/**
 * The matches of one moment, for whoever looks for them in steps while the store goes on changing: it leaves out the slots
 * that have changed since, and takes `rows` instead.
 */
export interface EarlierMatches {
  /** Whether there is nothing to leave out. */
  readonly isUntouched: boolean;
  /** The matches among what has changed, as they were, in no particular order. */
  readonly rows: readonly Ranked[];
  /** Whether a slot has not got what it had. */
  hasChanged(slot: number): boolean;
  /** What a slot is sorted by that has not changed. */
  keyOf(slot: number): number;
  /** Called after each step. @throws ProtocolError `ADV_003` when too much has changed to go on. */
  check(): void;
}

/** Those of a position of the log, in an order by price. Nothing is set aside: the change log tells what was. */
export class LoggedMatches implements EarlierMatches {
  readonly #changes: ChangeLog;
  readonly #predicate: Predicate;
  readonly #seq: number;
  /** The ordinal of the last change before. */
  readonly #change: number;
  readonly #keyBefore: (row: number) => number;
  readonly keyOf: (slot: number) => number;

  /**
   * @param predicate That of the query's filter, good for as long as this is used.
   * @param seq A position that the log covers.
   */
  constructor(store: Store, changes: ChangeLog, query: ListQuery, predicate: Predicate, seq: number) {
    this.#changes = changes;
    this.#predicate = predicate;
    this.#seq = seq;
    this.#change = changes.countAt(seq);
    this.keyOf = keysIn(store.attributes, query);
    this.#keyBefore = keysIn(changes.before, query);
  }

  get isUntouched(): boolean {
    return this.#changes.count === this.#change;
  }

  /** Whether the log still has all that has changed. Without it `rows` is not complete. */
  get isKept(): boolean {
    return this.#changes.covers(this.#seq);
  }

  get rows(): Ranked[] {
    const { before } = this.#changes;
    const rows: Ranked[] = [];
    if (!this.isKept) return rows;
    this.#changes.since(this.#seq, ({ providerId, beforeRow }) => {
      if (beforeRow !== null && this.#predicate.matches(before, beforeRow))
        rows.push({ slot: NOWHERE, key: this.#keyBefore(beforeRow), id: providerId });
      return true;
    });
    return rows;
  }

  hasChanged(slot: number): boolean {
    return this.#changes.latestIn(slot) > this.#change;
  }

  check(): void {
    // The log is large, and whoever takes `rows` asks whether it was large enough.
  }
}

/** The slot of what is there no more. */
const NOWHERE = -1;
