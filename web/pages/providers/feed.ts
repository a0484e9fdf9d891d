import { effect, type Signal, signal } from '@preact/signals';
import {
  type Change,
  DiscoveryError,
  type Explanation,
  type FindOptions,
  type PublishedAdvertisement,
  type Watch,
} from '../../../src/client/index.js';
import { columnNamed, orderBy } from '../../model/columns.js';
import { FIRST_PAGE_SIZE, ListPages } from '../../model/list-pages.js';
import { LiveRows, type Row } from '../../model/live-rows.js';
import { formatFilter, type Sort, type View } from '../../model/view.js';
import { amountsOf } from '../../model/amounts.js';
import { follow, hub, unfollow } from '../../state/hub.js';
import { afterPaint } from '../../state/moments.js';

/** Up to this many matches, the table watches all of them. */
export const WATCHED_AT_MOST = 2000;
/** Most rows in the table: browsers limit the height of an element. */
const SHOWN_AT_MOST = 400_000;
/** Above that, this many of the first rows are live: the most that a hub ranks. */
const FIRST = 100;
const SETTLE_MS = 150;
const RECOUNT_MS = 15_000;
const RETRY_MS = 3000;

/** What the table shows. */
export interface Shown {
  /** `live`: all matches are watched; `pages`: there are too many, so pages are fetched as they scroll into view. */
  readonly kind: 'loading' | 'live' | 'pages';
  /** Number of rows. */
  readonly count: number;
  /** Number of matching providers; null while unknown. */
  readonly matched: number | null;
  /** Number of new rows held back while the order is held. */
  readonly waiting: number;
  at(row: number): Row | undefined;
}

const NOTHING: Shown = { kind: 'loading', count: 0, matched: null, waiting: 0, at: () => undefined };

/** The hub's sort key for a column; undefined if the hub cannot sort by it. */
export function hubSort({ column, descending }: Sort): FindOptions['sort'] | 'id' | undefined {
  if (column === 'updated') return descending ? 'updated' : undefined;
  if (descending) return undefined;
  return column === 'price' || column === 'price_glm' ? column : column === 'id' ? 'id' : undefined;
}

/** Keeps the rows of a view up to date: watches all matches if they are few, fetches pages if they are many. */
export class Feed {
  readonly shown: Signal<Shown> = signal(NOTHING);
  /** Why loading fails; null if it does not. */
  readonly problem: Signal<string | null> = signal(null);
  /** The hub's explanation of the number of matches; null before it arrives. */
  readonly explanation: Signal<Explanation | null> = signal(null);
  #view: View;
  #isHeld = false;
  /** Whether the first rows are shown before their number is known. */
  #isEarly = false;
  /** Cancels the requests of the current filter when the next one is set. */
  #control = new AbortController();
  #watch: Watch | null = null;
  #rows: LiveRows | null = null;
  #pages: ListPages | null = null;
  #settling: ReturnType<typeof setTimeout> | undefined;

  constructor(view: View) {
    this.#view = view;
    void this.#begin();
  }

  /** Switches to another view. The current rows stay until the new ones have loaded. */
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

  /** Holds the order of rows, or releases it and sorts them again. */
  hold(isHeld: boolean): void {
    if (this.#isHeld === isHeld) return;
    this.#isHeld = isHeld;
    this.#rows?.hold(isHeld);
    this.#settle();
  }

  /** Sets the rows in the viewport. */
  show(from: number, to: number): void {
    this.#pages?.show(from, to);
  }

  stop(): void {
    this.#control.abort();
    this.#end();
  }

  /**
   * Counts the matches, then watches or pages through them depending on how many there are. The first rows on the page do not wait
   * for the count.
   */
  async #begin(): Promise<void> {
    this.#control.abort();
    const control = new AbortController();
    this.#control = control;
    const { signal: stopped } = control;
    const isEarly = this.shown.peek().kind === 'loading' && hubSort(this.#view.sort) !== undefined;
    this.#isEarly = isEarly;
    if (isEarly) this.#readPages();
    try {
      const explanation = await hub.explain(this.#view.filter, { signal: stopped });
      this.problem.value = null;
      this.explanation.value = explanation;
      this.#isEarly = false;
      if (explanation.matched <= WATCHED_AT_MOST) await this.#watchAll(stopped);
      else if (!isEarly) this.#readPages();
      else if (this.#pages?.at(0) !== undefined) this.#showPages(this.#pages);
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

  /** Polls the explanation: the number of matches changes, too. */
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
        // Keep the last answer; the connection status shows the failure.
        () => undefined,
      );
    }, RECOUNT_MS);
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
      read: async (after, pageSize) => {
        const list = hub.pages(filter, {
          sort: sorted === 'id' ? undefined : sorted,
          pageSize,
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
        if (!stopped.aborted) this.problem.value = error?.message ?? null;
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
    pages.show(0, 1);
  }

  /** Keeps the first rows of a paged list live. */
  #watchFirst(pages: ListPages): void {
    const sort = hubSort(this.#view.sort) ?? 'price';
    if (this.#pages !== pages || this.#watch !== null || (sort !== 'price' && sort !== 'price_glm')) return;
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
    if (this.#isEarly) {
      this.#showFirst(pages);
      return;
    }
    if (this.#watch === null) afterPaint(() => this.#watchFirst(pages));
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

  /** Shows the first page of a list whose length is not known yet. */
  #showFirst(pages: ListPages): void {
    this.shown.value = {
      kind: 'loading',
      count: pages.end ?? FIRST_PAGE_SIZE,
      matched: pages.end,
      waiting: 0,
      at: (row) => {
        const advertisement = pages.at(row);
        return advertisement && { advertisement, mark: null, markedAt: 0 };
      },
    };
  }

  /** Stops the current source of rows and keeps the rows. */
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

/** A feed for the page that is about to be rendered. */
let prepared: Feed | null = null;

/** Makes the feed of a view before its page, and waits until it has rows, so many milliseconds at most. */
export async function prepareFeed(view: View, ms: number): Promise<void> {
  const feed = new Feed(view);
  prepared = feed;
  const hasRows = new Promise<void>((resolve) => {
    effect(() => {
      if (feed.shown.value.count > 0) resolve();
    });
  });
  await Promise.race([hasRows, new Promise((resolve) => setTimeout(resolve, ms))]);
}

/** The feed of a view: the prepared one, or a new one. */
export function feedOf(view: View): Feed {
  const feed = prepared;
  prepared = null;
  if (feed === null) return new Feed(view);
  feed.setView(view);
  return feed;
}
