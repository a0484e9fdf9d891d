import type { HttpResponse } from '../protocol/http-message.js';
import { type ListQuery, parseListQuery } from '../protocol/list-query.js';

const LIST_PATH = '/api/v1/advertisements';
const MAX_KEPT = 1024;
const MAX_KEPT_LENGTH = 512;

/** A list request that was checked. */
export interface ReadQuery {
  query: ListQuery;
  /** The address of the next page, up to the value of `after`. */
  nextPage: string;
  /** The last answer that was worth keeping, and the version of the store that it was true for. */
  answer: { version: number; response: HttpResponse } | null;
}

/** Reads query strings. Clients that poll ask the same again and again, so those that came lately are kept. */
export class ListQueries {
  readonly #kept = new Map<string, ReadQuery>();

  /**
   * @param search A query string, without `?`.
   * @throws ProtocolError `ADV_002` naming the parameter.
   */
  parse(search: string): ReadQuery {
    const kept = this.#kept.get(search);
    if (kept !== undefined) return kept;
    const read: ReadQuery = { query: parseListQuery(search), nextPage: nextPageOf(search), answer: null };
    // Every page has an `after` of its own, and is asked for once.
    if (search.length > MAX_KEPT_LENGTH || read.query.after !== null) return read;
    if (this.#kept.size === MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value!);
    this.#kept.set(search, read);
    return read;
  }
}

function nextPageOf(search: string): string {
  const parameters = new URLSearchParams(search);
  parameters.delete('after');
  parameters.append('after', '');
  return `${LIST_PATH}?${parameters.toString()}`;
}
