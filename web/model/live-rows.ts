import type { Change, PublishedAdvertisement } from '../../src/client/index.js';

/** What happened to a row just now. */
export type Mark = 'added' | 'updated' | 'removed';

/** One displayed row. Immutable: a changed row is a new object. */
export interface Row {
  readonly advertisement: PublishedAdvertisement;
  readonly mark: Mark | null;
  /** When it was marked, in milliseconds of the caller's clock. */
  readonly markedAt: number;
}

/** How long a change stays marked, in milliseconds. */
export const MARK_MS = 1600;

type Order = (a: PublishedAdvertisement, b: PublishedAdvertisement) => number;

/**
 * The rows of a live table. A changed row is marked briefly; a removed row stays, marked, for the same time.
 * While the order is held, nothing moves: rows change in place, removed rows stay, new rows wait.
 */
export class LiveRows {
  #order: Order;
  /** In display order. */
  #rows: Row[] = [];
  /** As they were settled last. */
  #settled: readonly Row[] = [];
  readonly #places = new Map<string, number>();
  readonly #waiting = new Map<string, PublishedAdvertisement>();
  #isHeld = false;
  #isOutOfOrder = false;
  #hasChanged = false;
  #marks = 0;

  constructor(order: Order) {
    this.#order = order;
  }

  /** The rows to show; a new array after each change. */
  get rows(): readonly Row[] {
    return this.#settled;
  }

  /** Number of new rows waiting while the order is held. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Whether a mark is still to expire. */
  get hasMarks(): boolean {
    return this.#marks > 0;
  }

  /** Starts over from a snapshot; no row is marked. */
  start(advertisements: Iterable<PublishedAdvertisement>): void {
    this.#waiting.clear();
    this.#marks = 0;
    this.#rows = Array.from(advertisements, (advertisement) => ({ advertisement, mark: null, markedAt: 0 }));
    this.#sort();
    this.#settled = this.#rows.slice();
  }

  setOrder(order: Order): void {
    this.#order = order;
    this.#sort();
  }

  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
  }

  take({ advertisement, type }: Change, now: number): void {
    const id = advertisement.provider_id;
    const place = this.#places.get(id);
    if (place !== undefined) {
      if (this.#rows[place]!.mark === null) this.#marks += 1;
      this.#rows[place] = { advertisement, mark: type, markedAt: now };
      this.#isOutOfOrder ||= type !== 'removed';
      this.#hasChanged = true;
    } else if (type === 'removed') {
      this.#waiting.delete(id);
    } else {
      this.#waiting.set(id, advertisement);
    }
  }

  /**
   * Brings the rows to where they belong, and ends marks that are over.
   * @returns Whether anything is to be drawn anew.
   */
  settle(now: number): boolean {
    if (this.#marks > 0) this.#endMarks(now);
    if (!this.#isHeld && (this.#waiting.size > 0 || this.#isOutOfOrder)) {
      for (const advertisement of this.#waiting.values()) {
        this.#rows.push({ advertisement, mark: 'added', markedAt: now });
        this.#marks += 1;
      }
      this.#waiting.clear();
      this.#sort();
    }
    if (!this.#hasChanged) return false;
    this.#hasChanged = false;
    this.#settled = this.#rows.slice();
    return true;
  }

  #endMarks(now: number): void {
    const rows: Row[] = [];
    let ended = 0;
    for (const row of this.#rows) {
      const isOver = row.mark !== null && now - row.markedAt >= MARK_MS;
      if (!isOver || (row.mark === 'removed' && this.#isHeld)) {
        rows.push(row);
        continue;
      }
      ended += 1;
      if (row.mark !== 'removed') rows.push({ ...row, mark: null });
    }
    if (ended === 0) return;
    this.#marks -= ended;
    this.#rows = rows;
    this.#index();
  }

  #sort(): void {
    this.#rows.sort((a, b) => this.#order(a.advertisement, b.advertisement));
    this.#isOutOfOrder = false;
    this.#index();
  }

  #index(): void {
    this.#hasChanged = true;
    this.#places.clear();
    this.#rows.forEach(({ advertisement }, place) => this.#places.set(advertisement.provider_id, place));
  }
}
