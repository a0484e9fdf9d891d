import assert from 'node:assert/strict';
import test from 'node:test';
import { quantiles } from '../../src/lib/quantiles.js';
import { randomOf } from '../support/random.js';

const SHARES = [0, 0.25, 0.5, 0.75, 1] as const;

function found(values: readonly number[], shares: readonly number[]): number[] {
  const steps = quantiles(Float64Array.from(values), shares);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The smallest value that so large a share is at or below. */
function naive(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.find((_, place) => (place + 1) / sorted.length >= share)!;
}

test('quantiles are those of sorted values, whatever these are', (t) => {
  const random = randomOf(t);
  const kinds: ((place: number) => number)[] = [
    () => random(),
    () => random() * 1e-300,
    () => Math.floor(random() * 7) / 10,
    () => 3,
    () => 1 + Math.floor(random() * 3) * Number.EPSILON,
    () => (random() < 0.5 ? 0 : Number.MAX_VALUE),
    () => 2 ** (Math.floor(random() * 2000) - 1000),
    (place) => 5000 - place,
  ];
  for (const kind of kinds) {
    for (const count of [1, 2, 3, 4, 5, 1024, 1025, 1026, 3000]) {
      const values = Array.from({ length: count }, (_, place) => kind(place));
      assert.deepEqual(
        found(values, SHARES),
        SHARES.map((share) => naive(values, share)),
        `${String(count)} values`,
      );
    }
  }
});

test('many values are looked at in steps', () => {
  const values = Array.from({ length: 200_000 }, (_, place) => (place * 7919) % 200_000);
  const steps = quantiles(Float64Array.from(values), SHARES);
  let count = 0;
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) {
      assert.deepEqual(step.value, [0, 49_999, 99_999, 149_999, 199_999]);
      break;
    }
    count += 1;
  }
  assert.ok(count >= 6, String(count));
});
