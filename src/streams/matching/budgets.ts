import { askedAmounts, type Filter } from '../../protocol/filter.js';

/** The most that is paid, then the amounts of cores, memory and disk that it is paid for. */
const NUMBERS = 4;

/** What each of many filters may cost at most, side by side: looking at a filter itself would take many times as long. */
export class Budgets {
  #numbers = new Float64Array(0);

  /** Files a filter under its handle. */
  set(handle: number, filter: Filter): void {
    const at = handle * NUMBERS;
    if (at >= this.#numbers.length) {
      const longer = new Float64Array(Math.max(2 * this.#numbers.length, at + NUMBERS));
      longer.set(this.#numbers);
      this.#numbers = longer;
    }
    const asked = askedAmounts(filter);
    this.#numbers[at] = filter.max_usd_per_month ?? Number.POSITIVE_INFINITY;
    this.#numbers[at + 1] = asked.cpu;
    this.#numbers[at + 2] = asked.memory;
    this.#numbers[at + 3] = asked.storage;
  }

  /** Whether these prices are within a filter's budget; a missing price is NaN, and only of interest where there is one. */
  allow(handle: number, core: number, memory: number, storage: number): boolean {
    const numbers = this.#numbers;
    const at = handle * NUMBERS;
    const most = numbers[at]!;
    // Summed as an estimate is, so that rounding makes no difference.
    return (
      most === Number.POSITIVE_INFINITY ||
      core * numbers[at + 1]! + memory * numbers[at + 2]! + storage * numbers[at + 3]! <= most
    );
  }
}
