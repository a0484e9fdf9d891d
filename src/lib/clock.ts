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
  /** The machine's uptime, which setting the clock cannot change; null where it is not available. */
  boot(): BootTime | null;
}

export interface BootTime {
  /** Identifies this boot of the machine. */
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

/** Linux has an id for each boot. Other systems offer nothing to tell two boots apart. */
function readBootId(): string | null {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return null;
  }
}

/** How often the hub checks its deadlines, in milliseconds. */
export const TICK_MS = 200;

/** A longer gap between two ticks is a stall, in milliseconds. */
const STALL_MS = 1000;

/** A wall clock that deviates by more than this has been set, in milliseconds. */
const STEP_MS = 500;

/** The most time that counts as passed across a reboot: only the wall clock can tell, and it may be wrong. */
const MAX_UNPROVEN_MS = 24 * 3_600_000;

/** Steady time at some moment, for a later run to continue from. Unix milliseconds. */
export interface ClockAnchor {
  steady: number;
  wall: number;
  boot: BootTime | null;
}

/**
 * The hub's times.
 *
 * `now`, service time, is what deadlines are measured in: monotonic milliseconds minus the time in which the hub itself stood still, so
 * that nobody is charged for signals that could not be read. It only moves at ticks, so every stall is credited before a
 * deadline is checked. Time in which the hub was busy does count, or whoever keeps it busy could hold off every deadline; but
 * it counts a tick later, once whatever arrived meanwhile could be read.
 *
 * `steady` is what is stored: Unix milliseconds that advance evenly, whatever the wall clock is set to, and across runs. Adding
 * `shift` converts it to wall-clock time for display.
 */
export class ServiceClock {
  readonly #clock: Clock;
  #lastTick: number;
  #lastCpu: number;
  /** Busy time of the last stall, which has not counted yet. */
  #owed = 0;
  #credit = 0;
  #now = 0;
  /** Steady time minus monotonic time. */
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

  /** How far the wall clock was ahead of steady time when last checked, in milliseconds. */
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

  /** Continues the steady time of an earlier run. Must be called before this run stores anything. */
  resume(anchor: ClockAnchor): void {
    this.#base = anchor.steady + this.#elapsedSince(anchor) - this.#clock.monotonic();
    this.#shift = this.#measureShift();
  }

  /** Advances service time. Called every `TICK_MS`, before any deadline is checked. */
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

  /** Checks the wall clock. @returns Whether somebody has set it since the last check. */
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
