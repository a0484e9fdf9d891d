import type { Miss } from '../../protocol/answers.js';
import type { Filter } from '../../protocol/filters/filter.js';
import type { Work } from '../../lib/turns/work-queue.js';
import type { AttributeColumns } from '../store/columns.js';
import type { ValueNumbers } from '../store/value-numbers.js';
import type { RowPlace, RowsAt } from './rows-at.js';
import { type Block, type ConditionTest, testsOf } from './tests.js';

/** The work of testing a row, relative to visiting one for a list. */
const WORK_A_ROW = 0.1;
const WORK_A_TEST = 0.03;

/** Rows of which at least one in so many places counts are tested together with the places between them. */
const DENSE = 4;
/** Of a byte. */
const BITS = 8;

/** Gets some rows, the slot of each, and what each misses: a bit for each condition. */
type VisitMisses = (
  columns: AttributeColumns,
  rows: readonly number[],
  slots: readonly number[],
  misses: Int32Array,
) => void;

/** Tests all rows against each condition of a filter, of which there are fewer than 32. */
export class Misses {
  readonly #tests: readonly ConditionTest[];
  /** How many rows had each value of a byte of their word, for each byte. */
  readonly #tallies: readonly Float64Array[];
  #bits = new Int32Array(1);
  readonly #one = new Int32Array(1);

  constructor(filter: Filter, numbers: ValueNumbers) {
    this.#tests = testsOf(filter, numbers);
    this.#tallies = this.#tests.flatMap((_test, place) =>
      place % BITS === 0 ? [new Float64Array(1 << BITS)] : [],
    );
  }

  /** How many of the rows tested so far miss each condition. */
  get rejectedBy(): Record<string, number> {
    return this.byMember(
      Float64Array.from(this.#tests, (_test, place) =>
        this.#tallies[Math.floor(place / BITS)]!.reduce(
          (count, rows, byte) => count + ((byte >>> (place % BITS)) & 1) * rows,
          0,
        ),
      ),
    );
  }

  /** Labels one number per condition with the conditions' names. */
  byMember(numbers: Float64Array): Record<string, number> {
    return Object.fromEntries(this.#tests.map(({ member }, place) => [member, numbers[place]!]));
  }

  /** Tests all rows, in steps. */
  *visit(rows: RowsAt, look: VisitMisses): Work<void> {
    const workARow = WORK_A_ROW + WORK_A_TEST * this.#tests.length;
    yield* rows.visit(
      (columns, indexes, slots) => {
        const bits = this.#bitsOf(columns, indexes);
        this.#tallies.forEach((tally, byte) => tallyByte(bits, byte, indexes.length, tally));
        look(columns, indexes, slots, bits);
      },
      (looked) => looked * workARow,
    );
  }

  /** The misses of one row, with what was asked and offered. */
  describe({ columns, index }: RowPlace): Miss[] {
    const bits = this.#bitsOfOne(columns, index);
    return this.#tests
      .filter((_test, place) => (bits & (1 << place)) !== 0)
      .map((test) => ({ member: test.member, asked: test.asked, offered: test.offered(columns, index) }));
  }

  /** What each row misses, good until it is called again. */
  #bitsOf(columns: AttributeColumns, rows: readonly number[]): Int32Array {
    const block = blockOf(rows);
    const room = block?.count ?? rows.length;
    if (this.#bits.length < room) this.#bits = new Int32Array(room);
    const bits = this.#bits;
    if (block === null) {
      for (let at = 0; at < rows.length; at += 1) bits[at] = this.#bitsOfOne(columns, rows[at]!);
      return bits;
    }
    bits.fill(0, 0, room);
    this.#tests.forEach((test, place) => test.mark(columns, block, place, bits));
    // In ascending order none is written over before it is read.
    if (block.count > rows.length)
      for (let at = 0; at < rows.length; at += 1) bits[at] = bits[rows[at]! - block.first]!;
    return bits;
  }

  #bitsOfOne(columns: AttributeColumns, index: number): number {
    this.#one[0] = 0;
    this.#tests.forEach((test, place) => test.mark(columns, { first: index, count: 1 }, place, this.#one));
    return this.#one[0];
  }
}

/** The places from the first to the last of some rows; null where they are too far apart or not in ascending order. */
function blockOf(rows: readonly number[]): Block | null {
  const first = rows[0]!;
  const count = rows.at(-1)! - first + 1;
  if (count < rows.length || count > DENSE * rows.length) return null;
  for (let at = 1; at < rows.length; at += 1) if (rows[at]! <= rows[at - 1]!) return null;
  return { first, count };
}

/** Counts the values that a byte has in the first words. */
function tallyByte(words: Int32Array, byte: number, length: number, tally: Float64Array): void {
  const shift = BITS * byte;
  for (let at = 0; at < length; at += 1) tally[(words[at]! >>> shift) & 0xff]! += 1;
}
