import type { WebSocket } from 'ws';
import type { SendResult, Socket, SocketHandler } from '../port.js';
import { fittingReason, ignore, MAX_BUFFERED_BYTES } from '../shared.js';

/** Frames that a peer may still send after the hub has closed before it is cut; frames already under way are fewer. */
const MAX_LATE_FRAMES = 1000;

const BINARY = { binary: true };
const TEXT = { binary: false };

/** Frames are not copied: their bytes belong to the transport until the operating system has taken them. */
export class NodeSocket implements Socket {
  readonly peerAddress: string;
  readonly #ws: WebSocket;
  /** Set once the hub has closed; whatever arrives later is ignored, as in uWebSockets.js. */
  #closeCode: number | undefined;
  #lateFrames = 0;
  #hasQueued = false;
  #handler: SocketHandler | undefined;

  constructor(ws: WebSocket, peerAddress: string) {
    this.#ws = ws;
    this.peerAddress = peerAddress;
  }

  serve(handler: SocketHandler): void {
    this.#handler = handler;
    this.#ws.on('message', (data, binary) => {
      if (this.#isHeard()) handler.message(data as Buffer, binary);
    });
    this.#ws.on('ping', () => {
      if (this.#isHeard()) handler.pinged();
    });
    this.#ws.on('pong', () => {
      if (this.#isHeard()) handler.ponged();
    });
    // `close` always follows.
    this.#ws.on('error', ignore);
    this.#ws.on('close', (code) => handler.closed(this.#closeCode ?? code));
  }

  /** Whether to deliver what arrives. The library itself would keep reading and answering pings for seconds. */
  #isHeard(): boolean {
    if (this.#closeCode === undefined) return true;
    this.#lateFrames += 1;
    if (this.#lateFrames > MAX_LATE_FRAMES) this.terminate();
    return false;
  }

  get bufferedAmount(): number {
    return this.#ws.bufferedAmount;
  }

  send(bytes: Uint8Array, binary: boolean): SendResult {
    const ws = this.#ws;
    if (ws.readyState !== ws.OPEN || ws.bufferedAmount > MAX_BUFFERED_BYTES) return 'dropped';
    ws.send(bytes, binary ? BINARY : TEXT, this.#written);
    if (ws.bufferedAmount === 0) return 'sent';
    this.#hasQueued = true;
    return 'queued';
  }

  /** Called for each frame. The socket's `drain` event would not do: it only comes if more than 16 KiB waited. */
  readonly #written = (): void => {
    if (!this.#hasQueued || this.#ws.bufferedAmount > 0) return;
    this.#hasQueued = false;
    if (this.#ws.readyState === this.#ws.OPEN) this.#handler?.emptied();
  };

  ping(): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.ping();
  }

  close(code: number, reason: string): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    this.#closeCode = code;
    this.#ws.close(code, fittingReason(reason));
  }

  terminate(): void {
    this.#ws.terminate();
  }
}
