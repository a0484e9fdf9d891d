import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { type Spread, spreadOf } from './spread.js';

/** Milliseconds between two looks; a shorter stop may be missed, and so may one that begins right behind a `take`. */
const RESOLUTION_MS = 20;

/** By how much the event loop was late. */
export interface Lag {
  /** Since the last call. */
  take(): Spread;
}

/** Measures how late the event loop of this process is, for as long as it is not closed. */
export class LoopLag implements Lag {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    this.#histogram.enable();
  }

  take(): Spread {
    // What is counted is the time between two looks, not by how much it is too long.
    const lag =
      this.#histogram.count === 0
        ? { p50: 0, p99: 0, max: 0 }
        : spreadOf(this.#histogram, 1e6, RESOLUTION_MS);
    this.#histogram.reset();
    return lag;
  }

  close(): void {
    this.#histogram.disable();
  }
}
