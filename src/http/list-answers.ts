import type { HttpResponse } from '../protocol/http-message.js';
import type { ListAnswer, Registry } from '../registry/registry.js';
import { ListQueries, type ReadQuery } from './list-queries.js';
import { JSON_HEADERS, OPEN_TO_READERS } from './respond.js';

const LIST_HEADERS = { ...JSON_HEADERS, ...OPEN_TO_READERS } as const;
/** Longer answers are not kept here: they are asked for less often, and would take much memory. */
const MAX_KEPT_BYTES = 16 * 1024;

type LastingResponse = HttpResponse & Required<Pick<HttpResponse, 'lasting'>>;

/** Answers lists. Until something changes, whoever asks the same gets the same. */
export class ListAnswers {
  readonly #registry: Registry;
  readonly #queries = new ListQueries();
  /** By their bodies, as long as the registry keeps these. */
  readonly #ofKept = new WeakMap<Uint8Array, LastingResponse>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /**
   * @param search A query string, without `?`.
   * @throws ProtocolError `ADV_002` naming a parameter, `ADV_003` when too many long lists are being read.
   */
  answer(search: string): HttpResponse {
    const read = this.#queries.parse(search);
    const { version } = this.#registry.store;
    if (read.answer?.version === version) return read.answer.response;
    const list = this.#registry.list(read.query);
    const { body } = list;
    if (!(body instanceof Uint8Array)) {
      return { status: 200, headers: headersOf(read, list), body: '', source: body };
    }
    const isShort = body.length <= MAX_KEPT_BYTES;
    if (!list.kept && !isShort) {
      return { status: 200, headers: headersOf(read, list), body, borrowed: true };
    }
    const response = list.kept
      ? this.#ofKeptBody(body, read, list)
      : { status: 200, headers: headersOf(read, list), body: Buffer.from(body), lasting: {} };
    if (isShort) read.answer = { version, response };
    return response;
  }

  /** Nothing but times changes in a body while it is kept, so that all the rest of its answer stays. */
  #ofKeptBody(body: Uint8Array, read: ReadQuery, list: ListAnswer): HttpResponse {
    const known = this.#ofKept.get(body);
    if (known !== undefined) {
      known.lasting.copy = undefined;
      return known;
    }
    const response = { status: 200, headers: headersOf(read, list), body, borrowed: true, lasting: {} };
    this.#ofKept.set(body, response);
    return response;
  }
}

function headersOf({ nextPage }: ReadQuery, { cursor, next }: ListAnswer): Record<string, string> {
  const headers: Record<string, string> = { ...LIST_HEADERS, 'X-Discovery-Cursor': cursor };
  if (next !== null) headers['Link'] = `<${nextPage}${next}>; rel="next"`;
  return headers;
}
