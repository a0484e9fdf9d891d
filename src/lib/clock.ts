import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

/** Where time comes from. Tests drive their own. */
export interface Clock {
  /** Milliseconds that never run backwards. */
  monotonic(): number;
  /** Unix time in milliseconds; may jump. */
  wall(): number;
  /** Milliseconds of processor time that the process has used. */
  cpu(): number;
  /** The machine's own time, which no process and nobody who sets the clock can move; null where there is none. */
  boot(): BootTime | null;
}

export interface BootTime {
  /** Names the run of the machine. */
  id: string;
  /** How long the machine has been running, in milliseconds. */
  uptimeMs: number;
}

const BOOT_ID = readBootId();

export const systemClock: Clock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
  boot: () => (BOOT_ID === null ? null : { id: BOOT_ID, uptimeMs: Math.round(uptime() * 1000) }),
};

/** Linux names each run of the machine. Elsewhere there is nothing to tell two runs apart by. */
function readBootId(): string | null {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return null;
  }
}

/** How often the hub looks at its deadlines, in milliseconds. */
export const TICK_MS = 200;

/** A gap between two ticks above this is a stall, in milliseconds. */
const STALL_MS = 1000;

/** A wall clock that differs by more than this from what was expected has been set, in milliseconds. */
const STEP_MS = 500;

/** Time between two runs of the machine that counts at most: the wall clock alone tells of it, and may be wrong. */
const MAX_UNPROVEN_MS = 24 * 3_600_000;

/** Where steady time stood at a moment, so that a later run goes on from there. Unix milliseconds. */
export interface ClockAnchor {
  steady: number;
  wall: number;
  boot: BootTime | null;
}

/**
 * The times that a hub goes by.
 *
 * `now` is what deadlines are measured in: monotonic milliseconds less the time in which the hub itself stood still. A
 * provider whose heartbeats could not be read meanwhile is not charged for it. It is coarse: it moves at ticks only, so
 * every deadline sees a stall credited before it is looked at. Time in which the hub was busy counts, or whoever keeps it
 * busy would keep what has gone listed; but a tick later, once what came meanwhile could be read.
 *
 * `steady` is what is stored: Unix milliseconds that go on evenly, whatever the wall clock is set to, also from one run
 * to the next. `shift` takes it to the wall clock's time for whoever is shown it.
 */
export class ServiceClock {
  readonly #clock: Clock;
  #lastTick: number;
  #lastCpu: number;
  /** Busy time of the last stall, which has not counted yet. */
  #owed = 0;
  #credit = 0;
  #now = 0;
  /** Steady time less monotonic time. */
  #base: number;
  #shift = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastTick = clock.monotonic();
    this.#lastCpu = clock.cpu();
    this.#base = clock.wall() - this.#lastTick;
  }

  /** Service time in milliseconds, as of the last tick. */
  get now(): number {
    return this.#now;
  }

  /** Milliseconds credited for stalls so far. */
  get credited(): number {
    return this.#credit;
  }

  /** What the wall clock is ahead of steady time, in milliseconds, as of the last look at it. */
  get shift(): number {
    return this.#shift;
  }

  /** Unix time in milliseconds. */
  wall(): number {
    return this.#clock.wall();
  }

  /** Steady time in Unix milliseconds. */
  steady(): number {
    return Math.round(this.#base + this.#clock.monotonic());
  }

  get anchor(): ClockAnchor {
    return { steady: this.steady(), wall: this.wall(), boot: this.#clock.boot() };
  }

  /** Goes on from where steady time stood in an earlier run. Comes before anything was stored in this one. */
  resume(anchor: ClockAnchor): void {
    this.#base = anchor.steady + this.#elapsedSince(anchor) - this.#clock.monotonic();
    this.#shift = this.#measureShift();
  }

  /** Moves service time on. Called every `TICK_MS`, before anything looks at a deadline. */
  tick(): void {
    const monotonic = this.#clock.monotonic();
    const gap = monotonic - this.#lastTick;
    this.#lastTick = monotonic;
    const cpu = this.#clock.cpu();
    const busy = cpu - this.#lastCpu;
    this.#lastCpu = cpu;
    this.#now += this.#owed;
    this.#owed = 0;
    if (gap <= STALL_MS) {
      this.#now += gap;
      return;
    }
    this.#owed = Math.min(gap, Math.max(busy, TICK_MS)) - TICK_MS;
    this.#credit += gap - TICK_MS - this.#owed;
    this.#now += TICK_MS;
  }

  /** Looks at the wall clock. @returns Whether somebody has set it since the last look. */
  followWall(): boolean {
    const shift = this.#measureShift();
    if (Math.abs(shift - this.#shift) < STEP_MS) return false;
    this.#shift = shift;
    return true;
  }

  #measureShift(): number {
    return this.wall() - this.steady();
  }

  #elapsedSince({ wall, boot }: ClockAnchor): number {
    const present = this.#clock.boot();
    const sinceBoot = present !== null && present.id === boot?.id ? present.uptimeMs - boot.uptimeMs : -1;
    if (sinceBoot >= 0) return sinceBoot;
    return Math.min(Math.max(this.wall() - wall, 0), MAX_UNPROVEN_MS);
  }
}
