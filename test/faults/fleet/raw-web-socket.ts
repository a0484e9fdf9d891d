import { connect, type Socket } from 'node:net';

const KEY = Buffer.from('a fleet of tests').toString('base64');
const HEAD_END = Buffer.from('\r\n\r\n');
const OP = { text: 1, close: 8, ping: 9 } as const;
/** FIN and the opcode, masked, no payload, a mask of zeros. */
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);
/** An answer to a close frame; the code does not matter. */
const CLOSE = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]);
/** All sockets of a process read into the same buffer, one after the other. */
const INCOMING = Buffer.allocUnsafe(256 * 1024);

/** A text frame as a client has to send it. A mask of zeros leaves the payload as it is. */
function textFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const { length } = payload;
  const head =
    length < 126 ? Buffer.from([0x81, 0x80 | length]) : Buffer.from([0x81, 0xfe, length >> 8, length & 0xff]);
  return Buffer.concat([head, Buffer.alloc(4), payload]);
}

/** What is done with what a socket is sent. */
export interface FrameHandler {
  message(text: string): void;
  /** Called once; the code is 1006 when the connection broke or never came about. */
  closed(code: number): void;
}

/** A WebSocket client that does no more than it has to: thousands of them fit into one process. */
export class RawWebSocket {
  readonly #socket: Socket;
  readonly #handler: FrameHandler;
  #rest: Buffer = Buffer.alloc(0);
  #upgraded = false;
  #over = false;

  /** @param from Spreads the sockets over the addresses of the loopback: one has too few ports. */
  constructor(port: number, from: number, handler: FrameHandler) {
    this.#handler = handler;
    const local = process.platform === 'linux' ? { localAddress: `127.0.0.${2 + (from % 32)}` } : {};
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      ...local,
      noDelay: true,
      onread: {
        buffer: INCOMING,
        callback: (length) => {
          this.#receive(INCOMING.subarray(0, length));
          return true;
        },
      },
    });
    this.#socket.once('connect', () => {
      this.#socket.write(
        `GET /api/v1/ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\n` +
          `Connection: Upgrade\r\nSec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
      );
    });
    this.#socket.once('error', () => undefined);
    this.#socket.once('close', () => {
      this.#end(1006);
    });
  }

  send(frame: object): void {
    this.#socket.write(textFrame(JSON.stringify(frame)));
  }

  /** Lets go of the connection without a word. */
  cut(): void {
    this.#over = true;
    this.#socket.resetAndDestroy();
  }

  #end(code: number): void {
    if (this.#over) return;
    this.#over = true;
    this.#handler.closed(code);
  }

  #receive(bytes: Buffer): void {
    let data = Buffer.concat([this.#rest, bytes]);
    if (!this.#upgraded) {
      const end = data.indexOf(HEAD_END);
      if (end < 0) {
        this.#rest = data;
        return;
      }
      if (!data.toString('latin1', 0, 13).startsWith('HTTP/1.1 101 ')) {
        this.#socket.destroy();
        return;
      }
      this.#upgraded = true;
      data = data.subarray(end + HEAD_END.length);
    }
    this.#rest = this.#readFrames(data);
  }

  /** @returns What is left: the beginning of a frame. */
  #readFrames(data: Buffer): Buffer {
    let at = 0;
    while (data.length - at >= 2) {
      const short = data[at + 1]! & 0x7f;
      const head = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (data.length - at < head) break;
      const length =
        short < 126 ? short : short === 126 ? data.readUInt16BE(at + 2) : data.readUInt32BE(at + 6);
      if (data.length - at < head + length) break;
      const start = at + head;
      at = start + length;
      this.#frame(data[start - head]! & 0x0f, data.subarray(start, at));
    }
    return data.subarray(at);
  }

  #frame(op: number, payload: Buffer): void {
    if (op === OP.text) {
      if (!this.#over) this.#handler.message(payload.toString());
    } else if (op === OP.ping) {
      this.#socket.write(PONG);
    } else if (op === OP.close) {
      this.#socket.end(CLOSE);
      this.#end(payload.length >= 2 ? payload.readUInt16BE(0) : 1005);
    }
  }
}
