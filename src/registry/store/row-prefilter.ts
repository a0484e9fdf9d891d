/**
 * A row's most requested attributes in one word: its country, and its three amounts as coarse ranks, each with a spare bit above it. With the
 * spare bits set, subtracting the requested ranks leaves a spare bit set exactly where the row has enough. So one subtraction compares all
 * three amounts, and a scan reads one word of most rows.
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
 * 1 if a row may match, 0 if it certainly does not.
 * @param asked The outline of the requested amounts, with country 0.
 * @param countries 1 for each accepted country.
 */
export function mayMatch(row: Outline, asked: Outline, countries: Uint8Array): number {
  const missing = ((((row & RANKS) | SPARE) - asked) & SPARE) ^ SPARE;
  return ((missing - 1) >>> 31) & countries[row >>> 23]!;
}

/** Four steps per doubling; monotonic. */
function rank(amount: number): number {
  if (amount === 0) return 0;
  const zeros = Math.clz32(amount);
  return 1 + (31 - zeros) * 4 + (((amount << zeros) >>> 29) & 3);
}
