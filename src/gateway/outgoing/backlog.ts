import { QUEUE } from '../settings.js';

/** One socket's queue, as the backlog sees it. */
interface Queue {
  /** Bytes that waited when it was last looked at. */
  readonly counted: number;
  /** Looks how much waits, and tells the backlog. */
  count(): number;
  /** Ends it, which tells the backlog too. */
  giveUp(): void;
}

/**
 * What waits in all sockets together, as far as they have been looked at. Above its bound the longest queues are
 * given up, whoever it is that sends next; those with little waiting never are.
 */
export class Backlog {
  readonly #maxBytes: number;
  readonly #long = new Set<Queue>();
  #bytes = 0;
  #isRelieving = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A queue has grown or shrunk, both in bytes. */
  move(queue: Queue, from: number, to: number): void {
    this.#bytes += to - from;
    if (to > QUEUE.highWaterBytes) this.#long.add(queue);
    else if (from > QUEUE.highWaterBytes) this.#long.delete(queue);
    if (this.#bytes <= this.#maxBytes || this.#long.size === 0 || this.#isRelieving) return;
    this.#isRelieving = true;
    // Not from within: a connection must not end while another is being sent something.
    queueMicrotask(() => {
      this.#relieve();
      this.#isRelieving = false;
    });
  }

  #relieve(): void {
    // Peers have taken some since.
    for (const queue of this.#long) queue.count();
    const longestFirst = [...this.#long].sort((a, b) => b.counted - a.counted);
    for (const queue of longestFirst) {
      if (this.#bytes <= this.#maxBytes) return;
      queue.giveUp();
    }
  }
}
