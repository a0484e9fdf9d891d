import type { First } from '../../protocol/filters/first.js';
import type { Filter } from '../../protocol/filters/filter.js';
import type { ListQuery } from '../../protocol/filters/list-query.js';
import { isBefore, keysIn, type Ranked } from '../../registry/lists/rank.js';
import type { AttributeColumns } from '../../registry/store/columns.js';

/** Before all matches: nothing is known up to here. */
const NOTHING: Ranked = { slot: -1, key: Number.NEGATIVE_INFINITY, id: '' };

/** What the subscribers of a stream were told of last: the first matches after a change. */
export interface Told {
  readonly ids: ReadonlySet<string>;
  /** The ordinal of that change. */
  readonly change: number;
}

interface TopOptions {
  /** What rows are now. */
  readonly store: AttributeColumns;
  /** What they were before changes. */
  readonly log: AttributeColumns;
  /** Matches behind the first ones that are kept at least, so that those that go are replaced without a search. */
  readonly leastSpare: number;
}

/**
 * The first matches of a filter in an order, as of now, and some behind them. Every match up to an edge is here, so a change
 * behind the edge costs one comparison; when those that go have used up what lies before it, somebody has to search.
 */
export class Top {
  readonly limit: number;
  /** Asks for one row more than is kept, which tells whether there are more. */
  readonly query: ListQuery;
  told: Told | null = null;
  readonly #store: AttributeColumns;
  readonly #log: AttributeColumns;
  readonly #keyInStore: (slot: number) => number;
  readonly #keyInLog: (row: number) => number;
  /** In order. */
  #rows: Ranked[] = [];
  /** The last place up to which all matches are here; null where all are. */
  #edge: Ranked | null = NOTHING;

  constructor(filter: Filter, { sort, limit }: First, { store, log, leastSpare }: TopOptions) {
    this.limit = limit;
    this.query = { filter, sort, limit: 2 * limit + leastSpare + 1, after: null };
    this.#store = store;
    this.#log = log;
    this.#keyInStore = keysIn(store, this.query);
    this.#keyInLog = keysIn(log, this.query);
  }

  /** The first matches; fewer where there are no more, or while `isShort`. */
  get first(): readonly Ranked[] {
    return this.#rows.slice(0, this.limit);
  }

  /** Whether there may be first matches that are not here. */
  get isShort(): boolean {
    return this.#edge !== null && this.#rows.length < this.limit;
  }

  /** Takes note that a match in a slot has come, or is what it is now. @returns Whether it is among the first. */
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

  /** Takes note that a match is no longer what it was, by its row of the change log. @returns Whether it was among the first. */
  leave(row: number): boolean {
    const key = this.#keyInLog(row);
    const id = this.#log.ids[row]!;
    if (!this.#reaches(key, id)) return false;
    const place = this.#placeOf(key, id);
    if (this.#rows[place]?.id !== id) return false;
    this.#rows.splice(place, 1);
    return place < this.limit;
  }

  /** Replaces all by what was found for `query`. */
  fill(found: readonly Ranked[]): void {
    this.#rows = found.slice(0, this.query.limit! - 1);
    this.#edge = found.length > this.#rows.length ? this.#rows.at(-1)! : null;
  }

  /** Whether what is in a slot is among the first, or would be if it matched, as far as they are known. */
  holds(slot: number): boolean {
    const key = this.#keyInStore(slot);
    const id = this.#store.ids[slot]!;
    if (!this.#reaches(key, id)) return false;
    const last = this.#rows[this.limit - 1];
    return last === undefined || !isBefore(last, { slot, key, id });
  }

  /**
   * The first matches as they were earlier, if what is kept is enough to tell.
   * @param hasChanged Whether a slot has not got what it had.
   * @param others The matches among what has changed, as they were.
   */
  firstBefore(hasChanged: (slot: number) => boolean, others: readonly Ranked[]): readonly Ranked[] | null {
    const rows = [...this.#rows.filter(({ slot }) => !hasChanged(slot)), ...others]
      .sort((a, b) => (isBefore(a, b) ? -1 : 1))
      .slice(0, this.limit);
    if (this.#edge === null) return rows;
    // Behind the edge there may be others that come before those that are known.
    return rows.length === this.limit && !isBefore(this.#edge, rows.at(-1)!) ? rows : null;
  }

  #reaches(key: number, id: string): boolean {
    const edge = this.#edge;
    return edge === null || key < edge.key || (key === edge.key && id <= edge.id);
  }

  /** Where a row is, or would be. */
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
