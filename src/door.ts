import type { Config } from './config.js';
import type { Gateway } from './gateway/gateway.js';
import type { HttpRequest, HttpResponse, TransportHandler, UpgradeDecision } from './gateway/port.js';
import type { HttpApi } from './http/api.js';
import type { Metrics } from './http/metrics.js';
import { ProtocolError } from './protocol/errors.js';
import type { Clock } from './lib/clock.js';
import { WindowLimiter } from './lib/window-limiter.js';

const MINUTE_MS = 60_000;

/** What the door needs of the HTTP interface. */
type Api = Pick<HttpApi, 'handle' | 'refuse'>;

/** What a transport knocks at: counts requests by client address, and passes them on to HTTP or the gateway. */
export class Door implements TransportHandler {
  readonly #config: Config;
  readonly #gateway: Gateway;
  readonly #api: Api;
  readonly #metrics: Metrics;
  readonly #limiter: WindowLimiter;
  readonly #clock: Clock;

  constructor(config: Config, gateway: Gateway, api: Api, metrics: Metrics, clock: Clock) {
    this.#config = config;
    this.#gateway = gateway;
    this.#api = api;
    this.#metrics = metrics;
    this.#limiter = new WindowLimiter(config.rateLimitPerMinute, MINUTE_MS);
    this.#clock = clock;
  }

  request(request: HttpRequest): HttpResponse | Promise<HttpResponse> {
    if (!this.#limiter.off && request.path !== '/health' && request.path !== '/metrics') {
      const refusal = this.#limit(request, 'request');
      if (refusal !== null) return refusal;
    }
    const answer = this.#api.handle(request);
    return answer instanceof Promise
      ? answer.then((response) => this.#admit(request, response))
      : this.#admit(request, answer);
  }

  upgrade(request: HttpRequest): UpgradeDecision {
    const refusal = this.#limiter.off ? null : this.#limit(request, 'handshake');
    return refusal === null ? this.#decide(request) : { accept: false, response: refusal };
  }

  refuse(status: 400 | 413, message: string): HttpResponse {
    return this.#api.refuse(new ProtocolError(status === 413 ? 'HTTP_413' : 'HTTP_400', message));
  }

  #decide(request: HttpRequest): UpgradeDecision {
    try {
      return this.#gateway.upgrade(request, this.#config.clientAddress.ofRequest(request));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return { accept: false, response: this.#api.refuse(error) };
    }
  }

  /** A streamed body takes a connection for as long as it is read, so its reader is admitted as one. */
  #admit(request: HttpRequest, response: HttpResponse): HttpResponse {
    const { stream } = response;
    if (stream === undefined) return response;
    try {
      const address = this.#config.clientAddress.ofRequest(request);
      return { ...response, stream: this.#gateway.readers.admit(stream, address) };
    } catch (error) {
      stream.close();
      if (!(error instanceof ProtocolError)) throw error;
      return this.#api.refuse(error);
    }
  }

  /** The refusal of a request over the limit; null when it may go on. */
  #limit(request: HttpRequest, kind: 'request' | 'handshake'): HttpResponse | null {
    const address = this.#config.clientAddress.ofRequest(request);
    const wait = this.#limiter.spend(address, this.#clock.monotonic());
    if (wait === 0) return null;
    this.#metrics.rateLimited(kind);
    const limit = String(this.#config.rateLimitPerMinute);
    return this.#api.refuse(
      new ProtocolError(
        'RATE_001',
        `more than ${limit} requests a minute from ${address}; try again in ${String(wait)} s`,
        { retryAfterSeconds: wait },
      ),
    );
  }
}
