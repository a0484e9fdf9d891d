import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import { connect, type Socket as NetSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { WebSocket } from 'ws';
import { reset } from '../../../bench/load/sockets.js';
import type {
  HttpRequest,
  HttpResponse,
  Socket,
  SocketHandler,
  StartTransport,
  Transport,
  TransportHandler,
  TransportOptions,
  UpgradeDecision,
} from '../../../src/gateway/transports/port.js';
import { FIRST_CERTIFICATE } from '../../data/certificates.js';
import { TRUSTED, writeCertificate } from '../../support/clients/tls.js';

export const OPTIONS: TransportOptions = {
  websocketPath: '/api/v1/ws',
  maxBodyBytes: 16 * 1024,
  maxMessageBytes: 64 * 1024,
  maxConnections: 1000,
  maxSilentPerAddress: Number.POSITIVE_INFINITY,
  tls: null,
};

/** Has all transports of this test file speak TLS, and all clients with them. */
export function overTls(): void {
  const folder = mkdtempSync(join(tmpdir(), 'hub-tls-'));
  OPTIONS.tls = writeCertificate(folder, FIRST_CERTIFICATE);
  after(() => rmSync(folder, { recursive: true }));
}

/** How a client finds out that it talks to the right one. */
const SECURITY = { ca: TRUSTED, servername: 'localhost' };

/** The client of Node for the transports of this file. */
export function webClient(): Pick<typeof http, 'request' | 'Agent'> {
  return OPTIONS.tls === null ? http : https;
}

/** Sends a request to a transport of this file. */
export function webRequest(options: http.RequestOptions): http.ClientRequest {
  return OPTIONS.tls === null ? http.request(options) : https.request({ ...options, ...SECURITY });
}

export function answer(
  body: HttpResponse['body'],
  headers: Record<string, string> = {},
  status = 200,
): HttpResponse {
  return { status, headers, body };
}

/** Starts a transport for one test, on a free port of its own unless told otherwise. */
export async function listening(
  t: TestContext,
  start: StartTransport,
  handler: Partial<TransportHandler>,
  address = { host: '127.0.0.1', port: 0 },
  options: Partial<typeof OPTIONS> = {},
): Promise<Transport> {
  const transport = await start(
    address,
    { ...OPTIONS, ...options },
    {
      request: () => answer('hello'),
      upgrade: () => ({ accept: false, response: answer('no', {}, 403) }),
      clientOf: (peerAddress) => peerAddress,
      refuse: (status, message) =>
        answer(JSON.stringify({ status, message }), { 'X-Refused': 'yes' }, status),
      ...handler,
    },
  );
  t.after(() => transport.close());
  return transport;
}

/** What happened, to be awaited in order instead of polled for. */
export class Events<T> {
  readonly seen: T[] = [];
  #taken = 0;
  #wake: () => void = () => undefined;

  push(event: T): void {
    this.seen.push(event);
    this.#wake();
  }

  async next(): Promise<T> {
    while (this.seen.length <= this.#taken) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.seen[this.#taken++] as T;
  }
}

export interface Peer {
  socket: Socket;
  messages: Events<{ bytes: Buffer; binary: boolean }>;
  pinged: Events<true>;
  ponged: Events<true>;
  emptied: Events<true>;
  closed: Events<number>;
}

/** A hub that accepts every handshake and records what its sockets tell it. */
export class Hub {
  readonly peers = new Events<Peer>();
  readonly requests: HttpRequest[] = [];
  readonly #subprotocol: string;
  readonly #opened: (peer: Peer) => void;

  constructor(subprotocol = '', opened: (peer: Peer) => void = () => undefined) {
    this.#subprotocol = subprotocol;
    this.#opened = opened;
  }

  readonly upgrade = (request: HttpRequest): UpgradeDecision => {
    this.requests.push(request);
    return { accept: true, subprotocol: this.#subprotocol, open: this.open };
  };

  readonly open = (socket: Socket): SocketHandler => {
    const peer: Peer = {
      socket,
      messages: new Events(),
      pinged: new Events(),
      ponged: new Events(),
      emptied: new Events(),
      closed: new Events(),
    };
    this.peers.push(peer);
    this.#opened(peer);
    return {
      message: (bytes, binary) => peer.messages.push({ bytes: Buffer.from(bytes), binary }),
      pinged: () => peer.pinged.push(true),
      ponged: () => peer.ponged.push(true),
      emptied: () => peer.emptied.push(true),
      closed: (code) => peer.closed.push(code),
    };
  };
}

/** A client of `ws` that is still to open. */
export function webSocket(transport: Transport): WebSocket {
  const place = `127.0.0.1:${transport.port}${OPTIONS.websocketPath}`;
  return OPTIONS.tls === null ? new WebSocket(`ws://${place}`) : new WebSocket(`wss://${place}`, SECURITY);
}

/** A client of `ws` that is open, and the hub's end of it. */
export async function dial(
  t: TestContext,
  transport: Transport,
  hub: Hub,
): Promise<{ client: WebSocket; peer: Peer }> {
  const client = webSocket(transport);
  t.after(() => client.terminate());
  const peer = hub.peers.next();
  await once(client, 'open');
  return { client, peer: await peer };
}

/** The code and reason with which a client of `ws` learns that it is closed. */
export async function farewell(client: WebSocket): Promise<{ code: number; reason: string }> {
  const [code, reason] = (await once(client, 'close')) as [number, Buffer];
  return { code, reason: reason.toString() };
}

export interface RawResponse {
  status: number;
  headers: Map<string, string>;
  body: string;
}

/** A client that sends what it likes, byte by byte. */
export class RawClient {
  readonly socket: NetSocket;
  readonly #wire: NetSocket;
  /** Resolves when the other side has closed; an error counts. */
  readonly closed: Promise<void>;
  /** Joined only when it is looked at: a long body comes in very many parts. */
  #parts: Buffer[] = [];
  #length = 0;
  #more: () => void = () => undefined;
  #ended = false;

  /** @param from The client's own address; the system's choice unless told otherwise. */
  constructor(t: TestContext, port: number, host = '127.0.0.1', from?: string) {
    this.#wire = connect({ port, host, ...(from === undefined ? {} : { localAddress: from }) });
    this.socket = OPTIONS.tls === null ? this.#wire : connectTls({ socket: this.#wire, ...SECURITY });
    t.after(() => this.socket.destroy());
    this.socket.on('error', () => undefined);
    this.socket.on('data', (data) => {
      this.#parts.push(data);
      this.#length += data.length;
      this.#more();
    });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.#ended = true;
        this.#more();
        resolve();
      });
    });
  }

  /** Cuts the connection, as a client does that is gone. */
  reset(): void {
    reset(this.#wire);
  }

  send(...lines: string[]): void {
    this.socket.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  }

  /** The next bytes up to and including `end`. */
  async until(end: string): Promise<string> {
    return this.#take(() => {
      const at = this.#received().indexOf(end);
      return at === -1 ? -1 : at + end.length;
    });
  }

  /** As many bytes as that. */
  exactly(length: number): Promise<string> {
    return this.#take(() => length);
  }

  async #take(length: () => number): Promise<string> {
    for (let wanted = length(); ; wanted = length()) {
      if (wanted >= 0 && this.#length >= wanted) {
        const received = this.#received();
        this.#parts = [received.subarray(wanted)];
        this.#length -= wanted;
        return received.toString('latin1', 0, wanted);
      }
      if (this.#ended) throw new Error(`closed after ${JSON.stringify(this.#received().toString('latin1'))}`);
      await new Promise<void>((resolve) => (this.#more = resolve));
    }
  }

  #received(): Buffer {
    const received = Buffer.concat(this.#parts);
    this.#parts = [received];
    return received;
  }

  async response(hasBody = true): Promise<RawResponse> {
    const [first, ...lines] = (await this.until('\r\n\r\n')).trimEnd().split('\r\n');
    const headers = new Map<string, string>();
    for (const line of lines) {
      const colon = line.indexOf(':');
      headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
    }
    const length = hasBody ? Number(headers.get('content-length') ?? 0) : 0;
    return { status: Number(first?.split(' ')[1]), headers, body: await this.#take(() => length) };
  }

  async get(path: string, ...headers: string[]): Promise<RawResponse> {
    this.send(`GET ${path} HTTP/1.1`, 'Host: hub', ...headers);
    return this.response();
  }
}
