import { Heap } from '../../lib/heap.js';
import { isBefore, type Ranked } from './rank.js';

/** Keeps the first rows after a position, at most `capacity`, of all that are added. */
export class FirstRows {
  readonly #capacity: number;
  readonly #after: Ranked | null;
  /** The last one on top. */
  readonly #rows = new Heap<Ranked>((a, b) => isBefore(b, a));

  constructor(capacity: number, after: Ranked | null) {
    this.#capacity = capacity;
    this.#after = after;
  }

  get isFull(): boolean {
    return this.#rows.size >= this.#capacity;
  }

  /** Rows with a smaller key are not wanted. */
  get floor(): number {
    return this.#after?.key ?? Number.NEGATIVE_INFINITY;
  }

  /** Rows with a greater key are no longer wanted. */
  get ceiling(): number {
    return this.isFull ? this.#rows.top!.key : Number.POSITIVE_INFINITY;
  }

  /** Whether a row with this key could be among the first, given that its id sorts after all added so far. */
  wants(key: number): boolean {
    return (!this.isFull || key < this.#rows.top!.key) && key >= this.floor;
  }

  add(row: Ranked): void {
    if (this.#after !== null && !isBefore(this.#after, row)) return;
    if (!this.isFull) this.#rows.push(row);
    else if (isBefore(row, this.#rows.top!)) this.#rows.replaceTop(row);
  }

  clear(): void {
    this.#rows.takeAll();
  }

  /** The rows kept, merged with these, each once, in order. */
  sortedWith(others: readonly Ranked[]): Ranked[] {
    const added = new Set(this.#rows.items.map(({ id }) => id));
    for (const row of others) if (!added.has(row.id)) this.add(row);
    return this.#rows.takeAll().sort((a, b) => (isBefore(a, b) ? -1 : 1));
  }
}
