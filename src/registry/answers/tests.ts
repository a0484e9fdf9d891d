import {
  CONDITION_NAMES,
  type ConditionKind,
  CONDITIONS,
  type NameOfKind,
} from '../../protocol/filters/conditions.js';
import type { AskedValue, OfferedValue } from '../../protocol/answers.js';
import { type Amounts, monthlyCost } from '../../protocol/filters/estimate.js';
import { askedAmounts, type Filter } from '../../protocol/filters/filter.js';
import {
  AMOUNTS,
  type AttributeColumns,
  ESTIMATES,
  FLAGS,
  LIVE,
  PRICES_AN_ESTIMATE,
  VALUES,
} from '../store/columns.js';
import { attributeSubject, resourceSubject, type Subject, valueIn } from '../store/facts/fact.js';
import type { FactLists } from '../store/facts/fact-lists.js';
import { FactTests } from '../store/facts/fact-tests.js';
import { estimate } from '../store/predicate.js';
import { finite } from '../store/price-index.js';
import type { ValueNumbers } from '../store/value-numbers.js';

/** One condition of a filter, testable by itself. A predicate tells whether a row matches; its tests tell why not. */
export interface ConditionTest {
  /** Its name in queries. */
  readonly member: string;
  readonly asked: AskedValue;
  /** Marks the rows of a block that do not meet it. What it says of places where no row is means nothing. */
  mark(columns: AttributeColumns, block: Block, place: number, misses: Int32Array): void;
  /** What the row at this index has instead, while somebody holds its texts; null where it has nothing of the kind. */
  offered(columns: AttributeColumns, index: number): OfferedValue;
}

/** Places beside each other in columns: so many, from the first. */
export interface Block {
  first: number;
  count: number;
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

/** The tests for each kind of condition. */
const TESTERS: Testers = {
  'at-least': (name, filter) => {
    const column = AMOUNTS.indexOf(name);
    const least = filter[name]!;
    return alone(name, least, {
      mark: ({ amounts }, block, place, misses) => markLess(amounts[column]!, least, block, place, misses),
      offered: ({ amounts }, index) => amounts[column]![index]!,
    });
  },
  'one-of': (name, filter, numbers) => {
    const column = VALUES.indexOf(name);
    const asked = filter[name]!;
    return alone(name, asked, {
      mark: valuesMarker(column, asked, 1, numbers),
      offered: ({ values }, index) => numbers.text(column, values[column]![index]!),
    });
  },
  'none-of': (name, filter, numbers) => {
    const column = VALUES.indexOf(CONDITIONS[name].of);
    const asked = filter[name]!;
    return alone(name, asked, {
      mark: valuesMarker(column, asked, 0, numbers),
      offered: ({ values }, index) => numbers.text(column, values[column]![index]!),
    });
  },
  'not-these': (name, filter) => {
    const asked = filter[name]!;
    const refused = new Set(asked);
    return alone(name, asked, {
      mark: ({ ids }, block, place, misses) => markIds(ids, refused, block, place, misses),
      offered: ({ ids }, index) => ids[index]!,
    });
  },
  'at-most': (name, filter) => {
    const currency = ESTIMATES.indexOf(name);
    const most = filter[name]!;
    const amounts = askedAmounts(filter);
    return alone(name, most, {
      mark: ({ prices }, block, place, misses) =>
        markDearer(prices, currency, amounts, most, block, place, misses),
      offered: (columns, index) => priceOf(estimate(columns, index, amounts, currency)),
    });
  },
  only: (name, filter) => {
    const column = FLAGS.indexOf(name);
    return alone(name, filter[name]!, {
      mark: ({ flags }, block, place, misses) => markUnflagged(flags[column]!, block, place, misses),
      offered: ({ flags }, index) => {
        const isSo = flags[column]![index] === 1;
        return column === LIVE ? (isSo ? 'live' : 'suspect') : isSo;
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

/** @param none What a row without the subject offers. */
function factTest(tests: FactTests, subject: Subject, none: OfferedValue, lists: FactLists): Test {
  return {
    mark: ({ ids, facts }, block, place, misses) => markWithoutFact(ids, facts, tests, block, place, misses),
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
 * The conditions of a filter, in canonical order; each attribute and further resource is one of its own. Texts are converted to numbers
 * here, so the tests are valid for rows that existed at this point, or for as long as somebody holds the texts.
 */
export function testsOf(filter: Filter, numbers: ValueNumbers): ConditionTest[] {
  return CONDITION_NAMES.flatMap((name) =>
    filter[name] === undefined ? [] : testsOfKind(CONDITIONS[name].kind, name, filter, numbers),
  );
}

/** An estimate as shown: null if there is none. */
export function priceOf(cost: number): number | null {
  return Number.isNaN(cost) ? null : finite(cost);
}

// Each reads one column, without branches where possible, because whether a row meets a condition is hard to predict.

function markLess(
  amounts: Int32Array,
  least: number,
  { first, count }: Block,
  place: number,
  misses: Int32Array,
): void {
  for (let at = 0; at < count; at += 1) {
    // The sign of the difference.
    const miss = (amounts[first + at]! - least) >>> 31;
    misses[at]! |= miss << place;
  }
}

/**
 * Marks by the numbers of values.
 * @param unlisted 1 if rows with unlisted values miss the condition, 0 if rows with listed values do.
 */
function valuesMarker(
  column: number,
  listed: readonly string[],
  unlisted: 0 | 1,
  numbers: ValueNumbers,
): Test['mark'] {
  const found = listed.flatMap((value) => numbers.find(column, value) ?? []);
  const { all } = CONDITIONS[VALUES[column]!];
  if (all === null) {
    const [only = -1, ...others] = found;
    if (others.length === 0) {
      return ({ values }, block, place, misses) =>
        markUnequal(values[column]!, only, unlisted, block, place, misses);
    }
    return ({ values }, block, place, misses) =>
      markValues(values[column]!, found, unlisted, block, place, misses);
  }
  const missing = new Uint8Array(all.length).fill(unlisted);
  for (const number of found) missing[number] = 1 - unlisted;
  return ({ values }, block, place, misses) => markListed(values[column]!, missing, block, place, misses);
}

function markValues(
  values: Uint32Array,
  listed: readonly number[],
  unlisted: 0 | 1,
  { first, count }: Block,
  place: number,
  misses: Int32Array,
): void {
  for (let at = 0; at < count; at += 1) {
    const miss = listed.includes(values[first + at]!) ? 1 - unlisted : unlisted;
    misses[at]! |= miss << place;
  }
}

/** The same for a single value, or none: -1 is no number of a value. */
function markUnequal(
  values: Uint32Array,
  listed: number,
  unlisted: 0 | 1,
  { first, count }: Block,
  place: number,
  misses: Int32Array,
): void {
  for (let at = 0; at < count; at += 1) {
    const miss = values[first + at] === listed ? 1 - unlisted : unlisted;
    misses[at]! |= miss << place;
  }
}

/** @param missing 1 for each value that misses the condition. */
function markListed(
  values: Uint32Array,
  missing: Uint8Array,
  { first, count }: Block,
  place: number,
  misses: Int32Array,
): void {
  for (let at = 0; at < count; at += 1) {
    const miss = missing[values[first + at]!]!;
    misses[at]! |= miss << place;
  }
}

function markIds(
  ids: AttributeColumns['ids'],
  refused: ReadonlySet<string>,
  { first, count }: Block,
  place: number,
  misses: Int32Array,
): void {
  for (let at = 0; at < count; at += 1) {
    if (!refused.has(ids[first + at]!)) continue;
    misses[at]! |= 1 << place;
  }
}

function markDearer(
  prices: readonly Float64Array[],
  currency: number,
  asked: Amounts,
  most: number,
  { first, count }: Block,
  place: number,
  misses: Int32Array,
): void {
  const ofCurrency = currency * PRICES_AN_ESTIMATE;
  const [core, memory, storage] = [prices[ofCurrency]!, prices[ofCurrency + 1]!, prices[ofCurrency + 2]!];
  for (let at = 0; at < count; at += 1) {
    const row = first + at;
    // NaN, a provider without the three prices, is not at most anything.
    const miss = monthlyCost(core[row]!, memory[row]!, storage[row]!, asked) <= most ? 0 : 1;
    misses[at]! |= miss << place;
  }
}

function markUnflagged(flags: Uint8Array, { first, count }: Block, place: number, misses: Int32Array): void {
  for (let at = 0; at < count; at += 1) {
    const miss = 1 - flags[first + at]!;
    misses[at]! |= miss << place;
  }
}

function markWithoutFact(
  ids: AttributeColumns['ids'],
  addresses: Uint32Array,
  facts: FactTests,
  { first, count }: Block,
  place: number,
  misses: Int32Array,
): void {
  for (let at = 0; at < count; at += 1) {
    // Where no row is, an address may lead to what was freed.
    if (ids[first + at] === undefined || facts.matches(addresses[first + at]!)) continue;
    misses[at]! |= 1 << place;
  }
}
