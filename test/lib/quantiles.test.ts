import assert from 'node:assert/strict';
import test from 'node:test';
import { groupedQuantiles, quantiles } from '../../src/lib/quantiles.js';
import { randomOf } from '../support/random.js';
import { rounds } from '../support/rounds.js';

const SHARES = [0, 0.25, 0.5, 0.75, 1] as const;

function found(values: readonly number[], shares: readonly number[]): number[] {
  return finish(quantiles(Float64Array.from(values), shares)).value;
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

/** Runs a task to its end. @returns What it returns, and how many steps it took. */
function finish<Result>(steps: Generator<number, Result>): { value: Result; count: number } {
  for (let count = 0; ; count += 1) {
    const step = steps.next();
    if (step.done === true) return { value: step.value, count };
  }
}

test('quantiles of groups are those of each one sorted, and of all, whatever lies in which', (t) => {
  const random = randomOf(t);
  const below = (limit: number): number => Math.floor(random() * limit);
  for (let round = 0; round < rounds(60); round += 1) {
    const sizes = Array.from({ length: below(12) }, () => below(below(4) === 0 ? 3000 : 5));
    const kinds = [
      () => random() * 500,
      () => 2 ** (below(2000) - 1000),
      () => below(3) / 10,
      () => 64 + random() / 1e6,
      () => (random() < 0.5 ? 0 : Number.MAX_VALUE),
    ];
    const kindOf = sizes.map(() => kinds[below(kinds.length)]!);
    const others = sizes.every((size) => size === 0) ? 1 + below(50) : below(50);
    const members = [
      ...sizes.flatMap((size, group) =>
        Array.from({ length: size }, () => [kindOf[group]!(), group] as const),
      ),
      ...Array.from({ length: others }, () => [random(), sizes.length] as const),
    ]
      .map((member) => ({ member, at: random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ member }) => member);
    const values = members.map(([value]) => value);
    const { value } = finish(
      groupedQuantiles(
        Float64Array.from(values),
        Int32Array.from(members, ([, group]) => group),
        sizes,
        SHARES,
      ),
    );
    const naiveOf = (some: readonly number[]): number[] =>
      some.length === 0 ? [] : SHARES.map((share) => naive(some, share));
    assert.deepEqual(value.all, naiveOf(values));
    assert.deepEqual(
      value.of,
      sizes.map((_size, group) => naiveOf(members.flatMap(([one, of]) => (of === group ? [one] : [])))),
    );
  }
});

test('many values are looked at in steps', () => {
  const values = Array.from({ length: 200_000 }, (_, place) => (place * 7919) % 200_000);
  const { value, count } = finish(quantiles(Float64Array.from(values), SHARES));
  assert.deepEqual(value, [0, 49_999, 99_999, 149_999, 199_999]);
  assert.ok(count >= 6, String(count));
});
