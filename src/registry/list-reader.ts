import type { ListQuery } from '../protocol/list-query.js';
import { runQuery } from './query.js';
import { Scratch } from './scratch.js';
import type { Store } from './store.js';

const OPENING_BRACKET = 0x5b;
const COMMA = 0x2c;
const CLOSING_BRACKET = 0x5d;

/** A page of a list as it goes out. */
export interface ListPage {
  /** A JSON array, UTF-8. Its memory is used again for the next list. */
  body: Buffer;
  /** `after` of the next page; null on the last. */
  next: string | null;
  count: number;
}

/** Answers lists: finds the rows, and joins what was rendered of each when it last changed. */
export class ListReader {
  readonly #store: Store;
  readonly #scratch = new Scratch();

  constructor(store: Store) {
    this.#store = store;
  }

  read(query: ListQuery): ListPage {
    const { slots, next } = runQuery(this.#store, query);
    return { body: this.#join(slots), next, count: slots.length };
  }

  #join(slots: readonly number[]): Buffer {
    let length = 2 + Math.max(0, slots.length - 1);
    for (const slot of slots) length += this.#store.fragmentBytes(slot);
    const body = this.#scratch.take(length);
    body[0] = OPENING_BRACKET;
    let position = 1;
    for (const slot of slots) {
      if (position > 1) body[position++] = COMMA;
      position = this.#store.copyFragment(slot, body, position);
    }
    body[position] = CLOSING_BRACKET;
    return body;
  }
}
