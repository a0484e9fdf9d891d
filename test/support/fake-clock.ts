import type { BootTime, Clock } from '../../src/lib/clock.js';

/** A clock that only moves when it is told to. */
export class FakeClock implements Clock {
  #monotonic = 0;
  #wall: number;
  #cpu = 0;
  #boot: BootTime = { id: 'first', uptimeMs: 3_600_000 };

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

  cpu(): number {
    return this.#cpu;
  }

  /** The same time passes, in which the process is busy. */
  work(ms: number): void {
    this.advance(ms);
    this.#cpu += ms;
  }

  /** Both kinds of time pass. */
  advance(ms: number): void {
    this.#monotonic += ms;
    this.#wall += ms;
    this.#boot = { ...this.#boot, uptimeMs: this.#boot.uptimeMs + ms };
  }

  boot(): BootTime {
    return this.#boot;
  }

  /** The machine starts anew. What that takes is up to whoever advances the clock. */
  reboot(): void {
    this.#boot = { id: `${this.#boot.id}+`, uptimeMs: 0 };
  }

  /** Somebody sets the wall clock. */
  jump(ms: number): void {
    this.#wall += ms;
  }
}
