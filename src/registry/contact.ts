import type { Log } from './log.js';

/** Without a word of the store for so long, a hub does not count the time against anybody, in milliseconds. */
const SILENCE_MS = 4000;
/** From then on what a hub knows is too old to be told, in milliseconds. */
const STALE_MS = 11_000;
/** From then on the others count it as dead, and so it does itself, in milliseconds. */
const DEAD_MS = 15_000;
/** Time between two looks that counts at most: while the hub itself stood still nobody could be heard. */
const LOOK_MS = 1000;
/** How long somebody who names a position that is not reached yet waits for it, in milliseconds. */
const PATIENCE_MS = 2000;

interface Waiter {
  position: number;
  until: number;
  go: () => void;
}

/** Whether a hub is in contact with the store that it shares with others, and what it does not get without. */
export class Contact {
  #silentMs = 0;
  /** Of the present silence, what the hub has been awake for. */
  #awakeMs = 0;
  #lookedAt: number | null = null;
  #lostMs = 0;
  #waiters: Waiter[] = [];

  /** Milliseconds without contact so far: nobody expires by them. */
  get lostMs(): number {
    return this.#lostMs;
  }

  /** Whether nobody should be told what is known here. */
  isStale(log: Log): boolean {
    return log.silentMs > STALE_MS;
  }

  /** Whether the other hubs take this one for dead, and it has had the time to see that. */
  get isCutOff(): boolean {
    return this.#awakeMs > DEAD_MS;
  }

  /** Looks at the log. Called every tick. @param now Monotonic milliseconds. */
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

  /** Calls back once a position is reached, or after a while all the same. */
  awaitPosition(position: number, go: () => void): void {
    this.#waiters.push({ position, until: (this.#lookedAt ?? 0) + PATIENCE_MS, go });
  }

  /** All up to a position is applied. */
  reached(position: number): void {
    if (this.#waiters.length === 0) return;
    const due = this.#waiters.filter((waiter) => waiter.position <= position);
    this.#waiters = this.#waiters.filter((waiter) => waiter.position > position);
    for (const { go } of due) go();
  }
}
