import type { Socket as NetSocket } from 'node:net';
import { Packr } from 'msgpackr';
import { WebSocket } from 'ws';
import type { CodecName } from '../hubs/test-hub.js';

export type Frame = Record<string, unknown>;

const packr = new Packr({ useRecords: false, int64AsType: 'number' });

/** Longer than any answer of a hub in the same machine takes. */
const PATIENCE_MS = 15_000;

/** How a test wants its socket; all of it can be left out. */
export interface SocketOptions {
  headers?: Record<string, string>;
  /** What is offered instead of the codec's own subprotocol. */
  protocols?: string[];
  /** False for a client that does not answer pings. */
  autoPong?: boolean;
  /** Certificates to trust, for `wss`. */
  ca?: readonly string[];
}

/** A client's side of a WebSocket that knows the wire forms and nothing else of the protocol. */
export class TestSocket {
  readonly raw: WebSocket;
  readonly codec: CodecName;
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
  /** Frames that arrived and were not asked for yet. */
  readonly frames: Frame[] = [];
  #wake: (() => void) | null = null;
  #isClosed = false;
  #net: NetSocket | null = null;

  private constructor(raw: WebSocket, codec: CodecName) {
    this.raw = raw;
    this.codec = codec;
    raw.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary !== (codec === 'msgpack')) throw new Error('a frame came in the wrong kind of message');
      this.frames.push((isBinary ? packr.unpack(data) : JSON.parse(data.toString('utf8'))) as Frame);
      this.#wake?.();
    });
    raw.on('error', () => undefined);
    raw.once('upgrade', ({ socket }) => (this.#net = socket));
    this.closed = new Promise((resolve) => {
      raw.on('close', (code) => {
        this.#isClosed = true;
        this.#wake?.();
        resolve(code);
      });
    });
  }

  static open(url: string, codec: CodecName, options: SocketOptions = {}): Promise<TestSocket> {
    const { headers = {}, protocols = [`vm-discovery.v1.${codec}`], autoPong = true, ca = [] } = options;
    const raw = new WebSocket(url, protocols, { headers, autoPong, perMessageDeflate: false, ca: [...ca] });
    const socket = new TestSocket(raw, codec);
    return new Promise((resolve, reject) => {
      raw.once('open', () => {
        resolve(socket);
      });
      raw.once('error', reject);
    });
  }

  send(frame: unknown): void {
    if (this.codec === 'msgpack') this.raw.send(packr.pack(frame), { binary: true });
    else this.raw.send(JSON.stringify(frame));
  }

  /** Sends bytes as they are. */
  sendRaw(data: Uint8Array | string, binary: boolean): void {
    this.raw.send(data, { binary });
  }

  /** Keeps what is sent from now on, to send it all at once. */
  cork(): void {
    this.#net?.cork();
  }

  /** Sends what was kept. */
  uncork(): void {
    this.#net?.uncork();
  }

  /** The next frame, which has to be of this type; other frames that may come in between can be skipped. */
  async next(type: string, skip: readonly string[] = ['bookmark']): Promise<Frame> {
    for (;;) {
      const frame = await this.any();
      if (frame['type'] === type) return frame;
      if (!skip.includes(frame['type'] as string)) {
        throw new Error(`expected ${type}, got ${JSON.stringify(frame).slice(0, 500)}`);
      }
    }
  }

  /** The next frame of whatever type. */
  async any(): Promise<Frame> {
    const deadline = setTimeout(() => this.#wake?.(), PATIENCE_MS);
    try {
      const started = Date.now();
      while (this.frames.length === 0) {
        if (this.#isClosed) throw new Error(`the socket was closed with ${String(await this.closed)}`);
        if (Date.now() - started >= PATIENCE_MS) throw new Error('no frame came');
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
      return this.frames.shift()!;
    } finally {
      clearTimeout(deadline);
    }
  }

  /** The code that the hub closes with, which it has to do soon. */
  async closeCode(): Promise<number> {
    let deadline: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      deadline = setTimeout(() => {
        reject(new Error('the socket was not closed'));
      }, PATIENCE_MS);
    });
    try {
      return await Promise.race([this.closed, late]);
    } finally {
      clearTimeout(deadline);
    }
  }

  /** Sends a heartbeat and waits for its answer: all that the hub had to say before has then arrived. */
  async settle(): Promise<Frame[]> {
    this.send({ type: 'heartbeat' });
    const before: Frame[] = [];
    for (;;) {
      const frame = await this.any();
      if (frame['type'] === 'heartbeat') return before;
      before.push(frame);
    }
  }

  close(): void {
    this.raw.close();
  }

  /** Cuts the connection, as a killed process does. */
  terminate(): void {
    this.raw.terminate();
  }
}
