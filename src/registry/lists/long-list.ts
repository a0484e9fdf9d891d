import type { BodySource } from '../../protocol/http-message.js';
import type { ServiceClock } from '../../lib/clock.js';
import type { Snapshot } from '../store/snapshot.js';

/** Rows that are read at a time: a few hundred KiB. */
const ROWS_A_PART = 512;
/** Service milliseconds that a reader may take for all of it. */
const MAX_READING_MS = 300_000;
/** Bytes of changed rows that are kept for one reader. */
const MAX_SET_ASIDE_BYTES = 16 * 1024 * 1024;

const START = Buffer.from('[');
const COMMA = Buffer.from(',');
const END = Buffer.from(']');

/** A list that is too long to be made in one piece, as a JSON array in parts: the truth of one moment, read at leisure. */
export class LongList implements BodySource {
  readonly bytes: number;
  readonly #snapshot: Snapshot;
  readonly #clock: ServiceClock;
  readonly #deadline: number;
  readonly #onClose: () => void;
  #separator = START;
  #isClosed = false;

  /**
   * @param snapshot Its rows, at least one.
   * @param bytes Of all of it, brackets and commas included.
   */
  constructor(snapshot: Snapshot, bytes: number, clock: ServiceClock, onClose: () => void) {
    this.#snapshot = snapshot;
    this.bytes = bytes;
    this.#clock = clock;
    this.#deadline = clock.now + MAX_READING_MS;
    this.#onClose = onClose;
  }

  /** @throws Error when it took too long, or too much has changed meanwhile. */
  next(): Uint8Array | null {
    if (this.#isRead()) return null;
    if (this.#clock.now > this.#deadline || this.#snapshot.setAsideBytes > MAX_SET_ASIDE_BYTES)
      throw new Error('a long list was read too slowly');
    const parts: Uint8Array[] = [];
    for (const row of this.#snapshot.read(ROWS_A_PART)) {
      parts.push(this.#separator, row);
      this.#separator = COMMA;
    }
    return Buffer.concat(this.#isRead() ? [...parts, END] : parts);
  }

  #isRead(): boolean {
    return this.#snapshot.done;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#snapshot.close();
    this.#onClose();
  }
}
