import { setImmediate as nextTurn } from 'node:timers/promises';
import type * as Uws from 'uWebSockets.js';
import type { Admission } from '../admission.js';
import type {
  HttpRequest,
  HttpResponse,
  TransportHandler,
  TransportOptions,
  UpgradeDecision,
} from '../port.js';
import {
  addHeader,
  discard,
  FAILED,
  ignore,
  isBodiless,
  isHandshake,
  joinHead,
  NO_BODY,
  refuseHandshake,
  tooLong,
} from '../shared.js';
import { UwsBody } from './body.js';
import { UwsBodyStream } from './body-stream.js';
import { readPeer } from './peer.js';
import { UwsSocket } from './socket.js';

/** The HTTP side: receives requests, sends responses, and decides on handshakes. */
export class UwsHttp {
  readonly #options: TransportOptions;
  readonly #handler: TransportHandler;
  readonly #admission: Admission;

  constructor(options: TransportOptions, handler: TransportHandler, admission: Admission) {
    this.#options = options;
    this.#handler = handler;
    this.#admission = admission;
  }

  /** `context` is given if the library can upgrade: on the WebSocket path, with a key of the right length. */
  serve(res: Uws.HttpResponse, req: Uws.HttpRequest, context: Uws.us_socket_context_t | undefined): void {
    const request = new BorrowedRequest(res, req);
    if (request.path === this.#options.websocketPath && isHandshake(request)) {
      this.#upgrade(res, request, context);
    } else if (req.getHeader('content-length') !== '' || req.getHeader('transfer-encoding') !== '') {
      request.keep();
      this.#collect(res, request);
    } else if (!isRead(request.method) && request.headers.has('content-length')) {
      // An empty length, which the library takes for none and other programs interpret differently.
      res.close();
    } else {
      this.#respond(res, request, undefined);
    }
  }

  #collect(res: Uws.HttpResponse, request: BorrowedRequest): void {
    const limit = this.#options.maxBodyBytes;
    const declared = Number(request.headers.get('content-length') ?? 0);
    // Repeated, it has become a list. The library uses the first value and would serve whatever is hidden behind that body as the
    // next request, even after a refusal that closes; only cutting the connection prevents it.
    if (Number.isNaN(declared)) return void res.close();
    // The library treats every transfer coding as chunked.
    const encoding = request.headers.get('transfer-encoding') ?? 'chunked';
    if (encoding.toLowerCase() !== 'chunked') return void res.close();
    if (declared > limit) return this.#refuse(res, request, 413, tooLong(limit));

    const exchange = new Exchange(res, () => this.#heard(request));
    const chunks: Uint8Array[] = [];
    let size = 0;
    res.onData((chunk, last) => {
      size += chunk.byteLength;
      if (exchange.over) return;
      if (size > limit) {
        exchange.over = true;
        return this.#refuse(res, request, 413, tooLong(limit));
      }
      // A copy, because the library reuses the chunk's memory.
      chunks.push(new Uint8Array(chunk.slice(0)));
      if (!last) return;
      exchange.arrived();
      request.body = chunks.length === 1 ? (chunks[0] ?? NO_BODY) : Buffer.concat(chunks, size);
      this.#respond(res, request, exchange);
    });
  }

  /** Most responses are available synchronously; only the others cost a promise and an abort handler. */
  #respond(res: Uws.HttpResponse, request: BorrowedRequest, exchange: Exchange | undefined): void {
    this.#heard(request);
    let answer: HttpResponse | Promise<HttpResponse>;
    try {
      answer = this.#handler.request(request);
    } catch {
      answer = FAILED;
    }
    // After a response that closes the connection, the library still serves requests that it has read. A pending response prevents
    // that: the library then cuts a client that has sent more.
    if (!(answer instanceof Promise) && answer.close === true) answer = nextTurn(answer);
    if (answer instanceof Promise) {
      request.keep();
      request.exchange = exchange ?? new Exchange(res);
      request.exchange.later(
        answer,
        FAILED,
        (response) => write(res, request.method, response, response.close === true),
        discard,
      );
    } else {
      write(res, request.method, answer, answer.close === true);
    }
  }

  #refuse(res: Uws.HttpResponse, request: BorrowedRequest, status: 400 | 413, message: string): void {
    this.#heard(request);
    write(res, request.method, this.#handler.refuse(status, message), true);
  }

  /** Notes that the connection is no longer silent. */
  #heard(request: BorrowedRequest): void {
    if (!this.#admission.asksForAddresses) return;
    const client = this.#handler.clientOf(request.peerAddress);
    if (client !== null) this.#admission.heard(client);
  }

  #upgrade(
    res: Uws.HttpResponse,
    request: BorrowedRequest,
    context: Uws.us_socket_context_t | undefined,
  ): void {
    this.#heard(request);
    const refusal = refuseHandshake(request, this.#handler);
    const key = request.headers.get('sec-websocket-key');
    if (refusal !== undefined) return write(res, request.method, refusal, true);
    if (key === undefined || context === undefined) return write(res, request.method, FAILED, true);

    const decided = (decision: UpgradeDecision): void => {
      if (!decision.accept) return write(res, request.method, decision.response, true);
      const socket = new UwsSocket(request.peerAddress, decision.open);
      // The third and fourth header list what the client offers; the library takes the first, so only the choice is passed.
      res.upgrade({ socket }, key, decision.subprotocol, '', context);
    };
    request.keep();
    const failed: UpgradeDecision = { accept: false, response: FAILED };
    let decision: UpgradeDecision | Promise<UpgradeDecision>;
    try {
      decision = this.#handler.upgrade(request);
    } catch {
      decision = failed;
    }
    if (decision instanceof Promise) {
      new Exchange(res).later(decision, failed, decided, ignore);
    } else {
      decided(decision);
    }
  }
}

/** A request that is answered synchronously, as most are, so that its headers need not be copied. */
function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** A request that is answered after the callback that delivered it. */
class Exchange {
  /** Answered, or the client has gone: the response object must not be used any more. */
  over = false;
  readonly #res: Uws.HttpResponse;
  #isArriving: boolean;

  /** @param cutOff Called if the request ends before it has arrived completely; omitted if it has. */
  constructor(res: Uws.HttpResponse, cutOff?: () => void) {
    this.#res = res;
    this.#isArriving = cutOff !== undefined;
    res.onAborted(() => {
      this.over = true;
      if (this.#isArriving) cutOff?.();
    });
  }

  /** The request has arrived completely. */
  arrived(): void {
    this.#isArriving = false;
  }

  /** Calls `done` with the resolved value and the response corked, or `missed` if the client has gone by then. */
  later<T>(promise: Promise<T>, instead: T, done: (value: T) => void, missed: (value: T) => void): void {
    const settle = (value: T): void => {
      if (this.over) return missed(value);
      this.over = true;
      this.#res.cork(() => done(value));
    };
    promise.then(settle, () => settle(instead));
  }
}

/**
 * The library's request object is only valid during its callback. Copying headers and asking the operating system for the peer costs as much
 * as the rest of a short request, so both happen lazily.
 */
class BorrowedRequest implements HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly search: string;
  body: Uint8Array = NO_BODY;
  /** Set if it is answered after its callback. */
  exchange: Exchange | undefined;
  readonly #res: Uws.HttpResponse;
  readonly #req: Uws.HttpRequest;
  #headers: Map<string, string> | undefined;
  #peerAddress: string | undefined;

  constructor(res: Uws.HttpResponse, req: Uws.HttpRequest) {
    this.method = req.getCaseSensitiveMethod().toUpperCase();
    this.path = req.getUrl();
    // Undefined without a `?`, contrary to the types.
    this.search = req.getQuery() || '';
    this.#res = res;
    this.#req = req;
  }

  get headers(): Map<string, string> {
    return (this.#headers ??= readHeaders(this.#req));
  }

  get peerAddress(): string {
    return (this.#peerAddress ??= readPeer(this.#res));
  }

  get isGone(): boolean {
    return this.exchange?.over === true;
  }

  /** Copies whatever has not been read yet, for a request that outlives its callback. */
  keep(): void {
    this.#headers ??= readHeaders(this.#req);
    this.#peerAddress ??= readPeer(this.#res);
  }
}

/** `forEach` is synchronous, so only one map at a time is filled, and no closure per request is needed. */
let filling = new Map<string, string>();
const fill = (name: string, value: string): void => addHeader(filling, name, value);

function readHeaders(req: Uws.HttpRequest): Map<string, string> {
  filling = new Map();
  req.forEach(fill);
  return filling;
}

/** Writes the whole head in one call: calls into the library cost more than joining. */
function write(res: Uws.HttpResponse, method: string, response: HttpResponse, close: boolean): void {
  const head = joinHead(response);
  const { source, stream } = response;
  if (head === undefined) {
    discard(response);
    return write(res, method, FAILED, close);
  }
  res.writeStatus(head);
  if (isBodiless(response.status) || (stream !== undefined && method === 'HEAD')) {
    discard(response);
    res.endWithoutBody();
  } else if (stream !== undefined) {
    new UwsBodyStream(res).serve(stream);
  } else if (source !== undefined) {
    if (method !== 'HEAD') return new UwsBody(res, source).send();
    source.close();
    res.writeHeader('Content-Length', String(source.bytes)).endWithoutBody();
  } else if (method === 'HEAD') {
    if (close) res.writeHeader('Connection', 'close');
    // Not an argument of `endWithoutBody`: the library would then wait for a body that never comes.
    res.writeHeader('Content-Length', String(Buffer.byteLength(response.body))).endWithoutBody();
  } else {
    res.end(response.body, close);
  }
}
