import { type Signal, signal } from '@preact/signals';
import {
  type Change,
  DiscoveryError,
  type Explanation,
  type FindOptions,
  type PublishedAdvertisement,
  type Watch,
} from '../../../src/client/index.js';
import { columnNamed, orderBy } from '../../model/columns.js';
import { ListPages, PAGE_SIZE } from '../../model/list-pages.js';
import { LiveRows, type Row } from '../../model/live-rows.js';
import { formatFilter, type Sort, type View } from '../../model/view.js';
import { amountsOf } from '../../model/amounts.js';
import { follow, hub, unfollow } from '../../state/hub.js';

/** Up to so many matches are all watched. */
export const WATCHED_AT_MOST = 2000;
/** A browser holds rows that many pixels deep, and no more. */
const SHOWN_AT_MOST = 400_000;
/** Of more matches, so many are live: as many as a hub ranks. */
const FIRST = 100;
const SETTLE_MS = 150;
const COUNT_AGAIN_MS = 15_000;
const RETRY_MS = 3000;

/** What the table shows. */
export interface Shown {
  /** `live`: all matches, each change as it comes; `pages`: more than that, read as they come into view. */
  readonly kind: 'loading' | 'live' | 'pages';
  /** How many rows there are. */
  readonly count: number;
  /** How many providers match; null while that is not known. */
  readonly matched: number | null;
  /** How many have come while the order is held. */
  readonly waiting: number;
  at(row: number): Row | undefined;
}

const NOTHING: Shown = { kind: 'loading', count: 0, matched: null, waiting: 0, at: () => undefined };

/** How a hub sorts by a column; undefined where it does not. */
export function hubSort({ column, descending }: Sort): FindOptions['sort'] | 'id' | undefined {
  if (column === 'updated') return descending ? 'updated' : undefined;
  if (descending) return undefined;
  return column === 'price' || column === 'price_glm' ? column : column === 'id' ? 'id' : undefined;
}

/** Keeps the rows of a view true: watches all matches where there are few, reads pages where there are many. */
export class Feed {
  readonly shown: Signal<Shown> = signal(NOTHING);
  /** What keeps the rows from coming; null when nothing does. */
  readonly problem: Signal<string | null> = signal(null);
  /** Why there are as many as there are; null before the hub has said. */
  readonly explanation: Signal<Explanation | null> = signal(null);
  #view: View;
  #isHeld = false;
  /** What the present filter began; aborted with the next one. */
  #control = new AbortController();
  #watch: Watch | null = null;
  #rows: LiveRows | null = null;
  #pages: ListPages | null = null;
  #settling: ReturnType<typeof setTimeout> | undefined;

  constructor(view: View) {
    this.#view = view;
    void this.#begin();
  }

  /** Shows another view; what is shown stays until that is there. */
  setView(view: View): void {
    const before = this.#view;
    this.#view = view;
    if (formatFilter(before.filter) !== formatFilter(view.filter)) {
      void this.#begin();
    } else if (before.sort.column !== view.sort.column || before.sort.descending !== view.sort.descending) {
      if (this.#rows !== null) {
        this.#rows.setOrder(this.#order());
        this.#settle();
      } else if (this.#pages !== null) {
        this.#readPages();
      }
    }
  }

  /** Holds the order of rows, or lets them go where they belong. */
  hold(isHeld: boolean): void {
    if (this.#isHeld === isHeld) return;
    this.#isHeld = isHeld;
    this.#rows?.hold(isHeld);
    this.#settle();
  }

  /** Says which rows are in view. */
  show(from: number, to: number): void {
    this.#pages?.show(from, to);
  }

  stop(): void {
    this.#control.abort();
    this.#end();
  }

  /** Asks how many match, and follows them by what suits so many. */
  async #begin(): Promise<void> {
    this.#control.abort();
    const control = new AbortController();
    this.#control = control;
    const { signal: stopped } = control;
    try {
      const explanation = await hub.explain(this.#view.filter, { signal: stopped });
      this.problem.value = null;
      this.explanation.value = explanation;
      if (explanation.matched > WATCHED_AT_MOST) this.#readPages();
      else await this.#watchAll(stopped);
      this.#countAgain(stopped);
    } catch (error) {
      if (!stopped.aborted) this.#retry(error, stopped);
    }
  }

  #retry(error: unknown, stopped: AbortSignal): void {
    const { message, retry, retryAfterSeconds } = DiscoveryError.from(error, 'UNEXPECTED');
    this.problem.value = message;
    if (!retry) return;
    const timer = setTimeout(
      () => void this.#begin(),
      retryAfterSeconds === null ? RETRY_MS : retryAfterSeconds * 1000,
    );
    stopped.addEventListener('abort', () => {
      clearTimeout(timer);
    });
  }

  /** The number of matches and the reasons change, too. */
  #countAgain(stopped: AbortSignal): void {
    const timer = setInterval(() => {
      if (document.hidden || (this.#rows !== null && this.#rows.rows.length > 0)) return;
      hub.explain(this.#view.filter, { signal: stopped }).then(
        (explanation) => {
          this.explanation.value = explanation;
          if (this.#pages === null) return;
          if (explanation.matched <= WATCHED_AT_MOST / 2) void this.#begin();
          else this.#showPages(this.#pages);
        },
        // What is known stays; the connection's state says the rest.
        () => undefined,
      );
    }, COUNT_AGAIN_MS);
    stopped.addEventListener('abort', () => {
      clearInterval(timer);
    });
  }

  async #watchAll(stopped: AbortSignal): Promise<void> {
    const watched = follow(this.#view.filter);
    stopped.addEventListener('abort', () => {
      if (this.#watch !== watched) unfollow(watched);
    });
    await watched.ready;
    if (stopped.aborted) return;
    this.#end();
    this.#watch = watched;
    const rows = new LiveRows(this.#order());
    this.#rows = rows;
    rows.start(watched.providers.values());
    rows.hold(this.#isHeld);
    watched.on('change', (change: Change) => {
      rows.take(change, performance.now());
      this.#settleSoon();
    });
    this.#showLive(rows);
  }

  #readPages(): void {
    this.#end();
    const { filter, sort } = this.#view;
    const sorted = hubSort(sort) ?? 'price';
    const { signal: stopped } = this.#control;
    const pages = new ListPages({
      read: async (after) => {
        const list = hub.pages(filter, {
          sort: sorted === 'id' ? undefined : sorted,
          pageSize: PAGE_SIZE,
          signal: stopped,
          ...(after === null ? {} : { after }),
        });
        const { value } = await list.next();
        if (value === undefined) throw new DiscoveryError('UNEXPECTED', 'the hub gave no page');
        return value;
      },
      changed: () => {
        if (this.#pages === pages) this.#showPages(pages);
      },
      failed: (error) => {
        this.problem.value = error?.message ?? null;
      },
      now: () => performance.now(),
      after: (ms, run) => {
        const timer = setTimeout(run, ms);
        return () => {
          clearTimeout(timer);
        };
      },
    });
    this.#pages = pages;
    this.shown.value = { ...this.shown.peek(), kind: 'loading' };
    if (sorted === 'price' || sorted === 'price_glm') this.#watchFirst(pages, sorted);
    pages.show(0, 1);
  }

  /** Keeps the first rows of a list that is read in pages live. */
  #watchFirst(pages: ListPages, sort: 'price' | 'price_glm'): void {
    const watched = follow(this.#view.filter, { sort, limit: FIRST });
    this.#watch = watched;
    watched.on('change', () => {
      if (this.#pages === pages && watched.ranking.length === FIRST) this.#showPages(pages);
    });
  }

  #order(): (a: PublishedAdvertisement, b: PublishedAdvertisement) => number {
    const { sort, filter } = this.#view;
    return orderBy(columnNamed(sort.column)!, sort.descending, amountsOf(filter));
  }

  #settleSoon(): void {
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined;
      this.#settle();
    }, SETTLE_MS);
  }

  #settle(): void {
    const rows = this.#rows;
    if (rows === null) return;
    if (rows.settle(performance.now()) || rows.waiting !== this.shown.peek().waiting) this.#showLive(rows);
    if (rows.hasMarks) this.#settleSoon();
    if (rows.rows.length > 2 * WATCHED_AT_MOST) void this.#begin();
  }

  #showLive(rows: LiveRows): void {
    const shown = rows.rows;
    this.shown.value = {
      kind: 'live',
      count: shown.length,
      matched: this.#watch?.providers.size ?? null,
      waiting: rows.waiting,
      at: (row) => shown[row],
    };
  }

  #showPages(pages: ListPages): void {
    const watched = this.#watch;
    const first = watched?.state === 'live' && !this.#isHeld ? watched.ranking.slice() : [];
    const matched = pages.end ?? this.explanation.peek()?.matched ?? pages.known;
    this.shown.value = {
      kind: 'pages',
      count: Math.min(matched, SHOWN_AT_MOST),
      matched,
      waiting: 0,
      at: (row) => {
        const advertisement = first[row] ?? pages.at(row);
        return advertisement && { advertisement, mark: null, markedAt: 0 };
      },
    };
  }

  /** Ends what fed the rows up to now; they stay as they are. */
  #end(): void {
    clearTimeout(this.#settling);
    this.#settling = undefined;
    this.#pages?.stop();
    this.#pages = null;
    this.#rows = null;
    if (this.#watch !== null) unfollow(this.#watch);
    this.#watch = null;
  }
}
