/** `npm run faults` sets it; `npm test` runs the same tests with fewer rounds, sockets and providers. */
const isFull = process.env['FAULTS'] === 'full';

/** How many there are of something in this run. */
export function scaled(inTheSuite: number, inFull: number): number {
  return isFull ? inFull : inTheSuite;
}
