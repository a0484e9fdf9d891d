import type { ListQuery } from '../../protocol/list-query.js';
import type { Store } from '../store/store.js';

/** Of the bodies of all kept pages together. */
const MAX_BYTES = 8 << 20;
const MAX_PAGES = 1024;

/** A page that has its body in one piece. */
export interface WholePage {
  body: Buffer;
  next: string | null;
  count: number;
  /** Whether it is a kept one. */
  kept: boolean;
}

interface KeptPage {
  /** `contents` of the store that it is true for. */
  contents: number;
  /** Null until the page has been asked for twice without any change but of times. */
  rows: KeptRows | null;
}

interface KeptRows {
  page: WholePage;
  /** `version` of the store that its times are true for. */
  version: number;
  slots: readonly number[];
  /** Where in the body each row begins. */
  places: Uint32Array;
  /** What each row says of its last heartbeat. */
  updatedAt: Float64Array;
}

/**
 * Pages that are asked for again and again. Heartbeats change nothing in a page but times, which have a fixed length:
 * those are written over, instead of finding and joining all rows anew.
 */
export class PageCache {
  readonly #store: Store;
  /** Those that were made last are the last. */
  readonly #pages = new Map<ListQuery, KeptPage>();
  #bytes = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Bytes of all bodies. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * The page as it is now, if it was kept; its body is good until the next question.
   * @param query The same object each time.
   */
  find(query: ListQuery): WholePage | null {
    const kept = this.#pages.get(query);
    if (kept?.contents !== this.#store.contents || kept.rows === null) return null;
    this.#refresh(kept.rows);
    return kept.rows.page;
  }

  /** Notes that a page had to be made, and keeps a copy if that was so the last time, too, and nothing has changed. */
  note(query: ListQuery, slots: readonly number[], page: WholePage): void {
    // Times decide about the order; or each page is asked for once.
    if (query.sort === 'updated' || query.after !== null) return;
    const { contents } = this.#store;
    const isRepeated = this.#pages.get(query)?.contents === contents;
    this.#drop(query);
    const rows = isRepeated ? this.#copy(slots, page) : null;
    this.#pages.set(query, { contents, rows });
    this.#bytes += rows?.page.body.length ?? 0;
    for (const oldest of this.#pages.keys()) {
      if (this.#bytes <= MAX_BYTES && this.#pages.size <= MAX_PAGES) break;
      this.#drop(oldest);
    }
  }

  #copy(slots: readonly number[], page: WholePage): KeptRows {
    const store = this.#store;
    const body = Buffer.allocUnsafeSlow(page.body.length);
    body.set(page.body);
    const places = new Uint32Array(slots.length);
    let place = 1;
    slots.forEach((slot, row) => {
      places[row] = place;
      place += store.fragmentBytes(slot) + 1;
    });
    const updatedAt = Float64Array.from(slots, (slot) => store.updatedAt(slot));
    return { page: { ...page, body, kept: true }, version: store.version, slots, places, updatedAt };
  }

  #refresh(rows: KeptRows): void {
    const store = this.#store;
    if (rows.version === store.version) return;
    const { page, slots, places, updatedAt } = rows;
    for (let row = 0; row < slots.length; row += 1) {
      const time = store.updatedAt(slots[row]!);
      if (time === updatedAt[row]) continue;
      updatedAt[row] = time;
      store.copyFragment(slots[row]!, page.body, places[row]!);
    }
    rows.version = store.version;
  }

  #drop(query: ListQuery): void {
    this.#bytes -= this.#pages.get(query)?.rows?.page.body.length ?? 0;
    this.#pages.delete(query);
  }
}
