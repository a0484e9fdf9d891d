import type { ListQuery } from '../../protocol/filters/list-query.js';
import type { ChangeLog } from '../change-log.js';
import type { Predicate } from '../store/predicate.js';
import type { Store } from '../store/store.js';
import { keysIn, type Ranked } from './rank.js';

/**
 * The matches of one moment, for searches that run in steps while the store keeps changing: they skip the slots that have changed since, and
 * use `rows` instead.
 */
export interface EarlierMatches {
  /** Whether nothing has changed. */
  readonly isUntouched: boolean;
  /** The earlier form of matches that have changed, in no particular order. */
  readonly rows: readonly Ranked[];
  /** Whether a slot has changed. */
  hasChanged(slot: number): boolean;
  /** The sort key of an unchanged slot. */
  keyOf(slot: number): number;
  /** Called after each step. @throws ProtocolError `ADV_003` if too much has changed to continue. */
  check(): void;
}

/** The matches at a log position, in order of price. Nothing is copied: the change log has the earlier attributes. */
export class LoggedMatches implements EarlierMatches {
  readonly #changes: ChangeLog;
  readonly #predicate: Predicate;
  readonly #seq: number;
  /** The ordinal of the last change before. */
  readonly #change: number;
  readonly #keyBefore: (row: number) => number;
  readonly keyOf: (slot: number) => number;

  /**
   * @param predicate The query's filter, valid for as long as this is used.
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

  /** Whether the log still has all changes. If not, `rows` is incomplete. */
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
    // Users of `rows` check whether the log was large enough.
  }
}

/** The slot of a removed advertisement. */
const NOWHERE = -1;
