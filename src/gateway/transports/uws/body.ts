import type * as Uws from 'uWebSockets.js';
import type { BodySource } from '../../../protocol/http-message.js';

/**
 * Sends a body part by part, with backpressure, and yields to others in between. The library cuts a peer that takes nothing for 10 s.
 */
export class UwsBody {
  readonly #res: Uws.HttpResponse;
  readonly #source: BodySource;
  /** The part in progress, and its offset in the body. */
  #part: Uint8Array = new Uint8Array(0);
  #offset = 0;
  #isOver = false;

  constructor(res: Uws.HttpResponse, source: BodySource) {
    this.#res = res;
    this.#source = source;
  }

  /** Called once, when the response may be written. */
  send(): void {
    this.#res.onAborted(() => {
      this.#end();
    });
    this.#res.onWritable((taken) => {
      // The part was only taken in part; everything before it was taken.
      return this.#write(this.#part.subarray(taken - this.#offset));
    });
    this.#source.begin?.(() => {
      if (!this.#isOver) this.#res.close();
    });
    this.#next();
  }

  #next(): void {
    let part: Uint8Array | null;
    try {
      part = this.#source.next();
    } catch {
      part = null;
    }
    if (part === null) {
      // The last part ends the response, so the body is shorter than announced.
      this.#res.close();
      return;
    }
    this.#offset += this.#part.length;
    this.#part = part;
    this.#write(part);
  }

  /** @returns Whether it was taken completely. */
  #write(bytes: Uint8Array): boolean {
    const [taken, done] = this.#res.tryEnd(bytes, this.#source.bytes);
    if (done) {
      this.#end();
    } else if (taken) {
      setImmediate(() => {
        if (!this.#isOver) this.#res.cork(() => this.#next());
      });
    }
    return taken;
  }

  #end(): void {
    this.#isOver = true;
    this.#source.close();
  }
}
