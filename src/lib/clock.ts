/** Where time comes from. Tests drive their own. */
export interface Clock {
  /** Milliseconds that never run backwards. */
  monotonic(): number;
  /** Unix time in milliseconds; may jump. */
  wall(): number;
}

export const systemClock: Clock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
};

/** How often the hub looks at its deadlines, in milliseconds. */
export const TICK_MS = 200;

/** A gap between two ticks above this is time in which the hub stood still, in milliseconds. */
const STALL_MS = 1000;

/**
 * The time that all deadlines are measured in: monotonic milliseconds less the time in which the hub itself
 * stood still. A provider whose heartbeats could not be read meanwhile is not charged for it. It is coarse: it
 * moves at ticks only, so every deadline sees a stall credited before it is looked at.
 */
export class ServiceClock {
  readonly #clock: Clock;
  #lastTick: number;
  #credit = 0;
  #now = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastTick = clock.monotonic();
  }

  /** Service time in milliseconds, as of the last tick. */
  get now(): number {
    return this.#now;
  }

  /** Milliseconds credited for stalls so far. */
  get credited(): number {
    return this.#credit;
  }

  /** Unix time in milliseconds. */
  wall(): number {
    return this.#clock.wall();
  }

  /** Moves service time on. Called every `TICK_MS`, before anything looks at a deadline. */
  tick(): void {
    const monotonic = this.#clock.monotonic();
    const gap = monotonic - this.#lastTick;
    this.#lastTick = monotonic;
    const counted = gap > STALL_MS ? TICK_MS : gap;
    this.#credit += gap - counted;
    this.#now += counted;
  }
}
