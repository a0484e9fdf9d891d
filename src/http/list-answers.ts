import type { HttpResponse } from '../protocol/http-message.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Asker, Work } from '../lib/turns/work-queue.js';
import type { Filter } from '../protocol/filters/filter.js';
import { type ListQuery, type ListRequest, parseListQuery } from '../protocol/filters/list-query.js';
import type { FoundPage } from '../registry/lists/list-reader.js';
import type { Registry } from '../registry/registry.js';
import type { OpenReads } from './events.js';
import { JSON_HEADERS, OPEN_TO_READERS } from './respond.js';

const LIST_PATH = '/api/v1/advertisements';
const LIST_HEADERS = { ...JSON_HEADERS, ...OPEN_TO_READERS } as const;
/** Limits: cached requests, bytes of all their responses, and characters of each query. */
const MAX_KEPT = 1024;
const MAX_KEPT_BYTES = 8 << 20;
const MAX_KEPT_QUERY = 512;

/** A validated list request, and the last response to it. The query string and `version` together are its key. */
interface Kept {
  readonly query: ListQuery;
  /** The version of the store that the response shows. */
  readonly version: number;
  /** Null if it was too long to cache. */
  readonly answer: { readonly response: HttpResponse; readonly found: FoundPage } | null;
}

/** What lists need of whoever keeps connections. */
type ListReads = Pick<OpenReads, 'awaitChange' | 'checkLongBody'>;

/**
 * Answers list requests from a cache. Polling clients repeat their queries: until something changes, all of them get the same response, and a
 * known query is not parsed again.
 */
export class ListAnswers {
  readonly #registry: Registry;
  readonly #reads: ListReads;
  /** By query string, least recently used first. */
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  constructor(registry: Registry, reads: ListReads) {
    this.#registry = registry;
    this.#reads = reads;
  }

  /** How many requests are cached. */
  get size(): number {
    return this.#kept.size;
  }

  /** Bytes of all cached responses and rows. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * @param search A query string, without `?`.
   * @param asker Identified by its address.
   * @throws ProtocolError `ADV_002` naming a parameter, `ADV_003` if too many long lists are being made or read.
   */
  answer(search: string, asker: Asker): HttpResponse | Promise<HttpResponse> {
    const kept = this.#kept.get(search);
    if (kept !== undefined && kept.answer !== null) {
      const { found, response } = kept.answer;
      if (this.#registry.isListCurrent(kept.query, found, kept.version)) return response;
    }
    const query: ListQuery & Partial<ListRequest> = kept?.query ?? parseListQuery(search);
    if (query.wait != null) return this.#answerLater(search, query.filter, query.wait, asker);
    const answer = this.#registry.work.run(asker, () => this.#make(search, query, asker));
    if (answer !== null) return answer;
    throw new ProtocolError(
      'ADV_003',
      'too many lists are being made at the moment; ask for pages with limit=1000, or try again soon',
      { unavailable: true, retryAfterSeconds: 5 },
    );
  }

  /** Answers once the matches have changed, or with 304 after the wait. */
  async #answerLater(
    search: string,
    filter: Filter,
    wait: { since: string; seconds: number },
    asker: Asker,
  ): Promise<HttpResponse> {
    const address = asker.key();
    const cursor = await this.#reads.awaitChange({ filter, ...wait, address });
    if (cursor === null) {
      const later: Asker = {
        key: () => address,
        get isGone() {
          return asker.isGone === true;
        },
      };
      return this.answer(without(search, ['since', 'wait']), later);
    }
    return { status: 304, headers: { ...LIST_HEADERS, 'X-Discovery-Cursor': cursor }, body: '' };
  }

  *#make(search: string, query: ListQuery, asker: Asker): Work<HttpResponse> {
    const { version } = this.#registry.store;
    const known = this.#kept.get(search)?.answer;
    const { found, body, cursor } = yield* this.#registry.listInSteps(query, known?.found, () => {
      this.#reads.checkLongBody(asker.key());
    });
    const headers = found === known?.found ? known.response.headers : headersOf(search, found, cursor);
    const isShort = body instanceof Uint8Array;
    const response = isShort
      ? { status: 200, headers, body }
      : { status: 200, headers, body: '', source: body };
    this.#keep(search, { query, version, answer: isShort ? { response, found } : null });
    return response;
  }

  #keep(search: string, kept: Kept): void {
    // Pages have distinct `after` values and are rarely requested twice.
    if (search.length > MAX_KEPT_QUERY || kept.query.after !== null) return;
    this.#drop(search);
    this.#kept.set(search, kept);
    this.#bytes += bytesOf(kept);
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= MAX_KEPT_BYTES && this.#kept.size <= MAX_KEPT) break;
      this.#drop(oldest);
    }
  }

  #drop(search: string): void {
    const kept = this.#kept.get(search);
    if (kept === undefined) return;
    this.#bytes -= bytesOf(kept);
    this.#kept.delete(search);
  }
}

/** The size of the body and the rows. */
function bytesOf({ answer }: Kept): number {
  return answer === null ? 0 : answer.response.body.length + 8 * answer.found.slots.length;
}

function headersOf(search: string, { next }: FoundPage, cursor: string): HttpResponse['headers'] {
  const headers: Record<string, string> = { ...LIST_HEADERS, 'X-Discovery-Cursor': cursor };
  if (next !== null) headers['Link'] = `<${LIST_PATH}?${nextPage(search, next)}>; rel="next"`;
  return headers;
}

/**
 * The query string of the next page. The original query is kept verbatim: encoded again, it could become three times as long, more than
 * clients accept in a header.
 */
function nextPage(search: string, after: string): string {
  const query = [without(search, ['after']), new URLSearchParams({ after }).toString()]
    .filter((part) => part !== '')
    .join('&');
  return query.replace(/[^\x21-\x7e]|[<>"]/gu, encodeURIComponent);
}

/** A query string without some of its parameters, otherwise verbatim. */
function without(search: string, names: readonly string[]): string {
  return search
    .split('&')
    .filter((part) => part !== '' && !names.some((name) => new URLSearchParams(part).has(name)))
    .join('&');
}
