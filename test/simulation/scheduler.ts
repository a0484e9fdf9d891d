import { Heap } from '../../src/lib/heap.js';
import type { CallOff, Timers } from '../../src/lib/timers.js';

interface Event {
  at: number;
  /** Of two at one time the one that was made first comes first. */
  no: number;
  go: () => void;
}

/** More promises than wait for each other in what a hub does about one event. */
const HOPS = 24;

/** Time that only events move: each takes none, and all that follows from one has happened before the next. */
export class Scheduler {
  /** Whole milliseconds, so that what comes later cannot overtake by a rounding. */
  now = 0;
  readonly #events = new Heap<Event>((a, b) => a.at < b.at || (a.at === b.at && a.no < b.no));
  #count = 0;

  after(ms: number, go: () => void): void {
    this.#count += 1;
    this.#events.push({ at: this.now + Math.max(0, Math.ceil(ms)), no: this.#count, go });
  }

  /** Lets time pass. @param look Called after each event. */
  async run(until: number, look: () => void): Promise<void> {
    for (let next = this.#events.top; next !== undefined && next.at <= until; next = this.#events.top) {
      this.#events.pop();
      this.now = next.at;
      next.go();
      // What waits for promises goes on here; a turn of the event loop each would take most of the time.
      for (let hop = 0; hop < HOPS; hop += 1) await Promise.resolve();
      look();
    }
    this.now = until;
    // Others in this process have a turn, too.
    await new Promise(setImmediate);
  }
}

/** The timers of one process: nothing happens while it stands still, nor once it is dead. */
export class ProcessTimers implements Timers {
  stalledUntil = 0;
  isDead = false;
  readonly #scheduler: Scheduler;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  get isStalled(): boolean {
    return this.#scheduler.now < this.stalledUntil;
  }

  now(): number {
    return this.#scheduler.now;
  }

  after(ms: number, go: () => void): CallOff {
    let isOff = false;
    const fire = (): void => {
      if (isOff || this.isDead) return;
      if (this.isStalled) this.#scheduler.after(this.stalledUntil - this.#scheduler.now, fire);
      else go();
    };
    this.#scheduler.after(ms, fire);
    return () => {
      isOff = true;
    };
  }

  every(ms: number, go: () => void): CallOff {
    let callOff: CallOff;
    const again = (): void => {
      callOff = this.after(ms, again);
      go();
    };
    callOff = this.after(ms, again);
    return () => {
      callOff();
    };
  }

  turn(): Promise<void> {
    return new Promise((resolve) => this.after(0, resolve));
  }
}
