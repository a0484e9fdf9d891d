import type { Miss } from '../../protocol/answers.js';
import type { Filter } from '../../protocol/filters/filter.js';
import type { Work } from '../../lib/work-queue.js';
import type { AttributeColumns } from '../store/columns.js';
import type { ValueNumbers } from '../store/value-numbers.js';
import type { RowPlace, RowsAt } from './rows-at.js';
import { type ConditionTest, testsOf } from './tests.js';

/** Testing a row is so much of the work of finding one for a list. */
const WORK_A_ROW = 0.1;
const WORK_A_TEST = 0.03;

/** Gets some rows, the slot of each, and what each misses: a bit for each condition. */
type VisitMisses = (
  columns: AttributeColumns,
  rows: readonly number[],
  slots: readonly number[],
  misses: Int32Array,
) => void;

/** Asks the conditions of a filter, of which there are fewer than 32, one by one of all rows. */
export class Misses {
  readonly #tests: readonly ConditionTest[];
  readonly #each: Float64Array;
  #bits = new Int32Array(1);

  constructor(filter: Filter, numbers: ValueNumbers) {
    this.#tests = testsOf(filter, numbers);
    this.#each = new Float64Array(this.#tests.length);
  }

  /** How many of the rows that were looked at miss each condition. */
  get rejectedBy(): Record<string, number> {
    return this.byMember(this.#each);
  }

  /** Numbers that belong to the conditions, by their names. */
  byMember(numbers: Float64Array): Record<string, number> {
    return Object.fromEntries(this.#tests.map(({ member }, place) => [member, numbers[place]!]));
  }

  /** Looks at all rows, in steps. */
  *visit(rows: RowsAt, look: VisitMisses): Work<void> {
    const workARow = WORK_A_ROW + WORK_A_TEST * this.#tests.length;
    yield* rows.visit(
      (columns, indexes, slots) => {
        if (this.#bits.length < indexes.length) this.#bits = new Int32Array(indexes.length);
        const bits = this.#bits.fill(0);
        this.#tests.forEach((test, place) => {
          this.#each[place]! += test.mark(columns, indexes, place, bits);
        });
        look(columns, indexes, slots, bits);
      },
      (looked) => looked * workARow,
    );
  }

  /** What one row misses, in words. */
  describe({ columns, index }: RowPlace): Miss[] {
    return this.#tests
      .filter((test) => test.mark(columns, [index], 0, this.#bits) > 0)
      .map((test) => ({ member: test.member, asked: test.asked, offered: test.offered(columns, index) }));
  }
}
