/**
 * What most filters ask for, in one word of a row: its country, and its three amounts coarsely, as a rank each with a
 * spare bit above it. With the spare bits set, subtracting the ranks that are asked for leaves a spare bit standing
 * exactly where the row has enough, so one subtraction compares all three, and a scan reads one word of most rows.
 */
export type Outline = number;

const SPARE = (1 << 6) | (1 << 14) | (1 << 22);
const RANKS = (1 << 23) - 1;

/**
 * @param cpu At most 2^13.
 * @param memory At most 2^24, and so is `storage`.
 * @param country Its number.
 */
export function outlineOf(cpu: number, memory: number, storage: number, country: number): Outline {
  return rank(cpu) | (rank(memory) << 7) | (rank(storage) << 15) | (country << 23);
}

/**
 * 1 when a row might have what is asked for, 0 when it certainly has not.
 * @param asked The outline of the amounts that are asked for, with 0 for the country.
 * @param countries 1 for each country that is asked for.
 */
export function mayMatch(row: Outline, asked: Outline, countries: Uint8Array): number {
  const missing = ((((row & RANKS) | SPARE) - asked) & SPARE) ^ SPARE;
  return ((missing - 1) >>> 31) & countries[row >>> 23]!;
}

/** Four steps to each doubling: what is more never has a lower rank. */
function rank(amount: number): number {
  if (amount === 0) return 0;
  const zeros = Math.clz32(amount);
  return 1 + (31 - zeros) * 4 + (((amount << zeros) >>> 29) & 3);
}
