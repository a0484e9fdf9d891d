/** A binary heap: the first item by `isBefore` is on top. */
export class Heap<T> {
  readonly #isBefore: (a: T, b: T) => boolean;
  #items: T[] = [];

  constructor(isBefore: (a: T, b: T) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The first item; undefined if the heap is empty. */
  get top(): T | undefined {
    return this.#items[0];
  }

  /** All items, in no particular order. */
  get items(): readonly T[] {
    return this.#items;
  }

  push(item: T): void {
    const items = this.#items;
    let at = items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(item, items[parent]!)) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = item;
  }

  /** Removes the first item. */
  pop(): T | undefined {
    const first = this.#items[0];
    const last = this.#items.pop();
    if (this.#items.length > 0) this.#sink(last!, 0);
    return first;
  }

  /** Replaces the first item. */
  replaceTop(item: T): void {
    this.#sink(item, 0);
  }

  /** Replaces the content with these items and takes ownership of the array. */
  load(items: T[]): void {
    this.#items = items;
    for (let at = (items.length >> 1) - 1; at >= 0; at -= 1) this.#sink(items[at]!, at);
  }

  /** Removes and returns all items, in no particular order. */
  takeAll(): T[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }

  #sink(item: T, from: number): void {
    const items = this.#items;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && this.#isBefore(items[child + 1]!, items[child]!)) child += 1;
      if (!this.#isBefore(items[child]!, item)) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = item;
  }
}
