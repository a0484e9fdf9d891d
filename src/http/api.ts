import { type Asker, UnwantedError } from '../lib/turns/work-queue.js';
import { type ErrorCode, ProtocolError } from '../protocol/errors.js';
import type { HttpRequest, HttpResponse, StreamedBody } from '../protocol/http-message.js';
import { WEBSOCKET_PATH } from '../protocol/limits.js';
import { canonicalProviderId } from '../protocol/provider-id.js';
import { PayloadError } from '../registry/write/payload.js';
import {
  type AdvertisementService,
  deleteAdvertisement,
  getAdvertisement,
  getProof,
  postAdvertisement,
} from './advertisements.js';
import { getExplanation, getMarket } from './answers.js';
import { getEvents, getHubEvents, type OpenReads } from './events.js';
import { type Documentation, wantsFrontPage } from './pages/documentation.js';
import { ListAnswers } from './list-answers.js';
import type { Metrics } from './metrics.js';
import { buildAsyncApi } from './descriptions/asyncapi.js';
import { buildOpenApi } from './descriptions/openapi.js';
import { type AnswerOptions, errorResponse, json, NO_SNIFFING, OPEN_TO_READERS } from './respond.js';

/** What the HTTP interface needs. */
export interface ApiOptions extends AdvertisementService {
  /** Why the hub is degraded; null if it is healthy. */
  problem: () => string | null;
  reads: OpenReads;
  /** Streams the hub's own state to a client address; null if the hub does not show it. */
  readVitals: ((address: string) => StreamedBody) | null;
  metrics: Metrics;
  documentation: Documentation;
  onError: (error: unknown) => void;
  /** A request was refused here. */
  onRefusal?: (code: ErrorCode, request: HttpRequest) => void;
}

type Answer = HttpResponse | Promise<HttpResponse>;
type Method = 'GET' | 'POST' | 'DELETE';
type Handler = (request: HttpRequest, providerId: string) => Answer;

interface Route {
  /** Its name in the metrics. */
  name: string;
  /** By method; GET answers HEAD too. */
  handlers: Readonly<Partial<Record<Method, Handler>>>;
}

const ITEM_PATH = /^\/api\/v1\/advertisements\/([^/]+)(\/proof)?$/;

/** The HTTP interface: a plain function from request to response. */
export class HttpApi {
  readonly #options: ApiOptions;
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #item: Route;
  readonly #proof: Route;

  constructor(options: ApiOptions) {
    this.#options = options;
    const { metrics, documentation } = options;
    const lists = new ListAnswers(options.registry, options.reads);
    // Few ask, and a start should not wait for them.
    let openApi: Buffer | undefined;
    let asyncApi: Buffer | undefined;
    this.#item = {
      name: 'advertisement',
      handlers: {
        GET: (_, providerId) => getAdvertisement(options, providerId),
        DELETE: (request, providerId) => deleteAdvertisement(options, request, providerId),
      },
    };
    this.#proof = { name: 'proof', handlers: { GET: (_, providerId) => getProof(options, providerId) } };
    const page = (answer: Handler): Route['handlers'] => ({ GET: answer });
    const asker = (request: HttpRequest): Asker => new Reader(request, options.originOf);
    this.#routes = new Map<string, Route>([
      [
        '/api/v1/advertisements',
        {
          name: 'advertisements',
          handlers: {
            GET: (request) => lists.answer(request.search, asker(request)),
            POST: (request) => postAdvertisement(options, request),
          },
        },
      ],
      [
        '/api/v1/explain',
        {
          name: 'explain',
          handlers: page((request) => getExplanation(options.registry, request.search, asker(request))),
        },
      ],
      [
        '/api/v1/market',
        {
          name: 'market',
          handlers: page((request) => getMarket(options.registry, request.search, asker(request))),
        },
      ],
      [
        '/api/v1/events',
        {
          name: 'events',
          handlers: page((request) => getEvents(options.reads, request, options.originOf)),
        },
      ],
      [
        '/api/v1/hub/events',
        {
          name: 'hub-events',
          handlers: page((request) => getHubEvents(options.readVitals, request, options.originOf)),
        },
      ],
      ['/health', { name: 'health', handlers: page(() => this.#health()) }],
      ['/metrics', { name: 'metrics', handlers: page(() => metrics.response()) }],
      [
        '/api/v1/openapi.json',
        {
          name: 'openapi',
          handlers: page(() =>
            json((openApi ??= Buffer.from(JSON.stringify(buildOpenApi()))), { headers: OPEN_TO_READERS }),
          ),
        },
      ],
      [
        '/api/v1/asyncapi.json',
        {
          name: 'asyncapi',
          handlers: page(() =>
            json((asyncApi ??= Buffer.from(JSON.stringify(buildAsyncApi()))), { headers: OPEN_TO_READERS }),
          ),
        },
      ],
      [WEBSOCKET_PATH, { name: 'websocket', handlers: page(() => this.#refusePlainHttp()) }],
      ...[...documentation].map(([path, answer]): [string, Route] => [
        path,
        { name: 'docs', handlers: page(answer) },
      ]),
    ]);
  }

  /** Handles a request. Never rejects. */
  handle(request: HttpRequest): Answer {
    const started = performance.now();
    let route = request.path === '/' && !wantsFrontPage(request) ? undefined : this.#routes.get(request.path);
    let providerId = '';
    try {
      if (route === undefined) {
        const match = ITEM_PATH.exec(request.path);
        if (match === null) throw unknownPath(request.path, this.#routes);
        route = match[2] === undefined ? this.#item : this.#proof;
        providerId = decodeId(match[1]!);
      }
      const answer = this.#answer(route, request, providerId);
      if (!(answer instanceof Promise)) return this.#observe(route, request, started, answer);
      const known = route;
      return answer.then(
        (response) => this.#observe(known, request, started, response),
        (error: unknown) => this.#observe(known, request, started, this.#failure(request, error)),
      );
    } catch (error) {
      return this.#observe(route, request, started, this.#failure(request, error));
    }
  }

  /** An error response, also for failures before a request gets here. */
  refuse(error: ProtocolError, options?: AnswerOptions): HttpResponse {
    this.#options.metrics.requestRefused(error.code);
    return errorResponse(error, this.#options.registry.clock.wall(), options);
  }

  #refuse(request: HttpRequest, error: ProtocolError, options?: AnswerOptions): HttpResponse {
    this.#options.onRefusal?.(error.code, request);
    return this.refuse(error, options);
  }

  #answer(route: Route, request: HttpRequest, providerId: string): Answer {
    const { method } = request;
    const wanted = method === 'HEAD' ? 'GET' : method;
    const handler = Object.hasOwn(route.handlers, wanted) ? route.handlers[wanted as Method] : undefined;
    if (handler !== undefined) {
      if (wanted === 'GET' && READS.has(route.name) && this.#options.registry.isStale) throw stale();
      return handler(request, providerId);
    }
    const methods = Object.keys(route.handlers);
    const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
    if (method === 'OPTIONS') return preflight(allow);
    const message = `${method.slice(0, 16)} is not allowed here; allowed are ${allow}`;
    return this.#refuse(request, new ProtocolError('HTTP_405', message), { headers: { Allow: allow } });
  }

  #failure(request: HttpRequest, error: unknown): HttpResponse {
    if (error instanceof UnwantedError) return NOBODY_WAITS;
    if (error instanceof ProtocolError) return this.#refuse(request, error);
    if (error instanceof PayloadError) {
      const code = error.problem === 'too-large' ? 'HTTP_413' : 'HTTP_400';
      return this.#refuse(request, new ProtocolError(code, error.message));
    }
    this.#options.onError(error);
    const message = 'the hub failed to answer this request; its operator will find the reason in the log';
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    return this.#refuse(request, new ProtocolError(isRead ? 'ADV_003' : 'ADV_001', message), { status: 500 });
  }

  #refusePlainHttp(): HttpResponse {
    const message = 'this is the WebSocket endpoint: connect with a WebSocket client, version 13';
    return this.refuse(new ProtocolError('HTTP_400', message), { headers: { Upgrade: 'websocket' } });
  }

  #health(): HttpResponse {
    const reason = this.#options.problem();
    return reason === null
      ? json({ status: 'healthy' }, { headers: OPEN_TO_READERS })
      : json({ status: 'degraded', reason }, { status: 503, headers: OPEN_TO_READERS });
  }

  #observe(
    route: Route | undefined,
    request: HttpRequest,
    started: number,
    response: HttpResponse,
  ): HttpResponse {
    this.#options.metrics.observeRequest(
      route?.name ?? 'unknown',
      request.method,
      response.status,
      (performance.now() - started) / 1000,
    );
    return response;
  }
}

/** The response counted if the client left before there was one. Nobody receives it. */
const NOBODY_WAITS: HttpResponse = { status: 499, headers: {}, body: '' };

/** The client waiting for the answer to a read. */
class Reader implements Asker {
  readonly #request: HttpRequest;
  readonly #originOf: (request: HttpRequest) => string;

  constructor(request: HttpRequest, originOf: (request: HttpRequest) => string) {
    this.#request = request;
    this.#originOf = originOf;
  }

  key(): string {
    return this.#originOf(this.#request);
  }

  get isGone(): boolean {
    return this.#request.isGone;
  }
}

function decodeId(encoded: string): string {
  try {
    return canonicalProviderId(decodeURIComponent(encoded));
  } catch {
    throw new ProtocolError('HTTP_400', 'the path has a broken percent-encoding');
  }
}

/** The routes that return data about providers. */
const READS = new Set(['advertisements', 'advertisement', 'proof', 'explain', 'market', 'events']);

function stale(): ProtocolError {
  return new ProtocolError(
    'ADV_003',
    'this hub has lost contact with the others, and its data is too old; ask another one, or try again soon',
    { unavailable: true, retryAfterSeconds: 5 },
  );
}

function unknownPath(path: string, routes: ReadonlyMap<string, Route>): ProtocolError {
  const known = [...routes].filter(([, { name }]) => name !== 'docs').map(([known]) => known);
  return new ProtocolError(
    'HTTP_404',
    `there is nothing at ${JSON.stringify(path.slice(0, 128))}; there is ${known.join(', ')} and /docs, which explains them`,
  );
}

/** A CORS preflight, which browsers send before unusual requests: only reads are open to pages. */
function preflight(allow: string): HttpResponse {
  return {
    status: 204,
    headers: {
      Allow: allow,
      'Access-Control-Allow-Origin': '*',
      'Access-Control-Allow-Methods': 'GET, HEAD, OPTIONS',
      'Access-Control-Allow-Headers': 'Content-Type',
      'Access-Control-Max-Age': '86400',
      ...NO_SNIFFING,
    },
    body: '',
  };
}
