import type { Clock } from '../../src/lib/clock.js';

/** A clock that only moves when it is told to. */
export class FakeClock implements Clock {
  #monotonic = 0;
  #wall: number;

  /** @param wall Unix milliseconds to begin with. */
  constructor(wall = Date.now()) {
    this.#wall = wall;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  wall(): number {
    return this.#wall;
  }

  /** Both kinds of time pass. */
  advance(ms: number): void {
    this.#monotonic += ms;
    this.#wall += ms;
  }

  /** Somebody sets the wall clock. */
  jump(ms: number): void {
    this.#wall += ms;
  }
}
