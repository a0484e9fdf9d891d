const HANDLES_A_WORD = 32;

/**
 * Allocates small numbers such that those of a group are adjacent: each 32-bit word has handles of one group only. Most words of a group's
 * bitmap are then empty.
 */
export class Handles {
  /** The group of each word in use, and how many of its handles are in use. */
  readonly #words: { group: number; inUse: number }[] = [];
  readonly #emptyWords: number[] = [];
  /** Free handles in the words of each group. */
  readonly #free = new Map<number, number[]>();
  #size = 0;

  /** How many are in use. */
  get size(): number {
    return this.#size;
  }

  /** How many words there are, including empty ones. */
  get words(): number {
    return this.#words.length;
  }

  /** Allocates a handle. */
  take(group: number): number {
    let free = this.#free.get(group);
    if (free === undefined) {
      free = this.#begin(group);
      this.#free.set(group, free);
    }
    const handle = free.pop()!;
    if (free.length === 0) this.#free.delete(group);
    this.#words[handle >>> 5]!.inUse += 1;
    this.#size += 1;
    return handle;
  }

  giveBack(handle: number): void {
    const number = handle >>> 5;
    const word = this.#words[number]!;
    const { group } = word;
    word.inUse -= 1;
    this.#size -= 1;
    const free = this.#free.get(group) ?? [];
    if (word.inUse > 0) {
      free.push(handle);
      this.#free.set(group, free);
      return;
    }
    // Empty, so any group may use it next.
    this.#emptyWords.push(number);
    const others = free.filter((other) => other >>> 5 !== number);
    if (others.length > 0) this.#free.set(group, others);
    else this.#free.delete(group);
  }

  /** The handles of a word that is new to the group. */
  #begin(group: number): number[] {
    const number = this.#emptyWords.pop() ?? this.#words.length;
    this.#words[number] = { group, inUse: 0 };
    return Array.from({ length: HANDLES_A_WORD }, (_, bit) => number * HANDLES_A_WORD + bit).reverse();
  }
}
