import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../support/properties.js';
import { stableOrder } from '../../src/lib/stable-sort.js';
import { randomOf } from '../support/random.js';

function orderOf(keys: readonly number[]): { order: number[]; steps: number[] } {
  const sorting = stableOrder(Float64Array.from(keys));
  const steps: number[] = [];
  for (;;) {
    const step = sorting.next();
    if (step.done === true) return { order: [...step.value], steps };
    steps.push(step.value);
  }
}

/** What the language’s own sort, which is stable, makes of it. */
const expected = (keys: readonly number[]): number[] =>
  keys.map((_, place) => place).sort((a, b) => (keys[a] === keys[b] ? 0 : keys[a]! < keys[b]! ? -1 : 1));

test('any keys are put in order, equal ones as they came', () => {
  const key = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(Infinity, -Infinity, 0.1, -0.1));
  fc.assert(
    fc.property(fc.array(key, { maxLength: 60, size: 'max' }), (keys) => {
      assert.deepEqual(orderOf(keys).order, expected(keys));
    }),
  );
});

test('many are sorted in steps of bounded work', (t) => {
  const random = randomOf(t);
  const keys = Array.from({ length: 100_000 }, () => Math.floor(random() * 1000));
  const { order, steps } = orderOf(keys);
  assert.deepEqual(order, expected(keys));
  assert.ok(steps.length > 10 && Math.max(...steps) <= 8192);
});
