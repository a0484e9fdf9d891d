import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { MUTANTS } from './mutants.js';
import { simulate } from './world.js';

/** Which seeds: every `step`-th from the first on, `count` in all. */
export interface Seeds {
  first: number;
  count: number;
  step: number;
  /** What is wrong on purpose; null for nothing. */
  mutant: string | null;
}

/** What became of a seed. */
export interface Result {
  seed: number;
  /** What was wrong; null for nothing. */
  wrong: { name: string; message: string } | null;
}

/**
 * Simulates seeds in a thread of its own: beside tests, whose runner follows every promise, they take several times as long.
 * @param look Told of each; ends it by returning false.
 */
export async function simulateSeeds(seeds: Seeds, look: (result: Result) => boolean): Promise<void> {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: seeds });
  worker.on('message', (result: Result) => {
    if (!look(result)) void worker.terminate();
  });
  // An error of the thread rejects.
  await once(worker, 'exit');
}

async function work({ first, count, step, mutant }: Seeds): Promise<void> {
  for (let seed = first; seed < first + count * step; seed += step) {
    const wrong = await simulate(seed, mutant === null ? {} : MUTANTS[mutant]).then(
      () => null,
      (error: unknown) => {
        const { name, message } = error as Error;
        return { name, message };
      },
    );
    parentPort!.postMessage({ seed, wrong } satisfies Result);
  }
}

if (!isMainThread) await work(workerData as Seeds);
