import { createServer } from 'node:net';
import type * as Uws from 'uWebSockets.js';
import type {
  HttpRequest,
  HttpResponse,
  SendResult,
  Socket,
  SocketHandler,
  StartTransport,
  TransportHandler,
  TransportOptions,
  UpgradeDecision,
} from '../port.js';
import {
  addHeader,
  CLOSE_TIMEOUT_MS,
  FAILED,
  fittingReason,
  isBodiless,
  isHandshake,
  listenError,
  MAX_BUFFERED_BYTES,
  MAX_HEADER_BYTES,
  NO_BODY,
  OVERSIZE_FACTOR,
  plainAddress,
  refuseHandshake,
  joinHead,
  tooLong,
} from './shared.js';

type WebSocket = Uws.WebSocket<{ socket: UwsSocket }>;

/** The library takes these four together; its types only know the shorter forms. */
interface ListensExclusively {
  listen(
    host: string,
    port: number,
    options: number,
    done: (socket: Uws.us_listen_socket | false) => void,
  ): void;
}

/** Without it the system would let two hubs share a port and split the clients between them. */
const EXCLUSIVE_PORT = 1;

/** What `send` returns, by the library's number. */
const SEND_RESULTS: readonly SendResult[] = ['queued', 'sent', 'dropped'];

/** Pings in a row that a peer may send without reading the answers; `ws` has the same bound. */
const MAX_UNREAD_PONGS = 60;

/** Loads the library; rejects where there is no binary for this platform and this version of Node. */
export function loadUws(): Promise<typeof Uws> {
  // Read once, while the binary loads. The default of 4 KiB is less than a query may have.
  process.env['UWS_HTTP_MAX_HEADERS_SIZE'] ??= String(MAX_HEADER_BYTES);
  return import('uWebSockets.js');
}

/**
 * HTTP and WebSocket on uWebSockets.js. For TLS, `App` becomes `SSLApp` with its options; nothing else changes.
 *
 * What the library decides by itself: it cuts idle HTTP connections and slow bodies after 10 s; it answers
 * broken requests with a page of its own or not at all, and speaks no HTTP/1.0; it cuts the connection when a
 * pipelined request arrives before a deferred answer; it cuts (1006) a WebSocket that sends invalid UTF-8.
 */
export const startUws: StartTransport = async (address, options, handler) => {
  const uws = await loadUws();
  const app = uws.App();
  const gateway = new Gateway(options, handler);

  app.ws<{ socket: UwsSocket }>(options.websocketPath, {
    maxPayloadLength: OVERSIZE_FACTOR * options.maxMessageBytes,
    maxBackpressure: MAX_BUFFERED_BYTES,
    closeOnBackpressureLimit: false,
    // The hub pings, and decides who is dead.
    idleTimeout: 0,
    maxLifetime: 0,
    sendPingsAutomatically: false,
    upgrade: (res, req, context) => gateway.serve(res, req, context),
    open: (ws) => ws.getUserData().socket.opened(ws),
    message: (ws, message, binary) => ws.getUserData().socket.received(message, binary),
    ping: (ws) => ws.getUserData().socket.pinged(),
    pong: (ws) => ws.getUserData().socket.ponged(),
    drain: (ws) => ws.getUserData().socket.drained(),
    close: (ws, code) => ws.getUserData().socket.closed(code),
  });
  app.any('/*', (res, req) => gateway.serve(res, req, undefined));

  let listener = await new Promise<Uws.us_listen_socket | false>((resolve) => {
    (app as Uws.TemplatedApp & ListensExclusively).listen(
      address.host,
      address.port,
      EXCLUSIVE_PORT,
      resolve,
    );
  });
  if (listener === false) throw listenError(address, await whyNot(address));

  return {
    name: 'uws',
    port: uws.us_socket_local_port(listener),
    stopListening: () => {
      if (listener !== false) uws.us_listen_socket_close(listener);
      listener = false;
    },
    close: async () => {
      listener = false;
      app.close();
    },
  };
};

/** The library only says that it could not listen; `node:net` says why. */
function whyNot({ host, port }: { host: string; port: number }): Promise<unknown> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', resolve);
    probe.listen({ host, port, exclusive: true }, () => {
      probe.close(() =>
        resolve('the system refused it, and did not say why. Try again, or choose another port.'),
      );
    });
  });
}

/** The HTTP side: requests in, responses out, handshakes decided. */
class Gateway {
  readonly #options: TransportOptions;
  readonly #handler: TransportHandler;

  constructor(options: TransportOptions, handler: TransportHandler) {
    this.#options = options;
    this.#handler = handler;
  }

  /** `context` is there when the library can upgrade: on the WebSocket path, with a key of the right length. */
  serve(res: Uws.HttpResponse, req: Uws.HttpRequest, context: Uws.us_socket_context_t | undefined): void {
    const request = new BorrowedRequest(res, req);
    if (request.path === this.#options.websocketPath && isHandshake(request)) {
      this.#upgrade(res, request, context);
    } else if (req.getHeader('content-length') !== '' || req.getHeader('transfer-encoding') !== '') {
      request.keep();
      this.#collect(res, request);
    } else {
      this.#respond(res, request, undefined);
    }
  }

  #collect(res: Uws.HttpResponse, request: BorrowedRequest): void {
    const limit = this.#options.maxBodyBytes;
    const declared = Number(request.headers.get('content-length') ?? 0);
    // Given twice, it has become a list. The library would believe the first one.
    if (Number.isNaN(declared)) return this.#refuse(res, request, 400, 'Content-Length must be one number.');
    if (declared > limit) return this.#refuse(res, request, 413, tooLong(limit));

    const exchange = new Exchange(res);
    const chunks: Uint8Array[] = [];
    let size = 0;
    res.onData((chunk, last) => {
      size += chunk.byteLength;
      if (exchange.over) return;
      if (size > limit) {
        exchange.over = true;
        return this.#refuse(res, request, 413, tooLong(limit));
      }
      // A copy: the library takes the chunk's memory back.
      chunks.push(new Uint8Array(chunk.slice(0)));
      if (!last) return;
      request.body = chunks.length === 1 ? (chunks[0] ?? NO_BODY) : Buffer.concat(chunks, size);
      this.#respond(res, request, exchange);
    });
  }

  /** Most answers are there at once; only one that is not costs a promise and an abort handler. */
  #respond(res: Uws.HttpResponse, request: BorrowedRequest, exchange: Exchange | undefined): void {
    let answer: HttpResponse | Promise<HttpResponse>;
    try {
      answer = this.#handler.request(request);
    } catch {
      answer = FAILED;
    }
    if (answer instanceof Promise) {
      request.keep();
      (exchange ?? new Exchange(res)).later(answer, FAILED, (response) =>
        write(res, request.method, response, false),
      );
    } else {
      write(res, request.method, answer, false);
    }
  }

  #refuse(res: Uws.HttpResponse, request: BorrowedRequest, status: 400 | 413, message: string): void {
    write(res, request.method, this.#handler.refuse(status, message), true);
  }

  #upgrade(
    res: Uws.HttpResponse,
    request: BorrowedRequest,
    context: Uws.us_socket_context_t | undefined,
  ): void {
    const refusal = refuseHandshake(request, this.#handler);
    const key = request.headers.get('sec-websocket-key');
    if (refusal !== undefined) return write(res, request.method, refusal, true);
    if (key === undefined || context === undefined) return write(res, request.method, FAILED, true);

    const decided = (decision: UpgradeDecision): void => {
      if (!decision.accept) return write(res, request.method, decision.response, true);
      const socket = new UwsSocket(request.peerAddress, decision.open);
      // The third and fourth are what the client offers, of which the library takes the first: here the choice.
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
      new Exchange(res).later(decision, failed, decided);
    } else {
      decided(decision);
    }
  }
}

/** A request that is not answered within the callback that brought it. */
class Exchange {
  /** Answered, or the client is gone: the response object must not be touched any more. */
  over = false;
  readonly #res: Uws.HttpResponse;

  constructor(res: Uws.HttpResponse) {
    this.#res = res;
    res.onAborted(() => {
      this.over = true;
    });
  }

  /** Calls `done` with what was promised, with the response corked, unless the client is gone by then. */
  later<T>(promise: Promise<T>, instead: T, done: (value: T) => void): void {
    const settle = (value: T): void => {
      if (this.over) return;
      this.over = true;
      this.#res.cork(() => done(value));
    };
    promise.then(settle, () => settle(instead));
  }
}

/**
 * The library's request ends with the callback that brings it. Copying its headers and asking the system for the
 * peer costs as much as all the rest of a short request, so that is done only when the hub asks for them.
 */
class BorrowedRequest implements HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly search: string;
  body: Uint8Array = NO_BODY;
  readonly #res: Uws.HttpResponse;
  readonly #req: Uws.HttpRequest;
  #headers: Map<string, string> | undefined;
  #peerAddress: string | undefined;

  constructor(res: Uws.HttpResponse, req: Uws.HttpRequest) {
    this.method = req.getCaseSensitiveMethod().toUpperCase();
    this.path = req.getUrl();
    this.search = (req.getQuery() as string | undefined) ?? '';
    this.#res = res;
    this.#req = req;
  }

  get headers(): Map<string, string> {
    return (this.#headers ??= readHeaders(this.#req));
  }

  get peerAddress(): string {
    return (this.#peerAddress ??= readPeer(this.#res));
  }

  /** Copies what has not been asked for yet, for a request that is to outlive its callback. */
  keep(): void {
    void this.headers;
    void this.peerAddress;
  }
}

/** `forEach` is synchronous, so one map at a time is being filled, and no closure per request is needed. */
let filling = new Map<string, string>();
const fill = (name: string, value: string): void => addHeader(filling, name, value);

function readHeaders(req: Uws.HttpRequest): Map<string, string> {
  filling = new Map();
  req.forEach(fill);
  return filling;
}

/** Texts of addresses seen lately, by their bytes: the library has nowhere to keep one with a connection. */
const peers = new Map<string, string>();

function readPeer(res: Uws.HttpResponse): string {
  const bytes = Buffer.from(res.getRemoteAddress()).toString('latin1');
  let text = peers.get(bytes);
  if (text === undefined) {
    if (peers.size >= 4096) peers.clear();
    text = plainAddress(Buffer.from(res.getRemoteAddressAsText()).toString('latin1'));
    peers.set(bytes, text);
  }
  return text;
}

/** One call for the whole head, instead of one for each header: going into the library costs more than joining. */
function write(res: Uws.HttpResponse, method: string, response: HttpResponse, close: boolean): void {
  const head = joinHead(response);
  if (head === undefined) return write(res, method, FAILED, close);
  res.writeStatus(head);
  if (isBodiless(response.status)) {
    res.endWithoutBody();
  } else if (method === 'HEAD') {
    if (close) res.writeHeader('Connection', 'close');
    // Not as an argument of `endWithoutBody`: the library would then wait for a body that never comes.
    res.writeHeader('Content-Length', String(Buffer.byteLength(response.body))).endWithoutBody();
  } else {
    res.end(response.body, close);
  }
}

/** The library's object throws once its connection is closed, so it is let go the moment that happens. */
class UwsSocket implements Socket {
  readonly peerAddress: string;
  readonly #open: (socket: Socket) => SocketHandler;
  #ws: WebSocket | undefined;
  #handler: SocketHandler | undefined;
  /** Set when a close frame still has to wait for what is queued before it. */
  #closing: { code: number; reason: string; timer: NodeJS.Timeout } | undefined;
  #awaitsDrain = false;
  #unreadPongs = 0;

  constructor(peerAddress: string, open: (socket: Socket) => SocketHandler) {
    this.peerAddress = peerAddress;
    this.#open = open;
  }

  get bufferedAmount(): number {
    return this.#ws?.getBufferedAmount() ?? 0;
  }

  send(bytes: Uint8Array, binary: boolean): SendResult {
    if (this.#ws === undefined || this.#closing !== undefined) return 'dropped';
    const result = SEND_RESULTS[this.#ws.send(bytes, binary)] ?? 'dropped';
    if (result === 'queued') this.#awaitsDrain = true;
    return result;
  }

  ping(): void {
    if (this.#closing === undefined) this.#ws?.ping();
  }

  /**
   * The library's own `end` lets go of the connection at once. A peer that never takes what is queued would then
   * keep it forever, out of reach; so `end` is only called once nothing is queued. From there on the library cuts
   * a peer that does not answer the close frame within 4 to 8 s.
   */
  close(code: number, reason: string): void {
    if (this.#ws === undefined || this.#closing !== undefined) return;
    if (this.#ws.getBufferedAmount() === 0) {
      this.#ws.end(code, fittingReason(reason));
    } else {
      const timer = setTimeout(() => this.terminate(), CLOSE_TIMEOUT_MS).unref();
      this.#closing = { code, reason, timer };
    }
  }

  terminate(): void {
    this.#ws?.close();
  }

  opened(ws: WebSocket): void {
    this.#ws = ws;
    this.#handler = this.#open(this);
  }

  received(message: ArrayBuffer, binary: boolean): void {
    if (this.#closing === undefined) this.#handler?.message(new Uint8Array(message), binary);
  }

  pinged(): void {
    // The library has answered already. Answers that are not read pile up, and would up to the last resort.
    this.#unreadPongs = this.bufferedAmount === 0 ? 0 : this.#unreadPongs + 1;
    if (this.#unreadPongs > MAX_UNREAD_PONGS) this.terminate();
    else this.ponged();
  }

  ponged(): void {
    if (this.#closing === undefined) this.#handler?.alive();
  }

  /**
   * Acts only after the library's callback: a frame of 16 KiB or more that is sent from within and does not fit
   * would never be continued, because the library stops watching for room when the callback returns.
   */
  drained(): void {
    if (this.#awaitsDrain || this.#closing !== undefined) setImmediate(() => this.#continue());
  }

  #continue(): void {
    if (this.#ws === undefined || this.#ws.getBufferedAmount() > 0) return;
    if (this.#closing !== undefined) {
      this.#ws.end(this.#closing.code, fittingReason(this.#closing.reason));
    } else if (this.#awaitsDrain) {
      this.#awaitsDrain = false;
      this.#handler?.drain();
    }
  }

  /** The library calls this from within `end` and `close`; the hub hears of it right after its own call. */
  closed(code: number): void {
    this.#ws = undefined;
    clearTimeout(this.#closing?.timer);
    const reported = this.#closing?.code ?? code;
    queueMicrotask(() => this.#handler?.closed(reported));
  }
}
