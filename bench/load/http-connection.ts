import type { Socket } from 'node:net';
import { openSocket, reset } from './sockets.js';

/** An answer; `body` is only borrowed. */
export interface HttpAnswer {
  status: number;
  body: Buffer;
  /** Head and body together. */
  totalBytes: number;
}

const HEAD_END = Buffer.from('\r\n\r\n');

/** A minimal keep-alive connection that sends prepared requests, one at a time. */
export class HttpConnection {
  readonly socket: Socket;
  readonly opened: Promise<void>;
  #onAnswer: (answer: HttpAnswer) => void = () => undefined;
  #onFailure: (error: Error) => void;
  #parts: Buffer[] = [];
  #received = 0;
  /** The length of the answer; null until its head is complete. */
  #expected: { total: number; head: number; status: number } | null = null;

  constructor(port: number, host: string, onFailure: (error: Error) => void) {
    this.#onFailure = onFailure;
    let connected: () => void = () => undefined;
    let refused: (error: Error) => void = () => undefined;
    this.opened = new Promise((resolve, reject) => {
      connected = resolve;
      refused = reject;
    });
    this.opened.catch(() => undefined);
    this.socket = openSocket(
      { port, host, index: 0 },
      {
        connected: () => connected(),
        bytes: (bytes) => this.#receive(bytes),
        closed: (reason) => {
          const error = new Error(`a connection to ${host}:${String(port)} broke: ${reason}`);
          refused(error);
          this.#onFailure(error);
        },
      },
    );
  }

  /** Sends a request and passes its answer to the callback. */
  send(request: Uint8Array, onAnswer: (answer: HttpAnswer) => void): void {
    this.#onAnswer = onAnswer;
    this.socket.write(request);
  }

  close(): void {
    this.#onFailure = () => undefined;
    reset(this.socket);
  }

  #receive(bytes: Buffer): void {
    this.#received += bytes.length;
    this.#expected ??= this.#readHead(bytes);
    const expected = this.#expected;
    if (expected === null || this.#received < expected.total) {
      this.#parts.push(Buffer.from(bytes));
      return;
    }
    const whole = this.#parts.length === 0 ? bytes : Buffer.concat([...this.#parts, bytes]);
    if (this.#received > expected.total) {
      this.#onFailure(new Error('an HTTP answer is longer than it says'));
      return;
    }
    this.#parts = [];
    this.#received = 0;
    this.#expected = null;
    const { status, head, total } = expected;
    this.#onAnswer({ status, body: whole.subarray(head), totalBytes: total });
  }

  #readHead(latest: Buffer): { total: number; head: number; status: number } | null {
    const bytes = this.#parts.length === 0 ? latest : Buffer.concat([...this.#parts, latest]);
    const end = bytes.indexOf(HEAD_END);
    if (end < 0) return null;
    const text = bytes.toString('latin1', 0, end);
    const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
    if (length === undefined) {
      this.#onFailure(new Error(`an HTTP answer has no Content-Length:\n${text}`));
      return null;
    }
    const head = end + HEAD_END.length;
    return { total: head + Number(length), head, status: Number(text.slice(9, 12)) };
  }
}

/** The bytes of a GET request. */
export function getRequest(host: string, path: string): Buffer {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
}
