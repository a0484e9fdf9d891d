import type * as Uws from 'uWebSockets.js';
import type { BodySource } from '../../../protocol/http-message.js';

/**
 * Sends a body part by part, no faster than the peer takes it and with a turn for others in between. The library cuts
 * a peer that takes nothing for 10 s.
 */
export class UwsBody {
  readonly #res: Uws.HttpResponse;
  readonly #source: BodySource;
  /** What is being sent, and where in the whole it begins. */
  #part: Uint8Array = new Uint8Array(0);
  #offset = 0;
  #isOver = false;

  constructor(res: Uws.HttpResponse, source: BodySource) {
    this.#res = res;
    this.#source = source;
  }

  /** Called once, where the response may be written to. */
  send(): void {
    this.#res.onAborted(() => {
      this.#end();
    });
    this.#res.onWritable((taken) => {
      // Of a part that was not taken whole; all before it was.
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
      // The last part ends the response, so this is not the end that was announced.
      this.#res.close();
      return;
    }
    this.#offset += this.#part.length;
    this.#part = part;
    this.#write(part);
  }

  /** @returns Whether all of it was taken. */
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
