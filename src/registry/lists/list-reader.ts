import { ProtocolError } from '../../protocol/errors.js';
import type { ListQuery } from '../../protocol/list-query.js';
import type { ServiceClock } from '../../lib/clock.js';
import { LongList } from './long-list.js';
import { type Page, runQuery } from './query.js';
import type { Snapshots } from '../store/snapshot.js';
import type { Store } from '../store/store.js';

const OPENING_BRACKET = 0x5b;
const COMMA = 0x2c;
const CLOSING_BRACKET = 0x5d;

/** Longer lists are made part by part, while others get their turn. */
const MAX_BYTES_IN_ONE_PIECE = 1 << 20;
/** Each of them keeps the numbers of its rows. */
const MAX_LONG_LISTS = 32;

/** A page of a list as it goes out. */
export interface ListPage {
  /** A JSON array, UTF-8. A long one comes in parts. */
  body: Buffer | LongList;
  /** Its rows. */
  found: FoundPage;
}

/** The rows of a page, and the `contents` of the store that they were found in. */
export interface FoundPage extends Page {
  contents: number;
}

/** Answers lists: finds the rows, and joins what was rendered of each when it last changed. */
export class ListReader {
  readonly #store: Store;
  readonly #snapshots: Snapshots;
  readonly #clock: ServiceClock;
  #longLists = 0;

  constructor(store: Store, snapshots: Snapshots, clock: ServiceClock) {
    this.#store = store;
    this.#snapshots = snapshots;
    this.#clock = clock;
  }

  /**
   * @param known What was found for the same query before: heartbeats alone change no more than times.
   * @throws ProtocolError `ADV_003` when too many long lists are being read.
   */
  read(query: ListQuery, known?: FoundPage): ListPage {
    const { contents } = this.#store;
    const isGood = known?.contents === contents && query.sort !== 'updated';
    const found = isGood ? known : { ...runQuery(this.#store, query), contents };
    const { slots } = found;
    let bytes = 2 + Math.max(0, slots.length - 1);
    for (const slot of slots) bytes += this.#store.fragmentBytes(slot);
    const body = bytes > MAX_BYTES_IN_ONE_PIECE ? this.#open(slots, bytes) : this.#join(slots, bytes);
    return { body, found };
  }

  #join(slots: readonly number[], bytes: number): Buffer {
    const body = Buffer.allocUnsafe(bytes);
    body[0] = OPENING_BRACKET;
    let position = 1;
    for (const slot of slots) {
      if (position > 1) body[position++] = COMMA;
      position = this.#store.copyFragment(slot, body, position);
    }
    body[position] = CLOSING_BRACKET;
    return body;
  }

  #open(slots: readonly number[], bytes: number): LongList {
    if (this.#longLists >= MAX_LONG_LISTS) {
      throw new ProtocolError(
        'ADV_003',
        `${String(MAX_LONG_LISTS)} long lists are being read at the moment; ask for pages with limit=1000, or try again soon`,
        { unavailable: true, retryAfterSeconds: 5 },
      );
    }
    this.#longLists += 1;
    // Nobody asks for its number: the list's cursor is that of the answer.
    return new LongList(this.#snapshots.open(slots, 0), bytes, this.#clock, () => {
      this.#longLists -= 1;
    });
  }
}
