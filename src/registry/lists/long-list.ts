import type { BodySource } from '../../protocol/http-message.js';
import type { ServiceClock } from '../../lib/clock.js';
import type { FrozenMatches } from './frozen-matches.js';

/** Rows that are read at a time: a few hundred KiB. */
const ROWS_A_PART = 512;
/** How long a reader may take for a whole list, in service milliseconds. */
const MAX_READING_MS = 300_000;

const START = Buffer.from('[');
const COMMA = Buffer.from(',');
const END = Buffer.from(']');

/** A JSON array too long to be made in one piece: it shows one moment, and is produced in parts as its reader takes it. */
export class LongList implements BodySource {
  readonly bytes: number;
  readonly #matches: FrozenMatches;
  /** Read for minutes: as small as they can be. */
  readonly #slots: Uint32Array;
  readonly #clock: ServiceClock;
  readonly #deadline: number;
  readonly #onClose: () => void;
  #position = 0;
  #separator = START;
  #isClosed = false;

  /**
   * @param matches Settled; closed with the list.
   * @param slots Its rows, at least one.
   * @param bytes The total, including brackets and commas.
   */
  constructor(
    matches: FrozenMatches,
    slots: readonly number[],
    bytes: number,
    clock: ServiceClock,
    onClose: () => void,
  ) {
    this.#matches = matches;
    this.#slots = Uint32Array.from(slots);
    this.bytes = bytes;
    this.#clock = clock;
    this.#deadline = clock.now + MAX_READING_MS;
    this.#onClose = onClose;
  }

  /** @throws Error if it took too long, or too much has changed meanwhile. */
  next(): Uint8Array | null {
    if (this.#isRead()) return null;
    if (this.#clock.now > this.#deadline || this.#matches.isLost)
      throw new Error('a long list was read too slowly');
    const parts: Uint8Array[] = [];
    const end = Math.min(this.#position + ROWS_A_PART, this.#slots.length);
    for (; this.#position < end; this.#position += 1) {
      parts.push(this.#separator, this.#matches.take(this.#slots[this.#position]!));
      this.#separator = COMMA;
    }
    return Buffer.concat(this.#isRead() ? [...parts, END] : parts);
  }

  #isRead(): boolean {
    return this.#position === this.#slots.length;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#matches.close();
    this.#onClose();
  }
}
