import type * as Uws from 'uWebSockets.js';
import type { BodyStream, BodyStreamHandler, StreamedBody } from '../../../protocol/http-message.js';
import type { SendResult } from '../port.js';
import { CLOSE_TIMEOUT_MS, ignore } from '../shared.js';

/** Bytes given to the library at a time: what the operating system does not take waits inside it, uncounted. */
const MAX_PIECE_BYTES = 64 * 1024;
/** Bytes of the first piece after a wait: only a write shows whether the wait is over, so it is smaller than what was taken. */
const PROBE_BYTES = 4 * 1024;

/**
 * A streamed response on uWebSockets.js, in chunks. The library buffers without bound and does not tell how much, so it gets more only
 * after it has sent what it had; the rest waits here. It cuts a reader that takes nothing for 10 s.
 */
export class UwsBodyStream implements BodyStream {
  readonly #res: Uws.HttpResponse;
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  /** An upper bound of what waits in the library; 0 while nothing does. */
  #libraryBytes = 0;
  #handler: BodyStreamHandler | undefined;
  #hasQueued = false;
  /** Set while the end waits for what is queued before it. */
  #endTimer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(res: Uws.HttpResponse) {
    this.#res = res;
  }

  /** Called once, after status and headers are written, with the response corked. */
  serve(body: StreamedBody): void {
    this.#res.onAborted(() => this.#close());
    // Deferred until the library's callback has returned, as for WebSockets.
    this.#res.onWritable(() => {
      setImmediate(() => this.#continue());
      return true;
    });
    this.#handler = body.open(this);
  }

  get bufferedAmount(): number {
    return this.#isOver ? 0 : this.#queuedBytes + this.#libraryBytes;
  }

  send(bytes: Uint8Array): SendResult {
    if (this.#isOver || this.#endTimer !== undefined) return 'dropped';
    // An empty chunk would end the body.
    if (bytes.length === 0) return 'sent';
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    if (this.#libraryBytes === 0 && this.#flush(MAX_PIECE_BYTES)) return 'sent';
    this.#hasQueued = true;
    return 'queued';
  }

  end(): void {
    if (this.#isOver || this.#endTimer !== undefined) return;
    if (this.#queue.length === 0) this.#finish();
    else this.#endTimer = setTimeout(() => this.terminate(), CLOSE_TIMEOUT_MS).unref();
  }

  terminate(): void {
    if (!this.#isOver) this.#res.close();
  }

  /** Continues when there is room again. */
  #continue(): void {
    if (this.#isOver) return;
    // The library flushes its buffer only on a write, even of nothing.
    this.#res.cork(ignore);
    if (!this.#flush(PROBE_BYTES)) return;
    this.#libraryBytes = 0;
    if (this.#endTimer !== undefined) {
      this.#finish();
    } else if (this.#hasQueued) {
      this.#hasQueued = false;
      this.#handler?.emptied();
    }
  }

  /** @returns Whether everything queued here was taken. */
  #flush(firstBytes: number): boolean {
    let most = firstBytes;
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      const piece = next.subarray(0, most);
      if (piece.length === next.length) this.#queue.shift();
      else this.#queue[0] = next.subarray(most);
      this.#queuedBytes -= piece.length;
      let isTaken = false as boolean;
      this.#res.cork(() => {
        isTaken = this.#res.write(piece);
      });
      if (!isTaken) {
        this.#libraryBytes = Math.max(this.#libraryBytes, piece.length);
        return false;
      }
      this.#libraryBytes = 0;
      most = MAX_PIECE_BYTES;
    }
    return true;
  }

  /** From here on, the library flushes by itself. */
  #finish(): void {
    this.#close();
    this.#res.cork(() => this.#res.end());
  }

  #close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#endTimer);
    this.#queue.length = 0;
    queueMicrotask(() => this.#handler?.closed());
  }
}
