import { ProtocolError } from '../../protocol/errors.js';
import type { ListQuery } from '../../protocol/filters/list-query.js';
import type { ServiceClock } from '../../lib/clock.js';
import { LongList } from './long-list.js';
import { FrozenMatches } from './frozen-matches.js';
import { findPage, type Page } from './query.js';
import type { Work } from '../../lib/turns/work-queue.js';
import type { RowWatchers } from '../store/row-watchers.js';
import type { Store } from '../store/store.js';

const OPENING_BRACKET = 0x5b;
const COMMA = 0x2c;
const CLOSING_BRACKET = 0x5d;

/** Longer lists are produced in parts, while others get their turn. */
const MAX_BYTES_IN_ONE_PIECE = 1 << 20;
/** Each of them keeps the numbers of its rows. */
const MAX_LONG_LISTS = 32;

/** A page of a list as it is sent. */
export interface ListPage {
  /** A JSON array in UTF-8. A long one is produced in parts. */
  body: Buffer | LongList;
  /** Its rows. */
  found: FoundPage;
}

/** The rows of a page, and the store's `contents` they were found in. */
export interface FoundPage extends Page {
  contents: number;
}

/** Answers list requests: finds the rows, and joins their JSON, which was rendered when each last changed. */
export class ListReader {
  readonly #store: Store;
  readonly #watchers: RowWatchers;
  readonly #clock: ServiceClock;
  #longLists = 0;

  constructor(store: Store, watchers: RowWatchers, clock: ServiceClock) {
    this.#store = store;
    this.#watchers = watchers;
    this.#clock = clock;
  }

  /** Whether a page would have the same bytes now as at a version of the store, i.e. only other rows had heartbeats since. */
  isCurrent({ sort }: ListQuery, { contents, slots }: FoundPage, version: number): boolean {
    const store = this.#store;
    if (store.version === version) return true;
    return contents === store.contents && sort !== 'updated' && store.haveSameTimes(slots, version);
  }

  /**
   * Makes a list in steps. It shows the moment of the first step, without later changes.
   * @param known The rows found earlier for the same query, still valid if there have only been heartbeats since.
   * @param checkLong Called once the list is known to be a long one, and again while it is made; may throw.
   * @throws ProtocolError `ADV_003` if too many long lists are being read, or too much changes meanwhile.
   */
  *read(query: ListQuery, known?: FoundPage, checkLong?: () => void): Work<ListPage> {
    const { contents } = this.#store;
    const matches = new FrozenMatches(this.#store, this.#watchers, query);
    let isRead = true;
    try {
      const isGood = known?.contents === contents && query.sort !== 'updated';
      const found = isGood
        ? known
        : { ...(yield* findPage(this.#store, query, matches, checkLong)), contents };
      const { slots } = found;
      const bytes = 2 + Math.max(0, slots.length - 1) + (yield* matches.bytesOf(slots));
      // So much may have changed at once since the search that earlier forms are no longer set aside.
      matches.check();
      if (bytes <= MAX_BYTES_IN_ONE_PIECE) return { body: join(slots, bytes, matches), found };
      yield* matches.settle(slots);
      const body = this.#open(slots, bytes, matches);
      isRead = false;
      return { body, found };
    } finally {
      if (isRead) matches.close();
    }
  }

  #open(slots: readonly number[], bytes: number, matches: FrozenMatches): LongList {
    if (this.#longLists >= MAX_LONG_LISTS) {
      throw new ProtocolError(
        'ADV_003',
        `${String(MAX_LONG_LISTS)} long lists are being read at the moment; ask for pages with limit=1000, or try again soon`,
        { unavailable: true, retryAfterSeconds: 5 },
      );
    }
    this.#longLists += 1;
    return new LongList(matches, slots, bytes, this.#clock, () => {
      this.#longLists -= 1;
    });
  }
}

function join(slots: readonly number[], bytes: number, matches: FrozenMatches): Buffer {
  const body = Buffer.allocUnsafe(bytes);
  body[0] = OPENING_BRACKET;
  let position = 1;
  for (const slot of slots) {
    if (position > 1) body[position++] = COMMA;
    position = matches.copyRow(slot, body, position);
  }
  body[position] = CLOSING_BRACKET;
  return body;
}
