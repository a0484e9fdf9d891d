import type { ServerResponse } from 'node:http';
import type { BodyStream, BodyStreamHandler, StreamedBody } from '../../../protocol/http-message.js';
import type { SendResult } from '../port.js';
import { CLOSE_TIMEOUT_MS, PATIENCE_MS } from '../shared.js';

/** A response of `node:http` that is written as its body comes about; node:http finds the form that its reader knows. */
export class NodeBodyStream implements BodyStream {
  readonly #res: ServerResponse;
  #handler: BodyStreamHandler | undefined;
  #hasQueued = false;
  #isEnding = false;
  #isOver = false;

  constructor(res: ServerResponse) {
    this.#res = res;
  }

  /** Called once, with the head written. */
  serve(body: StreamedBody): void {
    const { socket } = this.#res;
    this.#res.on('close', () => {
      this.#isOver = true;
      socket?.removeListener('end', this.#cut);
      this.#handler?.closed();
    });
    // Whoever ends its side is gone: it has nothing more to ask, and a quiet stream would be long in noticing.
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

  /** Called for each send; a reader may be as quiet as it likes while nothing waits for it. */
  readonly #written = (): void => {
    if (!this.#hasQueued || this.#isOver || this.#res.writableLength > 0) return;
    this.#hasQueued = false;
    this.#res.setTimeout(0);
    this.#res.removeListener('timeout', this.#cut);
    if (!this.#isEnding && !this.#res.destroyed) this.#handler?.emptied();
  };
}
