import { addressesIn, roomFor, SLAB_BYTES } from '../../lib/arena.js';
import { ROW_NUMBERS, rowOf } from './columns.js';
import { type JsonTexts, renderHead } from './advertisement-json.js';
import type { Fact } from './facts/fact.js';
import { packRow } from './packed-row.js';
import type { AdvertisementRecord } from './records.js';
import type { PlacedRow } from './store.js';

/**
 * Rows that one thread has prepared for another, which only has to add them to its indexes. Everything can be posted between threads; the
 * slab and the numbers are transferred rather than copied.
 */
export interface RowBatch {
  ids: string[];
  /** The texts of numbered values; 0 stands for none. */
  texts: (string | null)[];
  /** The facts that the lists refer to. */
  facts: Fact[];
  /** The rows' lists of facts in sequence: the length, then the indexes in `facts`. At 0 is the empty list. */
  lists: Uint32Array<ArrayBuffer>;
  /** `NUMBERS` per row, in the order in which `rowIn` reads them. */
  numbers: Float64Array<ArrayBuffer>;
  /** A slab for an arena, and how many of its bytes are filled. */
  slab: Uint8Array<ArrayBuffer>;
  bytes: number;
}

/** A row of a batch; its address is relative to the slab. */
export interface BatchedRow extends PlacedRow {
  providerId: string;
  /** Unix milliseconds. */
  updatedAt: number;
  attached: boolean;
}

const NUMBERS = 5 + ROW_NUMBERS;
/** The most rows in a batch; usually the slab is full before. */
const MAX_ROWS = 4096;

/** Reads a row of a batch. Its values are numbered by the batch's own texts. */
export function rowIn({ ids, numbers }: RowBatch, row: number): BatchedRow {
  let at = row * NUMBERS;
  return {
    providerId: ids[row]!,
    updatedAt: numbers[at++]!,
    attached: numbers[at++] === 1,
    address: numbers[at++]!,
    headBytes: numbers[at++]!,
    proofBytes: numbers[at++]!,
    attributes: numbers,
    from: at,
  };
}

/** The facts in the list at this index of a batch. */
export function factsIn({ facts, lists }: RowBatch, place: number): Fact[] {
  return Array.from(lists.subarray(place + 1, place + 1 + lists[place]!), (fact) => facts[fact]!);
}

/** Collects rows into batches. */
export class RowBatcher {
  #ids: string[] = [];
  #texts = new Map<string | null, number>([[null, 0]]);
  #facts = new Map<Fact, number>();
  #lists: number[] = [0];
  #numbers = new Float64Array(MAX_ROWS * NUMBERS);
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#ids.length === 0;
  }

  /**
   * Renders and packs a row.
   * @param live Of a row out of a hub's file it is not known yet.
   * @returns False if there is no room for it: call `take` first.
   */
  add(record: AdvertisementRecord, texts: JsonTexts, live = false): boolean {
    const { bytes, headBytes, proofBytes } = packRow(record, renderHead(record, texts));
    const room = roomFor(bytes.length);
    if (this.#bytes + room > SLAB_BYTES || this.#ids.length === MAX_ROWS) return false;
    this.#slab.set(bytes, this.#bytes);
    const numbers = this.#numbers;
    let at = this.#ids.length * NUMBERS;
    numbers[at++] = record.updatedAt;
    numbers[at++] = record.attached ? 1 : 0;
    numbers[at++] = addressesIn(this.#bytes);
    numbers[at++] = headBytes;
    numbers[at++] = proofBytes;
    numbers.set(
      rowOf(
        record,
        live,
        (_, value) => this.#number(value),
        (facts) => this.#put(facts),
      ),
      at,
    );
    this.#ids.push(record.providerId);
    this.#bytes += room;
    return true;
  }

  /** Returns the batch and starts a new one. */
  take(): RowBatch {
    const batch = {
      ids: this.#ids,
      texts: [...this.#texts.keys()],
      facts: [...this.#facts.keys()],
      lists: Uint32Array.from(this.#lists),
      numbers: this.#numbers.slice(0, this.#ids.length * NUMBERS),
      slab: this.#slab,
      bytes: this.#bytes,
    };
    this.#ids = [];
    this.#texts = new Map([[null, 0]]);
    this.#facts = new Map();
    this.#lists = [0];
    this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    this.#bytes = 0;
    return batch;
  }

  #put(facts: readonly Fact[]): number {
    if (facts.length === 0) return 0;
    const place = this.#lists.length;
    this.#lists.push(facts.length);
    for (const fact of facts) {
      let number = this.#facts.get(fact);
      if (number === undefined) {
        number = this.#facts.size;
        this.#facts.set(fact, number);
      }
      this.#lists.push(number);
    }
    return place;
  }

  #number(text: string | null): number {
    let number = this.#texts.get(text);
    if (number === undefined) {
      number = this.#texts.size;
      this.#texts.set(text, number);
    }
    return number;
  }
}
