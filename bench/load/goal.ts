import { WrongAnswerError } from '../part.js';

/** A number of things that all have to happen in time. */
export class Goal {
  readonly #target: number;
  readonly #what: string;
  readonly #reached: Promise<void>;
  #resolve: () => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  #count = 0;

  constructor(target: number, what: string) {
    this.#target = target;
    this.#what = what;
    this.#reached = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // A failure may come before anybody waits.
    this.#reached.catch(() => undefined);
    if (target === 0) this.#resolve();
  }

  get count(): number {
    return this.#count;
  }

  /** One of them happened. One too many is a failure. */
  add(): void {
    this.#count += 1;
    if (this.#count === this.#target) this.#resolve();
    else if (this.#count > this.#target) this.fail(`more than ${String(this.#target)} ${this.#what}`);
  }

  fail(reason: string): void {
    this.#reject(new WrongAnswerError(reason));
  }

  /** Resolves when all have happened; rejects when one failed, or after the time limit. */
  async wait(limitMs: number): Promise<void> {
    const timer = setTimeout(() => {
      const { length } = String(this.#target);
      const have = String(this.#count).padStart(length);
      this.fail(`${have} of ${String(this.#target)} ${this.#what} within ${String(limitMs / 1000)} s`);
    }, limitMs);
    try {
      await this.#reached;
    } finally {
      clearTimeout(timer);
    }
  }
}
