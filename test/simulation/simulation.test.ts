import assert from 'node:assert/strict';
import test from 'node:test';
import { MUTANTS } from './mutants.js';
import { Violation } from './reference.js';
import { simulateSeeds } from './seeds.js';
import { simulate } from './world.js';

/** Where the seeds begin, if not where they are told to. */
const asked = process.env['TEST_SEED'];
const FIRST = Number(asked ?? 1);
const SEEDS = 100;
/** Seeds within which each mutant is caught. */
const MUTANT_SEEDS = 100;

test('hubs that share a store are one, whatever goes wrong between them', async () => {
  let done = 0;
  await simulateSeeds({ first: FIRST, count: SEEDS, step: 1, mutant: null }, ({ seed, wrong }) => {
    assert.equal(wrong, null, `TEST_SEED=${seed}: ${wrong?.message ?? ''}`);
    done += 1;
    return true;
  });
  assert.equal(done, SEEDS);
});

test('the same seed does the same again, and what may go wrong does', async () => {
  const outcome = await simulate(FIRST);
  assert.deepEqual(await simulate(FIRST), outcome);
  assert.ok(outcome.revisions > 20, JSON.stringify(outcome));
});

for (const [mutant, { seed: soon }] of Object.entries(MUTANTS)) {
  test(`a mutant is caught: ${mutant}`, async (t) => {
    const caught: string[] = [];
    const first = asked === undefined ? (soon ?? FIRST) : FIRST;
    await simulateSeeds({ first, count: MUTANT_SEEDS, step: 1, mutant }, ({ seed, wrong }) => {
      if (wrong === null) return true;
      assert.equal(wrong.name, Violation.name, wrong.message);
      caught.push(`TEST_SEED=${seed}: ${wrong.message}`);
      return false;
    });
    assert.ok(caught.length > 0, `${MUTANT_SEEDS} seeds have not caught it`);
    t.diagnostic(caught[0]!);
  });
}
