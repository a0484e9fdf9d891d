import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { WebSocketServer, type WebSocket } from 'ws';
import type { BodySource } from '../../../protocol/http-message.js';
import type { Admission } from '../admission.js';
import type { HttpRequest, HttpResponse, TransportHandler, TransportOptions } from '../port.js';
import { NodeBodyStream } from './body-stream.js';
import { NodeSocket } from './socket.js';
import {
  addHeader,
  CLOSE_TIMEOUT_MS,
  discard,
  FAILED,
  isBodiless,
  isHandshake,
  joinHead,
  MAX_HEADER_BYTES,
  NO_BODY,
  OVERSIZE_BYTES,
  PATIENCE_MS,
  plainAddress,
  refuseHandshake,
  tooLong,
} from '../shared.js';

/** The HTTP side: receives requests, sends responses, and decides on handshakes. */
export class NodeHttp {
  /** The open WebSockets. */
  readonly open = new Set<WebSocket>();
  readonly #options: TransportOptions;
  readonly #handler: TransportHandler;
  readonly #admission: Admission;
  readonly #serveAgain: (connection: Duplex) => void;
  readonly #handshakes: WebSocketServer;
  /** The latest response on each connection; node:http marks it as destroyed when done with it. */
  readonly #answers = new WeakMap<Duplex, ServerResponse>();
  /** Connections that close after a response. */
  readonly #ending = new WeakSet<Duplex>();
  /** Set while `ws` completes a handshake, for its callback. */
  #subprotocol = '';

  constructor(
    options: TransportOptions,
    handler: TransportHandler,
    admission: Admission,
    serveAgain: (connection: Duplex) => void,
  ) {
    this.#options = options;
    this.#handler = handler;
    this.#admission = admission;
    this.#serveAgain = serveAgain;
    const settings = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: options.maxMessageBytes + OVERSIZE_BYTES,
      // The hub itself decides about invalid UTF-8.
      skipUTF8Validation: true,
      // Missing in the types of `ws`, hence the named object.
      closeTimeout: CLOSE_TIMEOUT_MS,
      handleProtocols: () => this.#subprotocol || false,
    } as const;
    this.#handshakes = new WebSocketServer(settings);
    this.#handshakes.on('wsClientError', (error, connection) => {
      hangUp(connection, handler.refuse(400, `${error.message}.`));
    });
  }

  serve(req: IncomingMessage, res: ServerResponse, awaitsContinue: boolean): void {
    // Otherwise the parser would deliver further requests that were read together with one that closed the connection.
    if (this.#ending.has(req.socket)) return;
    this.#answers.set(req.socket, res);
    const request = new NodeRequest(req);
    const limit = this.#options.maxBodyBytes;
    if (!request.hasBody) return this.#respond(res, request);
    if (Number(request.headers.get('content-length') ?? 0) > limit) return this.#refuse(res, request);

    if (awaitsContinue) res.writeContinue();
    const chunks: Buffer[] = [];
    let size = 0;
    let refused = false;
    req.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) {
        chunks.push(chunk);
      } else if (!refused) {
        refused = true;
        this.#refuse(res, request);
      }
    });
    req.on('end', () => {
      if (refused) return;
      request.body = chunks.length === 1 ? (chunks[0] ?? NO_BODY) : Buffer.concat(chunks, size);
      this.#respond(res, request);
    });
  }

  #respond(res: ServerResponse, request: HttpRequest): void {
    this.#heard(request);
    attempt(
      () => this.#handler.request(request),
      (response = FAILED) => {
        if (response.close === true) this.#ending.add(res.req.socket);
        write(res, request.method, response);
      },
    );
  }

  #refuse(res: ServerResponse, request: HttpRequest): void {
    this.#heard(request);
    const refusal = this.#handler.refuse(413, tooLong(this.#options.maxBodyBytes));
    this.#ending.add(res.req.socket);
    write(res, request.method, { ...refusal, close: true });
  }

  /** Notes that the connection is no longer silent. */
  #heard(request: HttpRequest): void {
    if (!this.#admission.asksForAddresses) return;
    const client = this.#handler.clientOf(request.peerAddress);
    if (client !== null) this.#admission.heard(client);
  }

  /** Handles input that is not HTTP, or too slow. */
  broken(connection: Duplex, error: NodeJS.ErrnoException | undefined): void {
    if (!connection.writable || error?.code === 'ECONNRESET') {
      connection.destroy();
    } else {
      hangUp(connection, this.#handler.refuse(400, fault(error)));
    }
  }

  upgrade(req: IncomingMessage, connection: Duplex, head: Buffer): void {
    // Pipelined behind a request whose response is pending: a response written now would overtake that one.
    if (this.#answers.get(connection)?.destroyed === false) return void connection.destroy();
    const request = new NodeRequest(req);
    if (request.path !== this.#options.websocketPath || !isHandshake(request)) {
      return this.#serveAsPlain(req, connection, head);
    }
    this.#heard(request);
    const refusal = refuseHandshake(request, this.#handler);
    if (refusal !== undefined) return hangUp(connection, refusal);
    attempt(
      () => this.#handler.upgrade(request),
      (decision) => {
        if (decision?.accept !== true) return hangUp(connection, decision?.response ?? FAILED);
        this.#subprotocol = decision.subprotocol;
        this.#handshakes.handleUpgrade(req, connection, head, (ws) => {
          this.open.add(ws);
          ws.once('close', () => this.open.delete(ws));
          const socket = new NodeSocket(ws, request.peerAddress);
          socket.serve(decision.open(socket));
        });
      },
    );
  }

  /**
   * node:http delivers every request with an Upgrade header unparsed, including its body, e.g. from a client that offers HTTP/2. This
   * removes the header and parses the request again, as a plain one.
   */
  #serveAsPlain(req: IncomingMessage, connection: Duplex, head: Buffer): void {
    let lines = `${req.method} ${req.url} HTTP/${req.httpVersion}\r\n`;
    eachHeader(req, (name, value) => {
      if (name !== 'upgrade') lines += `${name}: ${value}\r\n`;
    });
    connection.unshift(Buffer.concat([Buffer.from(`${lines}\r\n`, 'latin1'), head]));
    this.#serveAgain(connection);
  }
}

function eachHeader({ rawHeaders }: IncomingMessage, use: (name: string, value: string) => void): void {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    use((rawHeaders[i] ?? '').toLowerCase(), rawHeaders[i + 1] ?? '');
  }
}

/** Headers and peer are read lazily: most requests are answered without either. */
class NodeRequest implements HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly search: string;
  body: Uint8Array = NO_BODY;
  readonly #req: IncomingMessage;
  readonly #peer: string | undefined;
  #headers: Map<string, string> | undefined;

  constructor(req: IncomingMessage) {
    this.#req = req;
    this.#peer = req.socket.remoteAddress;
    this.method = req.method ?? '';
    // A target may also be an absolute URL, as sent to a proxy.
    const target = (req.url ?? '').replace(/^https?:\/\/[^/?]*\/?/i, '/');
    const query = target.indexOf('?');
    this.path = query === -1 ? target : target.slice(0, query);
    this.search = query === -1 ? '' : target.slice(query + 1);
  }

  get headers(): Map<string, string> {
    if (this.#headers === undefined) {
      const headers = new Map<string, string>();
      eachHeader(this.#req, (name, value) => addHeader(headers, name, value));
      this.#headers = headers;
    }
    return this.#headers;
  }

  get peerAddress(): string {
    return plainAddress(this.#peer ?? '');
  }

  get isGone(): boolean {
    return this.#req.socket.destroyed;
  }

  /** Whether a body follows, even an empty one. */
  get hasBody(): boolean {
    const { rawHeaders } = this.#req;
    for (let at = 0; at < rawHeaders.length; at += 2) {
      if (/^(?:content-length|transfer-encoding)$/i.test(rawHeaders[at] ?? '')) return true;
    }
    return false;
  }
}

/** Passes on what `call` returns or resolves to; undefined if it throws in spite of its contract. */
function attempt<T>(call: () => T | Promise<T>, done: (value: T | undefined) => void): void {
  let result: T | Promise<T> | undefined;
  try {
    result = call();
  } catch {
    result = undefined;
  }
  if (result instanceof Promise) {
    result.then(done, () => done(undefined));
  } else {
    done(result);
  }
}

function write(res: ServerResponse, method: string, response: HttpResponse): void {
  // The client has gone.
  if (res.destroyed) return discard(response);
  let sound = response;
  try {
    res.writeHead(sound.status, headersOf(sound));
  } catch {
    // A header contains a line break.
    discard(response);
    sound = FAILED;
    res.writeHead(sound.status, headersOf(sound));
  }
  const { source, stream } = sound;
  if (method === 'HEAD' || isBodiless(sound.status)) {
    discard(sound);
    res.end();
  } else if (stream !== undefined) {
    new NodeBodyStream(res).serve(stream);
  } else if (source !== undefined) {
    void pipe(source, res);
  } else {
    res.end(sound.body);
  }
}

/** Headers as a flat list of names and values, which node:http processes faster than an object. */
function headersOf({ status, headers, body, close, source, stream }: HttpResponse): string[] {
  const list: string[] = close === true ? ['Connection', 'close'] : [];
  for (const name in headers) list.push(name, headers[name] ?? '');
  if (stream === undefined && !isBodiless(status)) {
    list.push('Content-Length', String(source?.bytes ?? Buffer.byteLength(body)));
  }
  return list;
}

/** Sends part by part, with backpressure, and yields to others in between. */
async function pipe(source: BodySource, res: ServerResponse): Promise<void> {
  res.setTimeout(PATIENCE_MS, () => res.destroy());
  source.begin?.(() => void res.destroy());
  try {
    await pipeline(Readable.from(partsOf(source), { highWaterMark: 1 }), res);
  } catch {
    // The peer has gone, or the rest cannot be produced; the connection is already cut.
  } finally {
    source.close();
    res.setTimeout(0);
  }
}

async function* partsOf(source: BodySource): AsyncGenerator<Uint8Array> {
  for (let part = source.next(); part !== null; part = source.next()) {
    yield part;
    await nextTurn();
  }
}

/** Responds on the raw connection, where node:http has no response object, and closes it. */
function hangUp(connection: Duplex, response: HttpResponse): void {
  const head = joinHead(response) ?? '500 Internal Server Error';
  connection.write(
    `HTTP/1.1 ${head}\r\nContent-Length: ${Buffer.byteLength(response.body)}\r\nConnection: close\r\n\r\n`,
    'latin1',
  );
  connection.end(response.body, () => connection.destroy());
}

function fault(error: NodeJS.ErrnoException | undefined): string {
  switch (error?.code) {
    case 'HPE_HEADER_OVERFLOW':
      return `The request line and headers may have at most ${MAX_HEADER_BYTES} bytes.`;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return `The request did not arrive within ${PATIENCE_MS / 1000} seconds.`;
    default:
      return 'This is not a valid HTTP request.';
  }
}
