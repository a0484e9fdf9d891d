const times = Number(process.env['TEST_ROUNDS'] ?? 1);
if (!(times > 0))
  throw new Error('TEST_ROUNDS has to be a number above 0: by how much to multiply generated rounds');

/** How many rounds a generated test makes: so many, times `TEST_ROUNDS`. */
export function rounds(count: number): number {
  return Math.ceil(count * times);
}
