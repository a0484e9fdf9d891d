import { DEAD_MS, type Log } from './log.js';

/** After this much silence from the store, time stops counting against providers, in milliseconds. */
const SILENCE_MS = 4000;
/** After this much silence, what a hub knows is too old to show, in milliseconds. */
const STALE_MS = 11_000;
/** The most time between two checks that counts as silence: a hub that stalled could not hear anything. */
const LOOK_MS = 1000;
/** How long a request waits for a position that is not reached yet, in milliseconds. */
const PATIENCE_MS = 2000;

interface Waiter {
  position: number;
  until: number;
  go: () => void;
}

/** Tracks whether a hub is in contact with the store it shares with others. */
export class Contact {
  #silentMs = 0;
  /** How much of the present silence the hub was awake for. */
  #awakeMs = 0;
  #lookedAt: number | null = null;
  #lostMs = 0;
  #waiters: Waiter[] = [];

  /** Total milliseconds without contact, which count towards no expiry. */
  get lostMs(): number {
    return this.#lostMs;
  }

  /** Whether what is known here is too old to show. */
  isStale(log: Log): boolean {
    return log.silentMs > STALE_MS;
  }

  /** Whether the other hubs consider this one dead, and it was awake long enough to know. */
  get isCutOff(): boolean {
    return this.#awakeMs > DEAD_MS;
  }

  /** Checks the log. Called every tick. @param now Monotonic milliseconds. */
  tick(log: Log, now: number): void {
    const gap = now - (this.#lookedAt ?? now);
    this.#lookedAt = now;
    const silentMs = log.silentMs > SILENCE_MS ? log.silentMs : 0;
    this.#lostMs += Math.max(0, silentMs - this.#silentMs);
    this.#silentMs = silentMs;
    if (silentMs === 0) this.#awakeMs = 0;
    else this.#awakeMs += this.#awakeMs === 0 ? SILENCE_MS : Math.min(gap, LOOK_MS);
    this.#waiters = this.#waiters.filter(({ until, go }) => {
      if (now < until) return true;
      go();
      return false;
    });
  }

  /** Calls back once a position is reached, or after a timeout. */
  awaitPosition(position: number, go: () => void): void {
    this.#waiters.push({ position, until: (this.#lookedAt ?? 0) + PATIENCE_MS, go });
  }

  /** Everything up to a position is applied. */
  reached(position: number): void {
    if (this.#waiters.length === 0) return;
    const due = this.#waiters.filter((waiter) => waiter.position <= position);
    this.#waiters = this.#waiters.filter((waiter) => waiter.position > position);
    for (const { go } of due) go();
  }
}
