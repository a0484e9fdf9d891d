import type * as Uws from 'uWebSockets.js';
import type { SendResult, Socket, SocketHandler } from '../port.js';
import { CLOSE_TIMEOUT_MS, fittingReason } from '../shared.js';

/** User data of a connection. The library copies the object, hence the single member. */
export interface UserData {
  socket: UwsSocket;
}

/** The results of `send`, by the library's number. */
const SEND_RESULTS: readonly SendResult[] = ['queued', 'sent', 'dropped'];

/** Consecutive pings that a peer may send without reading the pongs; `ws` has the same bound. */
const MAX_UNREAD_PONGS = 60;

/** Null once the connection is closed, because the library's object then throws. */
export class UwsSocket implements Socket {
  readonly peerAddress: string;
  #open: ((socket: Socket) => SocketHandler) | undefined;
  #ws: Uws.WebSocket<UserData> | undefined;
  #handler: SocketHandler | undefined;
  /** Set while a close frame waits for what is queued before it. */
  #closing: { code: number; reason: string; timer: NodeJS.Timeout } | undefined;
  #hasQueued = false;
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
    if (result === 'queued') this.#hasQueued = true;
    return result;
  }

  ping(): void {
    if (this.#closing === undefined) this.#ws?.ping();
  }

  /**
   * The library's `end` gives up control of the connection at once. A peer that never takes what is queued could then keep it open forever,
   * so `end` is only called when nothing is queued. From then on, the library cuts a peer that does not answer the close frame within
   * 4 to 8 s.
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

  opened(ws: Uws.WebSocket<UserData>): void {
    this.#ws = ws;
    this.#handler = this.#open?.(this);
    // Its references are not needed for as long as the connection lives.
    this.#open = undefined;
  }

  received(message: ArrayBuffer, binary: boolean): void {
    if (this.#closing === undefined) this.#handler?.message(new Uint8Array(message), binary);
  }

  pinged(): void {
    // The library has already answered. Unread pongs pile up, up to the bound of last resort.
    this.#unreadPongs = this.bufferedAmount === 0 ? 0 : this.#unreadPongs + 1;
    if (this.#unreadPongs > MAX_UNREAD_PONGS) this.terminate();
    else if (this.#closing === undefined) this.#handler?.pinged();
  }

  ponged(): void {
    if (this.#closing === undefined) this.#handler?.ponged();
  }

  /**
   * Deferred until the library's callback has returned: a frame of 16 KiB or more sent during the callback that does not fit would never be
   * continued, because the library stops watching for room when the callback returns.
   */
  writable(): void {
    if (this.#hasQueued || this.#closing !== undefined) setImmediate(() => this.#continue());
  }

  #continue(): void {
    if (this.#ws === undefined || this.#ws.getBufferedAmount() > 0) return;
    if (this.#closing !== undefined) {
      this.#ws.end(this.#closing.code, fittingReason(this.#closing.reason));
    } else if (this.#hasQueued) {
      this.#hasQueued = false;
      this.#handler?.emptied();
    }
  }

  /** The library calls this during `end` and `close`; the hub is notified right after its own call. */
  closed(code: number): void {
    this.#ws = undefined;
    clearTimeout(this.#closing?.timer);
    const reported = this.#closing?.code ?? code;
    queueMicrotask(() => this.#handler?.closed(reported));
  }
}
