import type { NameOfKind } from '../../protocol/filters/conditions.js';
import { monthlyCost } from '../../protocol/filters/estimate.js';
import { askedAmounts, type Filter } from '../../protocol/filters/filter.js';

/** Numbers per filter: the budget, then the amounts of cores, memory and disk it is for. */
const NUMBERS = 4;

/** The budgets of many filters, side by side: reading them from the filters would take many times as long. */
export class Budgets {
  readonly #name: NameOfKind<'at-most'>;
  #numbers = new Float64Array(0);
  #asking = 0;
  /** Scratch object for estimates. */
  readonly #asked = { cpu: 0, memory: 0, storage: 0 };

  /** @param name The condition that sets the budget. */
  constructor(name: NameOfKind<'at-most'>) {
    this.#name = name;
  }

  /** Whether any filter has a budget. */
  get isAsked(): boolean {
    return this.#asking > 0;
  }

  /** Adds a filter under its handle. */
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

  /** Removes a filter. */
  remove(filter: Filter): void {
    if (filter[this.#name] !== undefined) this.#asking -= 1;
  }

  /** Whether these prices are within a filter's budget. A missing price is NaN, which only matters if there is a budget. */
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
