import type { Page, PublishedAdvertisement } from '../../src/client/index.js';

/** Advertisements per page: the hub's maximum, so that distant rows take few requests. */
export const PAGE_SIZE = 1000;
/** Advertisements on the first page: a screen of rows, so that it comes and is read quickly. */
export const FIRST_PAGE_SIZE = 60;
/** Once the reader scrolls, this many rows ahead are fetched. */
const AHEAD = 200;
/** Number of cached pages. */
const KEPT = 12;
/** Age in milliseconds at which a visible page is refetched. */
const STALE_MS = 15_000;
/** Retry delay in milliseconds if the hub names none. */
const RETRY_MS = 3000;

interface KeptPage {
  readonly advertisements: readonly PublishedAdvertisement[];
  readonly readAt: number;
}

export interface ListPagesOptions {
  /** Fetches the page of at most so many advertisements after a cursor; null for the first page. */
  read: (after: string | null, size: number) => Promise<Page>;
  /** Called when rows arrive or are refreshed. */
  changed: () => void;
  /** Called when a page fails and will be retried; with null once it succeeds. */
  failed: (error: Error | null) => void;
  now: () => number;
  /** Calls back once, after a delay in milliseconds. @returns A function that cancels it. */
  after: (ms: number, run: () => void) => () => void;
}

/** The first row of a page. */
const startOf = (page: number): number => (page === 0 ? 0 : FIRST_PAGE_SIZE + (page - 1) * PAGE_SIZE);
/** The page that a row is on. */
const pageOf = (row: number): number =>
  row < FIRST_PAGE_SIZE ? 0 : 1 + Math.floor((row - FIRST_PAGE_SIZE) / PAGE_SIZE);

/**
 * The rows of a list too long to hold in memory. Pages are fetched one at a time as they scroll into view, and evicted later. Paging is
 * by cursor, so reaching a distant row means fetching the pages before it.
 */
export class ListPages {
  readonly #options: ListPagesOptions;
  /** The cursor of each page, as far as known. */
  readonly #starts: (string | null)[] = [null];
  readonly #pages = new Map<number, KeptPage>();
  #end: number | null = null;
  #view = { from: 0, to: 1 };
  #isReading = false;
  #isOver = false;
  #cancelTimer: () => void = () => undefined;

  constructor(options: ListPagesOptions) {
    this.#options = options;
  }

  /** Number of rows; null until the last page has been fetched. */
  get end(): number | null {
    return this.#end;
  }

  /** Number of rows reachable with one more request. */
  get known(): number {
    return this.#end ?? startOf(this.#starts.length);
  }

  /** The advertisement in a row; undefined until it has loaded. */
  at(row: number): PublishedAdvertisement | undefined {
    const page = pageOf(row);
    return this.#pages.get(page)?.advertisements[row - startOf(page)];
  }

  /** Sets the visible rows: first inclusive, last exclusive. */
  show(from: number, to: number): void {
    this.#view = { from, to };
    if (!this.#isReading) this.#readNext();
  }

  stop(): void {
    this.#isOver = true;
    this.#cancelTimer();
  }

  /** The next page to fetch; null if all visible pages are fresh. */
  #next(): number | null {
    const { from, to } = this.#view;
    const last = pageOf(Math.max(from, to - 1 + (from > 0 ? AHEAD : 0)));
    const now = this.#options.now();
    for (let page = pageOf(from); page <= last; page += 1) {
      if (this.#end !== null && page > 0 && startOf(page) >= this.#end) return null;
      if (page >= this.#starts.length) return this.#starts.length - 1;
      const kept = this.#pages.get(page);
      if (kept === undefined || now - kept.readAt >= STALE_MS) return page;
    }
    return null;
  }

  #readNext(): void {
    this.#cancelTimer();
    const page = this.#next();
    if (page === null) {
      this.#cancelTimer = this.#options.after(STALE_MS, () => {
        this.#readNext();
      });
      return;
    }
    this.#isReading = true;
    this.#options.read(this.#starts[page]!, page === 0 ? FIRST_PAGE_SIZE : PAGE_SIZE).then(
      (read) => {
        this.#isReading = false;
        if (this.#isOver) return;
        this.#keep(page, read);
        this.#options.failed(null);
        this.#options.changed();
        this.#readNext();
      },
      (error: unknown) => {
        this.#isReading = false;
        if (this.#isOver) return;
        this.#options.failed(error as Error);
        const { retryAfterSeconds } = error as { retryAfterSeconds?: number | null };
        const wait = retryAfterSeconds == null ? RETRY_MS : retryAfterSeconds * 1000;
        this.#cancelTimer = this.#options.after(wait, () => {
          this.#readNext();
        });
      },
    );
  }

  #keep(page: number, { advertisements, next }: Page): void {
    this.#pages.delete(page);
    this.#pages.set(page, { advertisements, readAt: this.#options.now() });
    for (const oldest of this.#pages.keys()) {
      if (this.#pages.size <= KEPT) break;
      this.#pages.delete(oldest);
    }
    if (next === null) {
      this.#end = startOf(page) + advertisements.length;
      this.#starts.length = page + 1;
    } else {
      if (this.#end !== null && this.#end <= startOf(page + 1)) this.#end = null;
      this.#starts[page + 1] = next;
    }
  }
}
