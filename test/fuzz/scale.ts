/** Reads a whole number that `npm run fuzz` was given. */
function whole(name: string): number | undefined {
  const given = process.env[name];
  if (given === undefined) return undefined;
  const value = Number(given);
  if (given.trim() === '' || !Number.isSafeInteger(value) || value < 0) {
    throw new Error(`${name} has to be a whole number of at least 0, not ${JSON.stringify(given)}`);
  }
  return value;
}

const seed = whole('FUZZ_SEED');

/** Another one each time, unless it was given. A failure names it, so that the same run can be had again. */
export const SEED = seed ?? Math.floor(Math.random() * 0x7fffffff);

/** Frames and requests in all, both transports taken together. `npm run fuzz` sends a million. */
export const COUNT = whole('FUZZ_COUNT') ?? 2_000;

/** Where a round begins: in the suite, every other round is the same each time. */
export function seedOfRound(round: number): number {
  return seed === undefined && round % 2 === 0 ? 1 + round : SEED + round;
}
