/** How many values to process before yielding, and how many of them equal the work of one row. */
const STEP = 65_536;
const LOOKS_A_ROW = 64;
/** Up to this many values are simply sorted. */
const FEW = 1024;
/** 64-bit numbers are compared 16 bits at a time, highest first. */
const DIGITS = 4;
const BASE = 1 << 16;
const NO_TARGET = -1;

/**
 * Finds exact quantiles, in steps. A quantile is the smallest value that at least its share of all values does not exceed. Takes time
 * proportional to the number of values, whatever they are (radix selection).
 * @param values At least one; they get reordered. None may be negative, NaN or -0, because the bits of all others sort like their
 * values.
 * @param shares From 0, the smallest value, to 1, the greatest; ascending, fewer than 128.
 */
export function* quantiles(values: Float64Array, shares: readonly number[]): Generator<number, number[]> {
  return yield* valuesAt(values, placesOf(values.length, shares), 0);
}

/** How many ranges of values to count for each group at most. */
const MAX_RANGES = 2048;

/**
 * Finds exact quantiles of all values together and of groups of them, in steps: counts the values of each group by range, all groups in
 * one pass, then looks only at the ranges that hold a quantile.
 * @param values Like those of `quantiles`; they stay in order.
 * @param groups The group of each value: a place in `sizes`, or `sizes.length` for none of these groups.
 * @param sizes How many values each group has.
 * @returns The quantiles of all values, and of each group; none of a group without values.
 */
export function* groupedQuantiles(
  values: Float64Array,
  groups: Int32Array,
  sizes: readonly number[],
  shares: readonly number[],
): Generator<number, { all: number[]; of: number[][] }> {
  const ranges = rangesOf(yield* rangeOf(values, 0));
  const counts = new Uint32Array(ranges.count * (sizes.length + 1));
  for (let from = 0; from < values.length; from += STEP) {
    const to = Math.min(from + STEP, values.length);
    countRanges(counts, values, groups, ranges, from, to);
    yield (to - from) / LOOKS_A_ROW;
  }
  const ofAll = groupsOf(placesOf(values.length, shares), summed(counts, ranges.count), 0);
  const ofGroups = sizes.map((size, group) => {
    const own = counts.subarray(ranges.count * group, ranges.count * (group + 1));
    return groupsOf(size === 0 ? [] : placesOf(size, shares), own, 0);
  });
  yield counts.length / LOOKS_A_ROW;
  const targets = new Targets([...ofGroups, new Map(), ofAll], ranges);
  for (let from = 0; from < values.length; from += STEP) {
    const to = Math.min(from + STEP, values.length);
    targets.fill(values, groups, sizes.length + 1, from, to);
    yield (2 * (to - from)) / LOOKS_A_ROW;
  }
  const of: number[][] = [];
  for (const wanted of ofGroups) of.push(yield* valuesIn(wanted, 0));
  return { all: yield* valuesIn(ofAll, 0), of };
}

/** Equal ranges of the highest digit. */
interface Ranges {
  /** The lowest digit. */
  readonly least: number;
  /** How many low bits of a digit make no difference. */
  readonly shift: number;
  readonly count: number;
}

function rangesOf({ least, greatest }: DigitRange): Ranges {
  const shift = Math.max(0, Math.ceil(Math.log2((greatest - least + 1) / MAX_RANGES)));
  return { least, shift, count: ((greatest - least) >>> shift) + 1 };
}

function countRanges(
  counts: Uint32Array,
  values: Float64Array,
  groups: Int32Array,
  { least, shift, count }: Ranges,
  from: number,
  to: number,
): void {
  const digits = digitsOf(values, 0);
  for (let at = from; at < to; at += 1)
    counts[count * groups[at]! + ((digits[DIGITS * at]! - least) >>> shift)]! += 1;
}

/** The counts of each range, over all groups. */
function summed(counts: Uint32Array, ranges: number): Uint32Array {
  const sums = new Uint32Array(ranges);
  for (let first = 0; first < counts.length; first += ranges) {
    for (let range = 0; range < ranges; range += 1) sums[range]! += counts[first + range]!;
  }
  return sums;
}

/** Collects the values of some ranges of some groups. */
class Targets {
  readonly #ranges: Ranges;
  readonly #values: Float64Array[] = [new Float64Array(0)];
  readonly #counts: Uint32Array;
  /** The target of each range of each group; 0 for none. */
  readonly #targetOf: Uint16Array;

  constructor(wanted: readonly ReadonlyMap<number, Group>[], ranges: Ranges) {
    this.#ranges = ranges;
    this.#targetOf = new Uint16Array(ranges.count * wanted.length);
    wanted.forEach((groups, group) => {
      for (const [range, { values }] of groups)
        this.#targetOf[ranges.count * group + range] = this.#values.push(values) - 1;
    });
    this.#counts = new Uint32Array(this.#values.length);
  }

  /** @param all The group that every value belongs to beside its own. */
  fill(values: Float64Array, groups: Int32Array, all: number, from: number, to: number): void {
    const { least, shift, count } = this.#ranges;
    const digits = digitsOf(values, 0);
    const targetOf = this.#targetOf;
    const counts = this.#counts;
    for (let at = from; at < to; at += 1) {
      const range = (digits[DIGITS * at]! - least) >>> shift;
      const target = targetOf[count * groups[at]! + range]!;
      if (target !== 0) this.#values[target]![counts[target]!++] = values[at]!;
      const ofAll = targetOf[count * all + range]!;
      if (ofAll !== 0) this.#values[ofAll]![counts[ofAll]!++] = values[at]!;
    }
  }
}

/** The positions of quantiles in sorted order, ascending. */
function placesOf(count: number, shares: readonly number[]): number[] {
  return shares.map((share) => Math.max(0, Math.ceil(share * count) - 1));
}

/** The values at the requested positions of each range, in ascending order. */
function* valuesIn(ranges: ReadonlyMap<number, Group>, digit: number): Generator<number, number[]> {
  const found: number[] = [];
  for (const { values, places } of ranges.values()) found.push(...(yield* valuesAt(values, places, digit)));
  return found;
}

/** The values at some positions of the sorted order. */
function* valuesAt(
  values: Float64Array,
  places: readonly number[],
  digit: number,
): Generator<number, number[]> {
  // After the last digit, all are equal.
  if (digit === DIGITS) return places.map(() => values[0]!);
  if (values.length <= FEW) {
    values.sort();
    yield values.length / LOOKS_A_ROW;
    return places.map((place) => values[place]!);
  }
  const range = yield* rangeOf(values, digit);
  const counts = yield* countDigits(values, digit, range);
  const groups = groupsOf(places, counts, range.least);
  yield* fill(groups, values, digit);
  return yield* valuesIn(groups, digit + 1);
}

/** Values with the same digit, or in the same range, and the requested positions among them. */
interface Group {
  readonly values: Float64Array;
  readonly places: number[];
}

/**
 * @param places Ascending.
 * @param counts Per digit, from `least` on.
 */
function groupsOf(places: readonly number[], counts: Uint32Array, least: number): Map<number, Group> {
  const groups = new Map<number, Group>();
  let at = 0;
  let before = 0;
  for (const place of places) {
    for (; before + counts[at]! <= place; at += 1) before += counts[at]!;
    const known = groups.get(least + at);
    if (known === undefined)
      groups.set(least + at, { values: new Float64Array(counts[at]!), places: [place - before] });
    else known.places.push(place - before);
  }
  return groups;
}

/** The smallest and the greatest digit of some values: leading digits of prices vary little. */
interface DigitRange {
  least: number;
  greatest: number;
}

function* rangeOf(values: Float64Array, digit: number): Generator<number, DigitRange> {
  const digits = digitsOf(values, digit);
  const range = { least: BASE - 1, greatest: 0 };
  for (let from = 0; from < values.length; from += STEP) {
    const to = Math.min(from + STEP, values.length);
    widen(range, digits, from, to);
    yield (to - from) / LOOKS_A_ROW;
  }
  return range;
}

function widen(range: DigitRange, digits: Uint16Array, from: number, to: number): void {
  let { least, greatest } = range;
  for (let at = from; at < to; at += 1) {
    const digit = digits[DIGITS * at]!;
    if (digit < least) least = digit;
    if (digit > greatest) greatest = digit;
  }
  range.least = least;
  range.greatest = greatest;
}

/** How many values have each digit of a range at one position. */
function* countDigits(
  values: Float64Array,
  digit: number,
  { least, greatest }: DigitRange,
): Generator<number, Uint32Array> {
  const digits = digitsOf(values, digit);
  const counts = new Uint32Array(greatest - least + 1);
  for (let from = 0; from < values.length; from += STEP) {
    const to = Math.min(from + STEP, values.length);
    countPart(counts, digits, least, from, to);
    yield (to - from) / LOOKS_A_ROW;
  }
  return counts;
}

function countPart(counts: Uint32Array, digits: Uint16Array, least: number, from: number, to: number): void {
  for (let at = from; at < to; at += 1) counts[digits[DIGITS * at]! - least]! += 1;
}

/** Moves values into the groups of their digits. */
function* fill(
  groups: ReadonlyMap<number, Group>,
  values: Float64Array,
  digit: number,
): Generator<number, void> {
  const digits = digitsOf(values, digit);
  const wanted = [...groups.keys()];
  const least = wanted[0]!;
  const targets = [...groups.values()].map((group) => group.values);
  const counts = new Uint32Array(targets.length);
  const targetOf = new Int8Array(wanted.at(-1)! - least + 1).fill(NO_TARGET);
  wanted.forEach((value, number) => (targetOf[value - least] = number));
  for (let from = 0; from < values.length; from += STEP) {
    const to = Math.min(from + STEP, values.length);
    for (let at = from; at < to; at += 1) {
      const offset = digits[DIGITS * at]! - least;
      if (offset < 0 || offset >= targetOf.length) continue;
      const number = targetOf[offset]!;
      if (number !== NO_TARGET) targets[number]![counts[number]!++] = values[at]!;
    }
    yield (to - from) / LOOKS_A_ROW;
  }
}

/** The bits of values as 16-bit digits, each four apart; assumes a little-endian machine. */
function digitsOf(values: Float64Array, digit: number): Uint16Array {
  const first = DIGITS - 1 - digit;
  return new Uint16Array(values.buffer, values.byteOffset + 2 * first, DIGITS * values.length - first);
}
