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

/** Who asks for work. */
export interface Asker {
  /** Names the client; only called before `run` returns. */
  key(): string;
  /** Whether nobody waits for the answer any more. */
  readonly isGone?: boolean;
}

/** What work is refused with that nobody waits for any more. */
export class UnwantedError extends Error {
  override readonly name = 'UnwantedError';
}

/** Units of work in a millisecond: a step that takes longer than it says counts for what it took. */
const WORK_PER_MS = 3000;

interface Job {
  readonly key: string;
  readonly asker: Asker;
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
  readonly #now: () => number;
  /** Not begun: they may turn out to be short. By client. */
  readonly #fresh = new Lines<Job>();
  /** Known to be long; they begin anew when there is a place. By client. */
  readonly #long = new Lines<Job>();
  /** At most one of each client. */
  #running: { job: Job; work: Work<unknown> }[] = [];
  /** What is left of this iteration's work. */
  #left: number;
  #isScheduled = false;

  /**
   * @param schedule Calls back in the next iteration of the event loop.
   * @param now Milliseconds, by which work is measured.
   */
  constructor(
    limits: WorkLimits,
    schedule: (turn: () => void) => void = setImmediate,
    now: () => number = () => performance.now(),
  ) {
    this.#limits = limits;
    this.#schedule = schedule;
    this.#now = now;
    this.#left = limits.perTurn;
  }

  /** How many wait or are being done. */
  get size(): number {
    return this.#fresh.size + this.#long.size + this.#running.length;
  }

  /**
   * Does some work: at once if it is short and nothing waits, else in turns. What nobody waits for any more is not gone on
   * with.
   * @param start Called when the work begins, and again when it turns out to be long.
   * @returns Null when too much waits; a promise may be rejected with an `UnwantedError`.
   */
  run<Result>(asker: Asker, start: () => Work<Result>): Result | Promise<Result> | null {
    let lines = this.#fresh;
    const isIdle = this.size === 0;
    if (!isIdle && !this.#admits(asker.key())) return null;
    if (this.#left > 0 && (isIdle || !this.#isBusy(asker.key()))) {
      const outcome = this.#attempt(start);
      if (outcome !== null) return outcome.value;
      lines = this.#long;
    }
    const key = asker.key();
    return new Promise<Result>((resolve, reject) => {
      // Each is resolved with the result of its own `start`.
      lines.add(key, { key, asker, start, resolve: resolve as Job['resolve'], reject });
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
    // By what it says: what is short has to be so on every machine.
    let done = 0;
    do {
      const step = this.#step(work);
      if (step.done === true) return { value: step.value };
      done += Math.max(1, step.value);
    } while (done < this.#limits.quick);
    work.return(undefined as Result);
    return null;
  }

  #step<Result>(work: Work<Result>): IteratorResult<number, Result> {
    const from = this.#now();
    const step = work.next();
    const took = (this.#now() - from) * WORK_PER_MS;
    this.#left -= Math.max(1, took, step.done === true ? 0 : step.value);
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
      if (first.job.asker.isGone === true) first.work.return(undefined);
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
      if (job.asker.isGone === true) throw new UnwantedError('nobody waits for the answer any more');
      const outcome = act();
      if (outcome !== null) job.resolve(outcome.value);
    } catch (error) {
      job.reject(error);
    }
  }
}
