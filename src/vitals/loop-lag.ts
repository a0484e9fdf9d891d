import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { type Spread, spreadOf } from './spread.js';

/** Milliseconds between two samples; a shorter stop may be missed, and so may one right after a `take`. */
const RESOLUTION_MS = 20;

/** Measures event-loop lag. */
export interface Lag {
  /** Since the last call. */
  take(): Spread;
}

/** Measures this process's event-loop lag until closed. */
export class LoopLag implements Lag {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    this.#histogram.enable();
  }

  take(): Spread {
    // The histogram holds the time between two samples, not the excess.
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
