import { parseArgs } from 'node:util';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { simulate } from './world.js';

/** `npm run simulate`: many seeds, one after the other in each of some threads; it ends with those that failed. */

interface Share {
  first: number;
  count: number;
  step: number;
}

/** What became of a seed: what was wrong; null for nothing. */
interface Result {
  seed: number;
  wrong: string | null;
}

const PROGRESS = 100;
const MAX_TOLD = 20;

async function work({ first, count, step }: Share): Promise<void> {
  for (let seed = first; seed < first + count; seed += step) {
    const wrong = await simulate(seed).then(
      () => null,
      (error: unknown) => (error as Error).message,
    );
    parentPort!.postMessage({ seed, wrong } satisfies Result);
  }
}

function wholeNumber(text: string, name: string): number {
  if (/^[0-9]{1,9}$/.test(text)) return Number(text);
  throw new Error(`--${name} takes a whole number, not ${text}`);
}

async function run(): Promise<void> {
  const options = {
    seeds: { type: 'string', default: '10000' },
    first: { type: 'string', default: '1' },
  } as const;
  const { values } = parseArgs({ options });
  const seeds = wholeNumber(values.seeds, 'seeds');
  const first = wholeNumber(values.first, 'first');
  const threads = Math.min(availableParallelism(), seeds);
  const failed: Result[] = [];
  let done = 0;
  const begin = performance.now();
  const tell = (): void => {
    const seconds = Math.round((performance.now() - begin) / 1000);
    process.stdout.write(`${done} of ${seeds} seeds, ${failed.length} failed, ${seconds} s\n`);
  };
  await Promise.all(
    Array.from({ length: threads }, (_, no) => {
      const share: Share = { first: first + no, count: seeds - no, step: threads };
      const worker = new Worker(fileURLToPath(import.meta.url), { workerData: share });
      worker.on('message', (result: Result) => {
        done += 1;
        if (result.wrong !== null) failed.push(result);
        if (done % PROGRESS === 0) tell();
      });
      return new Promise<void>((resolve, reject) => {
        worker.once('error', reject);
        worker.once('exit', () => {
          resolve();
        });
      });
    }),
  );
  tell();
  for (const { seed, wrong } of failed.slice(0, MAX_TOLD))
    process.stdout.write(`TEST_SEED=${seed}: ${wrong!}\n`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

if (isMainThread) await run();
else await work(workerData as Share);
