import type { NameOfKind } from '../../protocol/filters/conditions.js';
import { monthlyCost } from '../../protocol/filters/estimate.js';
import { askedAmounts, type Filter } from '../../protocol/filters/filter.js';

/** The most that is paid, then the amounts of cores, memory and disk that it is paid for. */
const NUMBERS = 4;

/** What each of many filters may cost at most, side by side: looking at a filter itself would take many times as long. */
export class Budgets {
  readonly #name: NameOfKind<'at-most'>;
  #numbers = new Float64Array(0);
  #asking = 0;
  /** What an estimate is made for, used again and again. */
  readonly #asked = { cpu: 0, memory: 0, storage: 0 };

  /** @param name The condition that limits what is paid. */
  constructor(name: NameOfKind<'at-most'>) {
    this.#name = name;
  }

  /** Whether any filter has a budget. */
  get isAsked(): boolean {
    return this.#asking > 0;
  }

  /** Files a filter under its handle. */
  set(handle: number, filter: Filter): void {
    const at = handle * NUMBERS;
    if (at >= this.#numbers.length) {
      const longer = new Float64Array(Math.max(2 * this.#numbers.length, at + NUMBERS));
      longer.set(this.#numbers);
      this.#numbers = longer;
    }
    const most = filter[this.#name];
    if (most !== undefined) this.#asking += 1;
    const asked = askedAmounts(filter);
    this.#numbers[at] = most ?? Number.POSITIVE_INFINITY;
    this.#numbers[at + 1] = asked.cpu;
    this.#numbers[at + 2] = asked.memory;
    this.#numbers[at + 3] = asked.storage;
  }

  /** Takes a filter out again. */
  remove(filter: Filter): void {
    if (filter[this.#name] !== undefined) this.#asking -= 1;
  }

  /** Whether these prices are within a filter's budget; a missing price is NaN, and only of interest where there is one. */
  allow(handle: number, core: number, memory: number, storage: number): boolean {
    const numbers = this.#numbers;
    const at = handle * NUMBERS;
    const most = numbers[at]!;
    if (most === Number.POSITIVE_INFINITY) return true;
    const asked = this.#asked;
    asked.cpu = numbers[at + 1]!;
    asked.memory = numbers[at + 2]!;
    asked.storage = numbers[at + 3]!;
    return monthlyCost(core, memory, storage, asked) <= most;
  }
}
