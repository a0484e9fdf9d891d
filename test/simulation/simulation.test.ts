import assert from 'node:assert/strict';
import test from 'node:test';
import { MUTANTS } from './mutants.js';
import { Violation } from './reference.js';
import { simulate } from './world.js';

/** Where the seeds begin, if not where they are told to. */
const asked = process.env['TEST_SEED'];
const FIRST = Number(asked ?? 1);
const SEEDS = 60;
/** Seeds within which each mutant is caught. */
const MUTANT_SEEDS = 60;

test('hubs that share a store are one, whatever goes wrong between them', async () => {
  const all = { revisions: 0, expired: 0, resumed: 0, refused: 0 };
  for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
    try {
      const outcome = await simulate(seed);
      for (const name of ['revisions', 'expired', 'resumed', 'refused'] as const) all[name] += outcome[name];
    } catch (error) {
      throw new Error(`TEST_SEED=${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
  for (const [what, times] of Object.entries(all)) assert.ok(times > 0, `nothing was ever ${what}`);
});

for (const [name, mutant] of Object.entries(MUTANTS)) {
  test(`a mutant is caught: ${name}`, async (t) => {
    const first = asked === undefined ? (mutant.seed ?? FIRST) : FIRST;
    for (let seed = first; seed < first + MUTANT_SEEDS; seed += 1) {
      try {
        await simulate(seed, mutant);
      } catch (error) {
        assert.ok(error instanceof Violation, String(error));
        t.diagnostic(`TEST_SEED=${seed}: ${error.message}`);
        return;
      }
    }
    assert.fail(`${MUTANT_SEEDS} seeds have not caught it`);
  });
}
