import { randomFillSync } from 'node:crypto';

const NONCE_BYTES = 32;
/** How many to draw at once: drawn singly, each would take 7 µs of its handshake. */
const DRAWN_AT_ONCE = 256;

/** Random nonces, each used once. */
export class Nonces {
  readonly #drawn = Buffer.alloc(DRAWN_AT_ONCE * NONCE_BYTES);
  #at = this.#drawn.length;

  /** Lower-case hex, 64 digits. */
  next(): string {
    if (this.#at === this.#drawn.length) {
      randomFillSync(this.#drawn);
      this.#at = 0;
    }
    const from = this.#at;
    this.#at += NONCE_BYTES;
    return this.#drawn.toString('hex', from, this.#at);
  }
}
