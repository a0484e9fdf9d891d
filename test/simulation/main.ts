import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { type Result, simulateSeeds } from './seeds.js';

/** `npm run simulate`: many seeds, shared among some threads. It tells of those that failed. */

const PROGRESS = 100;
const MAX_TOLD = 20;

function wholeNumber(text: string, name: string): number {
  if (/^[0-9]{1,9}$/.test(text)) return Number(text);
  throw new Error(`--${name} takes a whole number, not ${text}`);
}

const options = {
  seeds: { type: 'string', default: '10000' },
  first: { type: 'string', default: '1' },
} as const;
const { values } = parseArgs({ options });
const seeds = wholeNumber(values.seeds, 'seeds');
const first = wholeNumber(values.first, 'first');
const threads = availableParallelism();
let failed = 0;
let done = 0;
const begin = performance.now();

function tell(): void {
  const seconds = Math.round((performance.now() - begin) / 1000);
  process.stdout.write(`${done} of ${seeds} seeds, ${failed} failed, ${seconds} s\n`);
}

function fail({ seed, wrong }: Result): void {
  failed += 1;
  if (failed <= MAX_TOLD) process.stdout.write(`TEST_SEED=${seed}: ${wrong?.message ?? ''}\n`);
}

await Promise.all(
  Array.from({ length: threads }, (_, no) => {
    const count = Math.ceil((seeds - no) / threads);
    return simulateSeeds({ first: first + no, count, step: threads, mutant: null }, (result) => {
      done += 1;
      if (result.wrong !== null) fail(result);
      if (done % PROGRESS === 0) tell();
      return true;
    });
  }),
);
tell();
process.exitCode = failed === 0 && done === seeds ? 0 : 1;
