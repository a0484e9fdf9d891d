import type { ServerResponse } from 'node:http';
import type { BodyStream, BodyStreamHandler, StreamedBody } from '../../../protocol/http-message.js';
import type { SendResult } from '../port.js';
import { CLOSE_TIMEOUT_MS, PATIENCE_MS } from '../shared.js';

/** A streamed response on `node:http`, which chooses the framing that the client understands. */
export class NodeBodyStream implements BodyStream {
  readonly #res: ServerResponse;
  #handler: BodyStreamHandler | undefined;
  #hasQueued = false;
  #isEnding = false;
  #isOver = false;

  constructor(res: ServerResponse) {
    this.#res = res;
  }

  /** Called once, after the head is written. */
  serve(body: StreamedBody): void {
    const { socket } = this.#res;
    this.#res.on('close', () => {
      this.#isOver = true;
      socket?.removeListener('end', this.#cut);
      this.#handler?.closed();
    });
    // A client that half-closes is treated as gone: it will not send more, and a quiet stream would notice late.
    socket?.once('end', this.#cut);
    this.#handler = body.open(this);
  }

  get bufferedAmount(): number {
    return this.#isOver ? 0 : this.#res.writableLength;
  }

  send(bytes: Uint8Array): SendResult {
    const res = this.#res;
    if (this.#isOver || this.#isEnding || res.destroyed) return 'dropped';
    res.write(bytes, this.#written);
    if (res.writableLength === 0) return 'sent';
    if (!this.#hasQueued) res.setTimeout(PATIENCE_MS, this.#cut);
    this.#hasQueued = true;
    return 'queued';
  }

  end(): void {
    if (this.#isOver || this.#isEnding) return;
    this.#isEnding = true;
    const timer = setTimeout(this.#cut, CLOSE_TIMEOUT_MS).unref();
    this.#res.once('close', () => clearTimeout(timer));
    this.#res.end();
  }

  terminate(): void {
    if (!this.#isOver) this.#cut();
  }

  readonly #cut = (): void => void this.#res.destroy();

  /** Called for each send: a client may be silent for as long as nothing is queued for it. */
  readonly #written = (): void => {
    if (!this.#hasQueued || this.#isOver || this.#res.writableLength > 0) return;
    this.#hasQueued = false;
    this.#res.setTimeout(0);
    this.#res.removeListener('timeout', this.#cut);
    if (!this.#isEnding && !this.#res.destroyed) this.#handler?.emptied();
  };
}
