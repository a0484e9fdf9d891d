import type { Down } from '../../protocol/frames/frames-down.js';
import type { Scheduler } from '../scheduler.js';
import { signingTime } from '../signing/signing-time.js';

/** The difference between the local clock and the hub's, learned from the times that the hub sends. */
export class ClockSkew {
  readonly #scheduler: Scheduler;
  /** Milliseconds by which the local clock is ahead. */
  #ms = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** @param hubTime The hub's time, ISO 8601; ignored if it is malformed. */
  learn(hubTime: string): void {
    const hubNow = Date.parse(hubTime);
    if (!Number.isNaN(hubNow)) this.#ms = this.#scheduler.now() - hubNow;
  }

  /** The time to sign with now, in Unix milliseconds. */
  signingTime(): number {
    const now = this.#scheduler.now();
    return signingTime(now, now - this.#ms);
  }

  /** Adds the difference to a refusal that it explains. */
  explain(frame: Down<'error'>): Down<'error'> {
    const seconds = Math.round(Math.abs(this.#ms) / 1000);
    if (frame.code !== 'AUTH_002' || seconds < 1) return frame;
    const direction = this.#ms > 0 ? 'ahead of' : 'behind';
    return {
      ...frame,
      message: `${frame.message} (the clock here is ${String(seconds)} s ${direction} the hub's)`,
    };
  }
}
