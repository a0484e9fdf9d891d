import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { openSocket, reset } from './sockets.js';

const KEY = Buffer.from('discovery client').toString('base64');
const ACCEPT = createHash('sha1').update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
const HEAD_END = Buffer.from('\r\n\r\n');
const OP = { text: 1, binary: 2, close: 8, ping: 9 } as const;
/** A close frame: FIN and the opcode, masked with zeros, without payload. */
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);
/** The code of connections that were not closed properly. */
const BROKEN = 1006;

/** FIN and the opcode. */
const TEXT = 0x81;

/**
 * Encodes a client frame of up to 64 KiB. Its mask of zeros leaves the payload as it is.
 * @param first Its first byte: FIN and the opcode.
 */
export function clientFrame(text: string, first = TEXT): Buffer {
  const payload = Buffer.from(text);
  const { length } = payload;
  const head =
    length < 126
      ? Buffer.from([first, 0x80 | length])
      : Buffer.from([first, 0xfe, length >> 8, length & 0xff]);
  return Buffer.concat([head, Buffer.alloc(4), payload]);
}

/** The handlers of a socket. `bytes` from `start` to `end` are only borrowed. */
export interface FrameHandler {
  opened(socket: RawWebSocket): void;
  message(socket: RawWebSocket, bytes: Buffer, start: number, end: number): void;
  /**
   * Not called for `cut` connections.
   * @param code 1006 if the connection broke or was never established.
   */
  closed(socket: RawWebSocket, reason: string, code: number): void;
}

/** A minimal WebSocket client: thousands fit into one process. */
export class RawWebSocket {
  /** An index, for callers that have many. */
  readonly index: number;
  readonly socket: Socket;
  handler: FrameHandler;
  #rest: Buffer | null = null;
  #upgraded = false;
  #over = false;

  /** @param address.from The address to connect from; by default, one of several, chosen by the index. */
  constructor(
    address: { port: number; host: string; path: string; from?: string },
    index: number,
    handler: FrameHandler,
  ) {
    this.index = index;
    this.handler = handler;
    const { port, host, path, from } = address;
    this.socket = openSocket(
      { port, host, index, from },
      {
        connected: () => {
          this.socket.write(
            `GET ${path} HTTP/1.1\r\nHost: ${host}:${String(port)}\r\nUpgrade: websocket\r\n` +
              `Connection: Upgrade\r\nSec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
          );
        },
        bytes: (bytes) => this.#receive(bytes),
        closed: (reason) => this.#close(reason, BROKEN),
      },
    );
  }

  /** Sends bytes made by `clientFrame`. */
  send(frame: Uint8Array): void {
    this.socket.write(frame);
  }

  /** Drops the connection without a close frame. */
  cut(): void {
    this.#over = true;
    reset(this.socket);
  }

  #close(reason: string, code: number): void {
    if (this.#over) return;
    this.#over = true;
    this.handler.closed(this, reason, code);
  }

  #receive(bytes: Buffer): void {
    let data = bytes;
    if (this.#rest !== null) {
      data = Buffer.concat([this.#rest, bytes]);
      this.#rest = null;
    }
    let at = this.#upgraded ? 0 : this.#readHandshake(data);
    while (this.#upgraded && data.length - at >= 2) {
      const short = data[at + 1]! & 0x7f;
      const head = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (data.length - at < head) break;
      const length =
        short < 126 ? short : short === 126 ? data.readUInt16BE(at + 2) : data.readUInt32BE(at + 6);
      if (data.length - at < head + length) break;
      this.#frame(data[at]! & 0x0f, data, at + head, at + head + length);
      at += head + length;
    }
    if (at < data.length) this.#rest = Buffer.from(data.subarray(at));
  }

  /** Where frames begin; 0 until the response is complete. */
  #readHandshake(data: Buffer): number {
    const end = data.indexOf(HEAD_END);
    if (end < 0) return 0;
    const head = data.toString('latin1', 0, end);
    if (!head.startsWith('HTTP/1.1 101 ') || !head.includes(ACCEPT)) {
      this.#close(`the handshake was answered with: ${head.slice(0, 60)}`, BROKEN);
      this.socket.destroy();
      return data.length;
    }
    this.#upgraded = true;
    this.handler.opened(this);
    return end + HEAD_END.length;
  }

  #frame(op: number, data: Buffer, start: number, end: number): void {
    if (op === OP.text || op === OP.binary) {
      this.handler.message(this, data, start, end);
    } else if (op === OP.ping) {
      this.socket.write(PONG);
    } else if (op === OP.close) {
      const code = end - start >= 2 ? data.readUInt16BE(start) : 1005;
      this.#close(`closed with ${String(code)} ${data.toString('utf8', start + 2, end)}`, code);
      this.socket.destroy();
    }
  }
}
