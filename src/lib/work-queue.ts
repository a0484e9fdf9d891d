import { Lines } from './lines.js';

/** Something that is done in steps, each of which yields how much work it was. */
export type Work<Result> = Generator<number, Result>;

/** Bounds; those of work are in the units that steps yield. */
export interface WorkLimits {
  /** In one iteration of the event loop, of all together. */
  perTurn: number;
  /** What is done at once, or first, before it has to wait its turn. */
  quick: number;
  /** How many are done in turns with each other. */
  running: number;
  /** How many may wait, in all and of one client. */
  waiting: number;
  waitingOfOne: number;
}

interface Job {
  readonly key: string;
  readonly start: () => Work<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Shares the event loop among clients: what takes long is done bit by bit, one step of each client after the other, and
 * what is short need not wait for it. All queues are bounded.
 */
export class WorkQueue {
  readonly #limits: WorkLimits;
  readonly #schedule: (turn: () => void) => void;
  /** Not begun: they may turn out to be short. By client. */
  readonly #fresh = new Lines<Job>();
  /** Known to be long; they begin anew when there is a place. By client. */
  readonly #long = new Lines<Job>();
  /** At most one of each client. */
  #running: { job: Job; work: Work<unknown> }[] = [];
  /** What is left of this iteration's work. */
  #left: number;
  #isScheduled = false;

  /** @param schedule Calls back in the next iteration of the event loop. */
  constructor(limits: WorkLimits, schedule: (turn: () => void) => void = setImmediate) {
    this.#limits = limits;
    this.#schedule = schedule;
    this.#left = limits.perTurn;
  }

  /** How many wait or are being done. */
  get size(): number {
    return this.#fresh.size + this.#long.size + this.#running.length;
  }

  /**
   * Does some work: at once if it is short and nothing waits, else in turns.
   * @param keyOf Names the client, and is only called before this returns.
   * @param start Called when the work begins, and again when it turns out to be long.
   * @returns Null when too much waits.
   */
  run<Result>(keyOf: () => string, start: () => Work<Result>): Result | Promise<Result> | null {
    let lines = this.#fresh;
    const isIdle = this.size === 0;
    if (!isIdle && !this.#admits(keyOf())) return null;
    if (this.#left > 0 && (isIdle || !this.#isBusy(keyOf()))) {
      const outcome = this.#attempt(start);
      if (outcome !== null) return outcome.value;
      lines = this.#long;
    }
    const key = keyOf();
    return new Promise<Result>((resolve, reject) => {
      // Each is resolved with the result of its own `start`.
      lines.add(key, { key, start, resolve: resolve as Job['resolve'], reject });
      this.#wake();
    });
  }

  /** Whether one more of a client may wait. */
  #admits(key: string): boolean {
    const { waiting, waitingOfOne } = this.#limits;
    return this.size < waiting && this.#fresh.of(key) + this.#long.of(key) < waitingOfOne;
  }

  /** Whether something else comes first: others that may be short, or what the same client has asked for before. */
  #isBusy(key: string): boolean {
    const isRunning = this.#running.some(({ job }) => job.key === key);
    return this.#fresh.size > 0 || this.#long.of(key) > 0 || isRunning;
  }

  /** Does what is short; null when it is not. */
  #attempt<Result>(start: () => Work<Result>): { value: Result } | null {
    this.#wake();
    const work = start();
    const least = this.#left - this.#limits.quick;
    do {
      const step = this.#step(work);
      if (step.done === true) return { value: step.value };
    } while (this.#left > least);
    work.return(undefined as Result);
    return null;
  }

  #step<Result>(work: Work<Result>): IteratorResult<number, Result> {
    const step = work.next();
    this.#left -= step.done === true ? 1 : Math.max(1, step.value);
    return step;
  }

  #wake(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#schedule(() => {
      this.#turn();
    });
  }

  #turn(): void {
    this.#isScheduled = false;
    const { perTurn, running } = this.#limits;
    this.#left = perTurn;
    // Half of a turn is for those that have begun.
    while (this.#left > perTurn / 2) {
      const job = this.#fresh.next();
      if (job === undefined) break;
      this.#settle(job, () => {
        const outcome = this.#attempt(job.start);
        if (outcome === null) this.#long.add(job.key, job);
        return outcome;
      });
    }
    while (this.#running.length < running) {
      const job = this.#long.next((key) => this.#running.every((other) => other.job.key !== key));
      if (job === undefined) break;
      this.#running.push({ job, work: job.start() });
    }
    while (this.#left > 0) {
      const first = this.#running.shift();
      if (first === undefined) break;
      this.#settle(first.job, () => {
        const step = this.#step(first.work);
        if (step.done === true) return { value: step.value };
        this.#running.push(first);
        return null;
      });
    }
    if (this.size > 0) this.#wake();
  }

  #settle(job: Job, act: () => { value: unknown } | null): void {
    try {
      const outcome = act();
      if (outcome !== null) job.resolve(outcome.value);
    } catch (error) {
      job.reject(error);
    }
  }
}
