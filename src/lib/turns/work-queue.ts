import { RoundRobin } from './round-robin.js';

/** Work that is done in steps, each of which yields its cost. */
export type Work<Result> = Generator<number, Result>;

/** Limits; those on work are in the units that steps yield. */
export interface WorkLimits {
  /** Total work per event-loop iteration. */
  perTurn: number;
  /** Work that is done before a job has to wait its turn. */
  quick: number;
  /** How many long jobs take turns with each other. */
  running: number;
  /** How many jobs may wait, overall and per client. */
  waiting: number;
  waitingOfOne: number;
}

/** The client that requests work. */
export interface Asker {
  /** Identifies the client; only called before `run` returns. */
  key(): string;
  /** Whether nobody is waiting for the result any more. */
  readonly isGone?: boolean;
}

/** Rejects work whose result nobody is waiting for any more. */
export class UnwantedError extends Error {
  override readonly name = 'UnwantedError';
}

/** Units of work per millisecond: a step that takes longer than it yielded is charged the time. */
const WORK_PER_MS = 3000;

/** The outcome of a short job, or the rest of a long one. */
type Attempt<Result> = { value: Result } | { begun: Work<Result> };

interface Job {
  readonly key: string;
  readonly asker: Asker;
  readonly start: () => Work<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Shares the event loop among clients: long jobs advance step by step, one client after the other, and short jobs need not wait for
 * them. All queues are bounded.
 */
export class WorkQueue {
  readonly #limits: WorkLimits;
  readonly #schedule: (turn: () => void) => void;
  readonly #now: () => number;
  /** Jobs not started yet, which may turn out to be short; by client. */
  readonly #fresh = new RoundRobin<Job>();
  /** Jobs known to be long for which there was no place, and which start anew when there is one; by client. */
  readonly #long = new RoundRobin<Job>();
  /** Long jobs in progress, at most one per client. */
  #running: { job: Job; work: Work<unknown> }[] = [];
  /** Work left in this iteration. */
  #left: number;
  #isScheduled = false;

  /**
   * @param schedule Calls back in the next iteration of the event loop.
   * @param now Milliseconds, to time steps.
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

  /** How many jobs are waiting or in progress. */
  get size(): number {
    return this.#fresh.size + this.#long.size + this.#running.length;
  }

  /**
   * Does some work: at once if it is short and nothing waits, otherwise in turns. Abandons work whose asker has gone.
   * @param start Called when the work begins, and again if it turns out to be long and has to wait for a place.
   * @returns Null if too much is waiting. The promise may reject with an `UnwantedError`.
   */
  run<Result>(asker: Asker, start: () => Work<Result>): Result | Promise<Result> | null {
    const isIdle = this.size === 0;
    if (!isIdle && !this.#admits(asker.key())) return null;
    let attempt: Attempt<Result> | null = null;
    if (this.#left > 0 && (isIdle || !this.#isBusy(asker.key()))) {
      attempt = this.#attempt(start);
      if ('value' in attempt) return attempt.value;
    }
    const begun = attempt?.begun ?? null;
    const key = asker.key();
    return new Promise<Result>((resolve, reject) => {
      // Each job resolves with the result of its own `start`.
      const job: Job = { key, asker, start, resolve: resolve as Job['resolve'], reject };
      if (begun === null) this.#fresh.add(key, job);
      else this.#takeUp(job, begun);
      this.#wake();
    });
  }

  /** Whether a client may have one more job waiting. */
  #admits(key: string): boolean {
    const { waiting, waitingOfOne } = this.#limits;
    return this.size < waiting && this.#fresh.of(key) + this.#long.of(key) < waitingOfOne;
  }

  /** Whether something else comes first: possibly short jobs of others, or earlier ones of the same client. */
  #isBusy(key: string): boolean {
    const isRunning = this.#running.some(({ job }) => job.key === key);
    return this.#fresh.size > 0 || this.#long.of(key) > 0 || isRunning;
  }

  /** Does a job if it is short. */
  #attempt<Result>(start: () => Work<Result>): Attempt<Result> {
    this.#wake();
    const work = start();
    // Judged by the yielded cost, not by time, so that the same jobs are short on every machine.
    let done = 0;
    do {
      const step = this.#step(work);
      if (step.done === true) return { value: step.value };
      done += Math.max(1, step.value);
    } while (done < this.#limits.quick);
    return { begun: work };
  }

  /** Continues a long job if there is a place for it, otherwise has it wait without what it has found so far, which may be large. */
  #takeUp(job: Job, begun: Work<unknown>): void {
    const isFree = this.#running.length < this.#limits.running && this.#long.size === 0;
    if (isFree && this.#running.every((other) => other.job.key !== job.key)) {
      this.#running.push({ job, work: begun });
      return;
    }
    begun.return(undefined);
    this.#long.add(job.key, job);
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
    // Half of each turn is reserved for jobs in progress.
    while (this.#left > perTurn / 2) {
      const job = this.#fresh.next();
      if (job === undefined) break;
      this.#settle(job, () => {
        const attempt = this.#attempt(job.start);
        if ('value' in attempt) return attempt;
        this.#takeUp(job, attempt.begun);
        return null;
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
      if (job.asker.isGone === true) throw new UnwantedError('nobody is waiting for the answer any more');
      const outcome = act();
      if (outcome !== null) job.resolve(outcome.value);
    } catch (error) {
      job.reject(error);
    }
  }
}
