/**
 * The three amounts of a row, coarsely, in one word: a rank of eight bits for each, and above each a spare bit. With
 * the spare bits set, subtracting the ranks that are asked for leaves a spare bit standing exactly where the row has
 * enough, so one subtraction compares all three, and a scan reads one word of most rows.
 */
export type Outline = number;

const SPARE = (1 << 8) | (1 << 17) | (1 << 26);

/** The outline of amounts of at most 2^24. */
export function outlineOf(cpu: number, memory: number, storage: number): Outline {
  return rank(cpu) | (rank(memory) << 9) | (rank(storage) << 18);
}

/** 1 when a row might have what is asked for, 0 when it certainly has not; without a branch, so that a scan has none. */
export function mayReach(row: Outline, asked: Outline): 0 | 1 {
  const missing = (((row | SPARE) - asked) & SPARE) ^ SPARE;
  return ((missing - 1) >>> 31) as 0 | 1;
}

/** Eight steps to each doubling: what is more never has a lower rank. */
function rank(amount: number): number {
  if (amount === 0) return 0;
  const zeros = Math.clz32(amount);
  return 1 + (31 - zeros) * 8 + (((amount << zeros) >>> 28) & 7);
}
