import {
  CONDITION_NAMES,
  type ConditionKind,
  CONDITIONS,
  type NameOfKind,
} from '../../protocol/filters/conditions.js';
import type { AskedValue, OfferedValue } from '../../protocol/answers.js';
import type { Amounts } from '../../protocol/filters/estimate.js';
import { askedAmounts, type Filter } from '../../protocol/filters/filter.js';
import { AMOUNTS, type AttributeColumns, COUNTRY, ESTIMATES, FLAGS, LIVE, VALUES } from '../store/columns.js';
import { attributeSubject, resourceSubject, type Subject, valueIn } from '../store/facts/fact.js';
import type { FactLists } from '../store/facts/fact-lists.js';
import { FactTests } from '../store/facts/fact-tests.js';
import { estimate } from '../store/predicate.js';
import { finite } from '../store/price-index.js';
import type { ValueNumbers } from '../store/value-numbers.js';

/** One condition of a filter, to be asked by itself. Where a predicate says no, its tests say why. */
export interface ConditionTest {
  /** What a query calls it. */
  readonly member: string;
  readonly asked: AskedValue;
  /**
   * Marks the rows that do not meet it, a block of them at once.
   * @param bit What is set in the word of each such row in `misses`.
   * @returns How many there are.
   */
  mark(columns: AttributeColumns, rows: readonly number[], bit: number, misses: Int32Array): number;
  /** What the row at this index has instead, while somebody holds its texts; null where it has nothing of the kind. */
  offered(columns: AttributeColumns, index: number): OfferedValue;
}

type Test = Pick<ConditionTest, 'mark' | 'offered'>;

type Testers = {
  readonly [Kind in ConditionKind]: (
    name: NameOfKind<Kind>,
    filter: Filter,
    numbers: ValueNumbers,
  ) => readonly ConditionTest[];
};

function alone(member: string, asked: AskedValue, test: Test): readonly ConditionTest[] {
  return [{ member, asked, ...test }];
}

/** How a condition of each kind that a filter asks is tested. */
const TESTERS: Testers = {
  'at-least': (name, filter) => {
    const place = AMOUNTS.indexOf(name);
    const least = filter[name]!;
    return alone(name, least, {
      mark: ({ amounts }, rows, bit, misses) => markLess(amounts[place]!, least, rows, bit, misses),
      offered: ({ amounts }, index) => amounts[place]![index]!,
    });
  },
  'one-of': (name, filter, numbers) => {
    const place = VALUES.indexOf(name);
    const asked = filter[name]!;
    const accepted = numbersOf(asked, place, numbers);
    return alone(name, asked, {
      mark: ({ values }, rows, bit, misses) => markValues(values[place]!, accepted, false, rows, bit, misses),
      offered: ({ values }, index) => numbers.text(place, values[place]![index]!),
    });
  },
  'none-of': (name, filter, numbers) => {
    const asked = filter[name]!;
    const refused = numbersOf(asked, COUNTRY, numbers);
    return alone(name, asked, {
      mark: ({ values }, rows, bit, misses) => markValues(values[COUNTRY]!, refused, true, rows, bit, misses),
      offered: ({ values }, index) => numbers.text(COUNTRY, values[COUNTRY]![index]!),
    });
  },
  'not-these': (name, filter) => {
    const asked = filter[name]!;
    const refused = new Set(asked);
    return alone(name, asked, {
      mark: ({ ids }, rows, bit, misses) => markIds(ids, refused, rows, bit, misses),
      offered: ({ ids }, index) => ids[index]!,
    });
  },
  'at-most': (name, filter) => {
    const place = ESTIMATES.indexOf(name);
    const most = filter[name]!;
    const amounts = askedAmounts(filter);
    return alone(name, most, {
      mark: (columns, rows, bit, misses) => markDearer(columns, place, amounts, most, rows, bit, misses),
      offered: (columns, index) => priceOf(estimate(columns, index, amounts, place)),
    });
  },
  only: (name, filter) => {
    const place = FLAGS.indexOf(name);
    return alone(name, filter[name]!, {
      mark: ({ flags }, rows, bit, misses) => markUnflagged(flags[place]!, rows, bit, misses),
      offered: ({ flags }, index) => {
        const isSo = flags[place]![index] === 1;
        return place === LIVE ? (isSo ? 'live' : 'suspect') : isSo;
      },
    });
  },
  'further-resources': (name, filter, { facts }) =>
    Object.entries(filter[name]!).map(([resource, asked]) => {
      const tests = new FactTests({ [name]: { [resource]: asked } }, facts);
      return {
        member: `${name}.${resource}`,
        asked,
        ...factTest(tests, resourceSubject(resource), 0, facts),
      };
    }),
  attributes: (name, filter, { facts }) =>
    Object.entries(filter[name]!).map(([attribute, asked]) => {
      const tests = new FactTests({ [name]: { [attribute]: asked } }, facts);
      return {
        member: `attr.${attribute}`,
        asked,
        ...factTest(tests, attributeSubject(attribute), null, facts),
      };
    }),
};

/** @param none What is offered where nothing is said about the subject. */
function factTest(tests: FactTests, subject: Subject, none: OfferedValue, lists: FactLists): Test {
  return {
    mark: ({ facts }, rows, bit, misses) => markWithoutFact(facts, tests, rows, bit, misses),
    offered: ({ facts }, index) => {
      const fact = lists.find(facts[index]!, subject);
      return fact === undefined ? none : valueIn(fact);
    },
  };
}

function testsOfKind<Kind extends ConditionKind>(
  kind: Kind,
  name: NameOfKind<Kind>,
  filter: Filter,
  numbers: ValueNumbers,
): readonly ConditionTest[] {
  return TESTERS[kind](name, filter, numbers);
}

/**
 * The conditions that a filter asks, in canonical order, each attribute and further resource one of its own. Its texts become
 * numbers here, so they are good for rows that were there when they were made, or for as long as somebody holds these texts.
 */
export function testsOf(filter: Filter, numbers: ValueNumbers): ConditionTest[] {
  return CONDITION_NAMES.flatMap((name) =>
    filter[name] === undefined ? [] : testsOfKind(CONDITIONS[name].kind, name, filter, numbers),
  );
}

/** An estimate as it is shown: null where there is none. */
export function priceOf(cost: number): number | null {
  return Number.isNaN(cost) ? null : finite(cost);
}

function numbersOf(values: readonly string[], place: number, numbers: ValueNumbers): ReadonlySet<number> {
  return new Set(values.flatMap((value) => numbers.find(place, value) ?? []));
}

function markLess(
  amounts: Int32Array,
  least: number,
  rows: readonly number[],
  bit: number,
  misses: Int32Array,
): number {
  let count = 0;
  for (let at = 0; at < rows.length; at += 1) {
    if (amounts[rows[at]!]! >= least) continue;
    misses[at]! |= bit;
    count += 1;
  }
  return count;
}

/** @param isMiss Whether it is those among the listed numbers that do not meet the condition, or all others. */
function markValues(
  values: Uint32Array,
  listed: ReadonlySet<number>,
  isMiss: boolean,
  rows: readonly number[],
  bit: number,
  misses: Int32Array,
): number {
  let count = 0;
  for (let at = 0; at < rows.length; at += 1) {
    if (listed.has(values[rows[at]!]!) !== isMiss) continue;
    misses[at]! |= bit;
    count += 1;
  }
  return count;
}

function markIds(
  ids: AttributeColumns['ids'],
  refused: ReadonlySet<string>,
  rows: readonly number[],
  bit: number,
  misses: Int32Array,
): number {
  let count = 0;
  for (let at = 0; at < rows.length; at += 1) {
    if (!refused.has(ids[rows[at]!]!)) continue;
    misses[at]! |= bit;
    count += 1;
  }
  return count;
}

function markDearer(
  columns: AttributeColumns,
  place: number,
  amounts: Amounts,
  most: number,
  rows: readonly number[],
  bit: number,
  misses: Int32Array,
): number {
  let count = 0;
  for (let at = 0; at < rows.length; at += 1) {
    // NaN, a provider without the three prices, is not at most anything.
    if (estimate(columns, rows[at]!, amounts, place) <= most) continue;
    misses[at]! |= bit;
    count += 1;
  }
  return count;
}

function markUnflagged(flags: Uint8Array, rows: readonly number[], bit: number, misses: Int32Array): number {
  let count = 0;
  for (let at = 0; at < rows.length; at += 1) {
    if (flags[rows[at]!] === 1) continue;
    misses[at]! |= bit;
    count += 1;
  }
  return count;
}

function markWithoutFact(
  addresses: Uint32Array,
  facts: FactTests,
  rows: readonly number[],
  bit: number,
  misses: Int32Array,
): number {
  let count = 0;
  for (let at = 0; at < rows.length; at += 1) {
    if (facts.matches(addresses[rows[at]!]!)) continue;
    misses[at]! |= bit;
    count += 1;
  }
  return count;
}
