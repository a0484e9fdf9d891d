/** One queue per client, served round-robin. */
export class RoundRobin<Item> {
  readonly #queues = new Map<string, Item[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The length of one client's queue. */
  of(key: string): number {
    return this.#queues.get(key)?.length ?? 0;
  }

  add(key: string, item: Item): void {
    const queue = this.#queues.get(key);
    if (queue === undefined) this.#queues.set(key, [item]);
    else queue.push(item);
    this.#size += 1;
  }

  /** The first item of the client whose turn it is. */
  next(mayBe: (key: string) => boolean = () => true): Item | undefined {
    for (const [key, queue] of this.#queues) {
      if (!mayBe(key)) continue;
      const item = queue.shift()!;
      this.#queues.delete(key);
      if (queue.length > 0) this.#queues.set(key, queue);
      this.#size -= 1;
      return item;
    }
    return undefined;
  }
}
