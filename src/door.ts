import type { Config } from './config.js';
import type { Gateway } from './gateway/gateway.js';
import type {
  HttpRequest,
  HttpResponse,
  TransportHandler,
  UpgradeDecision,
} from './gateway/transports/port.js';
import type { HttpApi } from './http/api.js';
import { DASHBOARD_FILES } from './http/pages/dashboard.js';
import type { Metrics } from './http/metrics.js';
import { type ErrorCode, ProtocolError } from './protocol/errors.js';
import { readProviderId } from './protocol/provider-id.js';
import type { Clock } from './lib/clock.js';
import { RateLimiter } from './lib/limits/rate-limiter.js';
import { WindowLimiter } from './lib/limits/window-limiter.js';

const MINUTE_MS = 60_000;
/** How many requests over the limit an address may make before each further refusal closes its connection. */
const TOLERATED_REFUSALS = 20;
/** How many requests a minute for `/health` and `/metrics` an address may make before each answer closes its connection. */
const LOOKS_A_MINUTE = 600;
const ADVERTISEMENTS_PATH = '/api/v1/advertisements';
/** How many posts a minute that refresh a provider's advertisement do not count against its address. */
const FREE_REFRESHES = 12;

/** Requests per minute and address for pages and their files. They have their own limit, because a page loads several. */
const PAGE_REQUESTS = 1000;
const isPage = (path: string): boolean =>
  path === '/' ||
  path === '/docs' ||
  path.startsWith('/docs/') ||
  path.startsWith(DASHBOARD_FILES) ||
  path === '/client.js' ||
  path === '/client.d.ts';

/** What the door needs from the HTTP interface. */
type Api = Pick<HttpApi, 'handle' | 'refuse'>;

/** What the door needs from the journal. */
interface DoorJournal {
  readonly isAccessLogged: boolean;
  answered(request: HttpRequest, address: string, status: number, ms: number): void;
  refused(code: ErrorCode, address: string, claimed: string | null): void;
}

const NO_JOURNAL: DoorJournal = {
  isAccessLogged: false,
  answered: () => undefined,
  refused: () => undefined,
};

/** Receives every request from the transport, counts it by client address, and passes it on to HTTP or the gateway. */
export class Door implements TransportHandler {
  readonly #config: Config;
  readonly #gateway: Gateway;
  readonly #api: Api;
  readonly #metrics: Metrics;
  readonly #limiter: WindowLimiter;
  readonly #looks = new WindowLimiter(LOOKS_A_MINUTE, MINUTE_MS);
  readonly #pages = new WindowLimiter(PAGE_REQUESTS, MINUTE_MS);
  readonly #clock: Clock;
  readonly #journal: DoorJournal;
  readonly #isAdvertised: (providerId: string) => boolean;
  /** Posts for an existing advertisement, by provider and address. */
  readonly #refreshes: RateLimiter;
  /** Posts, by address, that did not turn out to be refreshes, or have not yet. */
  readonly #doubtful: RateLimiter;

  /** @param isAdvertised Whether a provider has an advertisement. */
  constructor(
    config: Config,
    gateway: Gateway,
    api: Api,
    metrics: Metrics,
    clock: Clock,
    isAdvertised: (providerId: string) => boolean,
    journal: DoorJournal = NO_JOURNAL,
  ) {
    this.#journal = journal;
    this.#config = config;
    this.#gateway = gateway;
    this.#api = api;
    this.#metrics = metrics;
    this.#limiter = new WindowLimiter(config.rateLimitPerMinute, MINUTE_MS);
    this.#clock = clock;
    this.#isAdvertised = isAdvertised;
    const now = (): number => clock.monotonic();
    this.#refreshes = new RateLimiter(FREE_REFRESHES, MINUTE_MS, now);
    this.#doubtful = new RateLimiter(config.rateLimitPerMinute, MINUTE_MS, now);
  }

  request(request: HttpRequest): HttpResponse | Promise<HttpResponse> {
    if (!this.#journal.isAccessLogged) return this.#request(request);
    const started = this.#clock.monotonic();
    const note = (response: HttpResponse): HttpResponse => {
      this.#noteAnswer(request, response.status, started);
      return response;
    };
    const answer = this.#request(request);
    return answer instanceof Promise ? answer.then(note) : note(answer);
  }

  #noteAnswer(request: HttpRequest, status: number, started: number): void {
    const address = this.#config.clientAddress.ofRequest(request);
    this.#journal.answered(request, address, status, this.#clock.monotonic() - started);
  }

  #request(request: HttpRequest): HttpResponse | Promise<HttpResponse> {
    if (this.#limiter.off) return this.#answer(request);
    if (request.path === '/health' || request.path === '/metrics') return this.#look(request);
    if (isPage(request.path)) return this.#limit(request, 'request', this.#pages) ?? this.#answer(request);
    const providerId = this.#refreshedBy(request);
    return providerId === null ? this.#handleLimited(request) : this.#handleRefresh(request, providerId);
  }

  upgrade(request: HttpRequest): UpgradeDecision {
    const started = this.#clock.monotonic();
    const refusal = this.#limiter.off ? null : this.#limit(request, 'handshake');
    const decision: UpgradeDecision =
      refusal === null ? this.#decide(request) : { accept: false, response: refusal };
    if (this.#journal.isAccessLogged) {
      this.#noteAnswer(request, decision.accept ? 101 : decision.response.status, started);
    }
    return decision;
  }

  clientOf(peerAddress: string): string | null {
    return this.#config.clientAddress.ofPeer(peerAddress);
  }

  refuse(status: 400 | 413, message: string): HttpResponse {
    return this.#api.refuse(new ProtocolError(status === 413 ? 'HTTP_413' : 'HTTP_400', message));
  }

  #answer(request: HttpRequest): HttpResponse | Promise<HttpResponse> {
    const answer = this.#api.handle(request);
    return answer instanceof Promise
      ? answer.then((response) => this.#admit(request, response))
      : this.#admit(request, answer);
  }

  /** Always answers, but closes the connection of clients that never stop asking. */
  #look(request: HttpRequest): HttpResponse | Promise<HttpResponse> {
    const address = this.#config.clientAddress.ofRequest(request);
    const isRare = this.#looks.spend(address, this.#clock.monotonic()) === 0;
    const answer = this.#answer(request);
    if (isRare) return answer;
    return answer instanceof Promise ? answer.then(ending) : ending(answer);
  }

  #handleLimited(request: HttpRequest): HttpResponse | Promise<HttpResponse> {
    return this.#limit(request, 'request') ?? this.#answer(request);
  }

  /** The provider that a post claims to come from, if it has an advertisement; null for other requests. */
  #refreshedBy({ method, path, headers }: HttpRequest): string | null {
    if (method !== 'POST' || path !== ADVERTISEMENTS_PATH) return null;
    const provider = readProviderId(headers.get('x-provider-id') ?? '');
    return provider !== null && this.#isAdvertised(provider.id) ? provider.id : null;
  }

  /**
   * Handles a post that may refresh an advertisement, so that a provider does not lose its advertisement because others have
   * used up their shared address's requests. Posts that turn out not to be refreshes do count, and only a few per address may be in
   * flight at a time, so that naming somebody else's advertisement does not bypass the limit.
   */
  async #handleRefresh(request: HttpRequest, providerId: string): Promise<HttpResponse> {
    const address = this.#config.clientAddress.ofRequest(request);
    const isFree =
      (await this.#refreshes.spend(`${providerId} ${address}`)) === 0 &&
      (await this.#doubtful.spend(address)) === 0;
    if (!isFree) return this.#handleLimited(request);
    const response = await this.#answer(request);
    if (response.status === 200) await this.#doubtful.reward(address);
    else this.#limiter.spend(address, this.#clock.monotonic());
    return response;
  }

  #decide(request: HttpRequest): UpgradeDecision {
    try {
      const { clientAddress } = this.#config;
      return this.#gateway.upgrade(request, clientAddress.ofRequest(request), clientAddress.exactly(request));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return { accept: false, response: this.#refuse(request, error) };
    }
  }

  /** A body that is read in parts occupies one of its address's places; a streamed one also counts as a connection. */
  #admit(request: HttpRequest, response: HttpResponse): HttpResponse {
    const { stream, source } = response;
    if (stream === undefined && source === undefined) return response;
    try {
      const address = this.#config.clientAddress.ofRequest(request);
      return stream === undefined
        ? { ...response, source: this.#gateway.longBodies.admit(source!, address) }
        : { ...response, stream: this.#gateway.readers.admit(stream, address) };
    } catch (error) {
      (stream ?? source)!.close();
      if (!(error instanceof ProtocolError)) throw error;
      return this.#refuse(request, error);
    }
  }

  #refuse(request: HttpRequest, error: ProtocolError): HttpResponse {
    const address = this.#config.clientAddress.ofRequest(request);
    this.#journal.refused(error.code, address, request.headers.get('x-provider-id') ?? null);
    return this.#api.refuse(error);
  }

  /** The refusal of a request over the limit; null if it may proceed. */
  #limit(
    request: HttpRequest,
    kind: 'request' | 'handshake',
    limiter: WindowLimiter = this.#limiter,
  ): HttpResponse | null {
    const address = this.#config.clientAddress.ofRequest(request);
    const wait = limiter.spend(address, this.#clock.monotonic());
    if (wait === 0) return null;
    this.#metrics.rateLimited(kind);
    const limit = String(limiter === this.#pages ? PAGE_REQUESTS : this.#config.rateLimitPerMinute);
    const refusal = this.#refuse(
      request,
      new ProtocolError(
        'RATE_001',
        `more than ${limit} requests a minute from ${address}; try again in ${String(wait)} s`,
        { retryAfterSeconds: wait },
      ),
    );
    // Refusals cost work, too: a client that does not stop has to reconnect for each.
    return limiter.excess(address) > TOLERATED_REFUSALS ? ending(refusal) : refusal;
  }
}

/** The same response, after which the connection closes. */
function ending(response: HttpResponse): HttpResponse {
  return { ...response, close: true };
}
