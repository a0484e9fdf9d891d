import type { TestContext } from 'node:test';

/** A repeatable source of numbers from 0 to 1. */
export function randomSource(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A source whose seed the test prints. `TEST_SEED=<whole number>` repeats a run as far as chance decided about it. */
export function randomOf(t: TestContext): () => number {
  const asked = process.env['TEST_SEED'];
  const seed = asked === undefined ? Math.floor(Math.random() * 0x7fffffff) : Number(asked);
  t.diagnostic(`TEST_SEED=${String(seed)}`);
  return randomSource(seed);
}
