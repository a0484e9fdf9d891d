import { Interner } from '../../lib/interner.js';
import { grown } from '../../lib/typed-arrays.js';

/**
 * The client address that last wrote the advertisement in each slot. An advertisement restored at startup has none until its provider
 * advertises again.
 */
export class Origins {
  readonly #names = new Interner();
  /** By slot; 0 for none, also beyond the end. */
  #ofSlot = new Uint32Array(0);

  /** How many advertisements come from an address. */
  count(origin: string): number {
    return this.#names.holders(origin);
  }

  /** Whether the advertisement in a slot comes from an address. */
  isFrom(slot: number, origin: string): boolean {
    const number = this.#ofSlot[slot] ?? 0;
    return number !== 0 && number === this.#names.find(origin);
  }

  /** @param origin Null for none. */
  set(slot: number, origin: string | null): void {
    const before = this.#ofSlot[slot] ?? 0;
    const after = this.#names.acquire(origin);
    this.#names.release(before);
    if (after === before) return;
    if (slot >= this.#ofSlot.length) {
      this.#ofSlot = grown(this.#ofSlot, new Uint32Array(Math.max(1024, 2 * slot)));
    }
    this.#ofSlot[slot] = after;
  }
}
