import { QUEUE } from '../settings.js';

/** One socket's queue, as the backlog sees it. */
interface Queue {
  /** Queued bytes when last measured. */
  readonly counted: number;
  /** Measures its queue, and updates the backlog. */
  count(): number;
  /** Closes it, which also updates the backlog. */
  giveUp(): void;
}

/**
 * The total queued on all sockets, as last measured. Above its limit, the sockets with the longest queues are closed, regardless of who sends
 * next; those with short queues never are.
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

  /** A queue has grown or shrunk; sizes in bytes. */
  move(queue: Queue, from: number, to: number): void {
    this.#bytes += to - from;
    if (to > QUEUE.highWaterBytes) this.#long.add(queue);
    else if (from > QUEUE.highWaterBytes) this.#long.delete(queue);
    if (this.#bytes <= this.#maxBytes || this.#long.size === 0 || this.#isRelieving) return;
    this.#isRelieving = true;
    // Deferred: a connection must not end while another is being sent something.
    queueMicrotask(() => {
      this.#relieve();
      this.#isRelieving = false;
    });
  }

  #relieve(): void {
    // Peers may have read some of it since.
    for (const queue of this.#long) queue.count();
    const longestFirst = [...this.#long].sort((a, b) => b.counted - a.counted);
    for (const queue of longestFirst) {
      if (this.#bytes <= this.#maxBytes) return;
      queue.giveUp();
    }
  }
}
