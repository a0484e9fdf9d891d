import type { Page, PublishedAdvertisement } from '../../src/client/index.js';

/** Advertisements on a page: as many as a hub gives at once, so that far rows take few requests. */
export const PAGE_SIZE = 1000;
/** Pages that are kept. */
const KEPT = 12;
/** Milliseconds after which a page in view is read again. */
const STALE_MS = 15_000;
/** Milliseconds until another try where the hub does not say. */
const RETRY_MS = 3000;

interface KeptPage {
  readonly advertisements: readonly PublishedAdvertisement[];
  readonly readAt: number;
}

export interface ListPagesOptions {
  /** Reads the page that begins after a cursor; the first one with null. */
  read: (after: string | null) => Promise<Page>;
  /** Rows have come, or have been read again. */
  changed: () => void;
  /** A page could not be read and will be tried again; null once that is over. */
  failed: (error: Error | null) => void;
  now: () => number;
  /** Calls back once, after so many milliseconds. @returns A function that takes it back. */
  after: (ms: number, run: () => void) => () => void;
}

/**
 * The rows of a list that is too long to be held: pages are read as they come into view, one at a time, and forgotten again. A hub gives
 * pages one after the other, so the way to a far row leads over those before it.
 */
export class ListPages {
  readonly #options: ListPagesOptions;
  /** The cursor that each page begins after, as far as known. */
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

  /** How many rows there are, once the last page has been seen; null before. */
  get end(): number | null {
    return this.#end;
  }

  /** How many rows can be reached with one more request. */
  get known(): number {
    return this.#end ?? this.#starts.length * PAGE_SIZE;
  }

  /** The advertisement in a row; undefined while it has not been read. */
  at(row: number): PublishedAdvertisement | undefined {
    return this.#pages.get(Math.floor(row / PAGE_SIZE))?.advertisements[row % PAGE_SIZE];
  }

  /** Says which rows are in view: from the first to before the last. */
  show(from: number, to: number): void {
    this.#view = { from, to };
    if (!this.#isReading) this.#readNext();
  }

  stop(): void {
    this.#isOver = true;
    this.#cancelTimer();
  }

  /** The page to read next; null where all in view are fresh. */
  #next(): number | null {
    const last = Math.floor(Math.max(this.#view.from, this.#view.to - 1) / PAGE_SIZE);
    const now = this.#options.now();
    for (let page = Math.floor(this.#view.from / PAGE_SIZE); page <= last; page += 1) {
      if (this.#end !== null && page > 0 && page * PAGE_SIZE >= this.#end) return null;
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
    this.#options.read(this.#starts[page]!).then(
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
      this.#end = page * PAGE_SIZE + advertisements.length;
      this.#starts.length = page + 1;
    } else {
      if (this.#end !== null && this.#end <= (page + 1) * PAGE_SIZE) this.#end = null;
      this.#starts[page + 1] = next;
    }
  }
}
