const HANDLES_A_WORD = 32;

/**
 * Gives out small numbers, so that those of a group lie together: each word of 32 has handles of one group only. Then most
 * words of a bitmap of what one group asks for are empty.
 */
export class Handles {
  /** The group of each word that is in use, and how many of its handles are. */
  readonly #words: { group: number; inUse: number }[] = [];
  readonly #emptyWords: number[] = [];
  /** Free handles in words of each group. */
  readonly #free = new Map<number, number[]>();
  #size = 0;

  /** How many are in use. */
  get size(): number {
    return this.#size;
  }

  /** How many words there are, empty ones included. */
  get words(): number {
    return this.#words.length;
  }

  /** A handle that is not in use. */
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
    // Empty, so that any group may have it next.
    this.#emptyWords.push(number);
    const others = free.filter((other) => other >>> 5 !== number);
    if (others.length > 0) this.#free.set(group, others);
    else this.#free.delete(group);
  }

  /** The handles of a word that the group had no part of yet. */
  #begin(group: number): number[] {
    const number = this.#emptyWords.pop() ?? this.#words.length;
    this.#words[number] = { group, inUse: 0 };
    return Array.from({ length: HANDLES_A_WORD }, (_, bit) => number * HANDLES_A_WORD + bit).reverse();
  }
}
