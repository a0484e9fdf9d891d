import type { First } from '../../protocol/filters/first.js';
import type { Filter } from '../../protocol/filters/filter.js';
import type { ListQuery } from '../../protocol/filters/list-query.js';
import { isBefore, keysIn, type Ranked } from '../../registry/lists/rank.js';
import type { AttributeColumns } from '../../registry/store/columns.js';

/** An edge before all matches: nothing is known. */
const NOTHING: Ranked = { slot: -1, key: Number.NEGATIVE_INFINITY, id: '' };

/** What a stream's subscribers were last told: the first matches after a change. */
export interface Told {
  readonly ids: ReadonlySet<string>;
  /** The ordinal of that change. */
  readonly change: number;
}

interface TopOptions {
  /** The present rows. */
  readonly store: AttributeColumns;
  /** The rows before changes. */
  readonly log: AttributeColumns;
  /** How many spare matches are kept in addition to as many as the limit, to replace departures without a search. */
  readonly leastSpare: number;
}

export function idsOf(rows: readonly Ranked[]): ReadonlySet<string> {
  return new Set(rows.map(({ id }) => id));
}

/**
 * The present first matches of a filter in an order, and some spare ones. Every match up to an edge is here, so a change beyond the edge
 * costs one comparison. Once departures have used up the spare matches, a search is needed.
 */
export class Top {
  readonly limit: number;
  /** Asks for one row more than is kept, to tell whether there are more. */
  readonly query: ListQuery;
  /** Null until somebody follows. */
  told: Told | null = null;
  readonly #store: AttributeColumns;
  readonly #log: AttributeColumns;
  readonly #keyInStore: (slot: number) => number;
  readonly #keyInLog: (row: number) => number;
  /** In order. */
  #rows: Ranked[] = [];
  /** The last position up to which all matches are here; null if all are. */
  #edge: Ranked | null = NOTHING;

  constructor(filter: Filter, { sort, limit }: First, { store, log, leastSpare }: TopOptions) {
    this.limit = limit;
    this.query = { filter, sort, limit: 2 * limit + leastSpare + 1, after: null };
    this.#store = store;
    this.#log = log;
    this.#keyInStore = keysIn(store, this.query);
    this.#keyInLog = keysIn(log, this.query);
  }

  /** The first matches; fewer if there are no more, or while `isShort`. */
  get first(): readonly Ranked[] {
    return this.#rows.slice(0, this.limit);
  }

  /** The present first matches are what subscribers have been told. @param change The ordinal of the last change. */
  tell(change: number): void {
    this.told = { ids: idsOf(this.first), change };
  }

  /** Whether first matches may be missing. */
  get isShort(): boolean {
    return this.#edge !== null && this.#rows.length < this.limit;
  }

  /** Adds or updates the match in a slot. @returns Whether it is among the first. */
  enter(slot: number): boolean {
    const key = this.#keyInStore(slot);
    const id = this.#store.ids[slot]!;
    if (!this.#reaches(key, id)) return false;
    const place = this.#placeOf(key, id);
    this.#rows.splice(place, 0, { slot, key, id });
    if (this.#rows.length >= this.query.limit!) {
      this.#rows.pop();
      this.#edge = this.#rows.at(-1)!;
    }
    return place < this.limit;
  }

  /** Removes the earlier form of a match, given by its row in the change log. @returns Whether it was among the first. */
  leave(row: number): boolean {
    const key = this.#keyInLog(row);
    const id = this.#log.ids[row]!;
    if (!this.#reaches(key, id)) return false;
    const place = this.#placeOf(key, id);
    if (this.#rows[place]?.id !== id) return false;
    this.#rows.splice(place, 1);
    return place < this.limit;
  }

  /** Replaces the content with the result of `query`. */
  fill(found: readonly Ranked[]): void {
    this.#rows = found.slice(0, this.query.limit! - 1);
    this.#edge = found.length > this.#rows.length ? this.#rows.at(-1)! : null;
  }

  /** Whether the row in a slot is among the first, or would be if it matched, as far as known. */
  holds(slot: number): boolean {
    const key = this.#keyInStore(slot);
    const id = this.#store.ids[slot]!;
    if (!this.#reaches(key, id)) return false;
    const last = this.#rows[this.limit - 1];
    return last === undefined || !isBefore(last, { slot, key, id });
  }

  /**
   * The first matches at an earlier moment, if the rows kept suffice.
   * @param hasChanged Whether a slot has changed since.
   * @param others The earlier form of matches that have changed.
   */
  firstBefore(hasChanged: (slot: number) => boolean, others: readonly Ranked[]): readonly Ranked[] | null {
    const rows = [...this.#rows.filter(({ slot }) => !hasChanged(slot)), ...others]
      .sort((a, b) => (isBefore(a, b) ? -1 : 1))
      .slice(0, this.limit);
    if (this.#edge === null) return rows;
    // Unknown matches beyond the edge may come before some of the known ones.
    return rows.length === this.limit && !isBefore(this.#edge, rows.at(-1)!) ? rows : null;
  }

  #reaches(key: number, id: string): boolean {
    const edge = this.#edge;
    return edge === null || key < edge.key || (key === edge.key && id <= edge.id);
  }

  /** The position of a row, or where it would be. */
  #placeOf(key: number, id: string): number {
    let low = 0;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#rows[middle]!;
      if (other.key < key || (other.key === key && other.id < id)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
