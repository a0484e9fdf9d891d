import type { Delivery } from './stream.js';

/** Every this many bytes, a frame costs as much as one more frame, because sockets may have to copy it. */
const BYTES_PER_FRAME = 16 * 1024;

/**
 * Hands deliveries to sockets, a bounded number of frames per event-loop iteration, fewer if they are large: one change may go to tens of
 * thousands of subscribers, and must not hold up everybody else.
 */
export class FanOut {
  readonly #framesPerTurn: number;
  readonly #onDone: () => void;
  #queue: Delivery[] = [];
  #scheduled = false;

  /** @param onDone Called once everything has been handed over. */
  constructor(framesPerTurn: number, onDone: () => void) {
    this.#framesPerTurn = framesPerTurn;
    this.#onDone = onDone;
  }

  /** Whether nothing is left to deliver. */
  get idle(): boolean {
    return this.#queue.length === 0;
  }

  add(delivery: Delivery): void {
    delivery.stream.delivery = delivery;
    this.#queue.push(delivery);
  }

  /** Sends this iteration's share; the rest follows automatically. */
  run(): void {
    if (this.#scheduled) return;
    let left = this.#framesPerTurn;
    let finished = 0;
    for (const delivery of this.#queue) {
      left = send(delivery, left);
      if (left === 0) break;
      delivery.stream.delivery = null;
      finished += 1;
    }
    this.#queue = finished === this.#queue.length ? [] : this.#queue.slice(finished);
    if (this.#queue.length === 0) return this.#onDone();
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.run();
    });
  }
}

/** @returns How many frames may still be sent; 0 if there may be subscribers left. */
function send({ rest, frames, seq, base }: Delivery, limit: number): number {
  for (let left = limit; left > 0;) {
    const { value: subscription } = rest.next();
    if (subscription === undefined) return left;
    // Subscribers that have joined or caught up since the flush already know it.
    if (subscription.state !== 'live' || subscription.seq >= seq) continue;
    const { subscriber } = subscription;
    if (subscriber.writable) {
      subscription.seq = seq;
      const frame = frames[subscriber.codec.name]!;
      subscriber.send(frame);
      left -= 1 + Math.floor(frame.length / BYTES_PER_FRAME);
    } else {
      subscription.state = 'waiting';
      subscription.seq = base;
    }
  }
  return 0;
}
