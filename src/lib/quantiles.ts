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
  const places = shares.map((share) => Math.max(0, Math.ceil(share * values.length) - 1));
  return yield* valuesAt(values, places, 0);
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
  const found: number[] = [];
  for (const { values: same, places: inside } of groups.values())
    found.push(...(yield* valuesAt(same, inside, digit + 1)));
  return found;
}

/** Values with the same digit, and the requested positions among them. */
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
