import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../support/properties.js';
import { KeyedLock } from '../../src/lib/keyed-lock.js';
import { sequences } from '../support/worlds/steps.js';

const turn = () => new Promise<void>(setImmediate);

test('one holder a key at a time, in the order they came, and other keys are not kept waiting', async () => {
  const visit = fc.record({ key: fc.constantFrom('a', 'b', 'c'), turns: fc.nat(3), fails: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(sequences(visit, 30), async (visits) => {
      const lock = new KeyedLock(visits.length);
      const inside = new Map<string, number>();
      const order = new Map<string, number[]>();
      await Promise.all(
        visits.map(async ({ key, turns, fails }, number) => {
          const release = await lock.acquire(key);
          assert.ok(release !== null);
          assert.equal(inside.get(key), undefined, 'two hold the same key');
          inside.set(key, number);
          order.set(key, [...(order.get(key) ?? []), number]);
          try {
            for (let count = 0; count < turns; count += 1) await turn();
            if (fails) throw new Error('failed');
          } catch {
            // What holds a lock may fail; the next one gets in all the same.
          } finally {
            inside.delete(key);
            release();
          }
        }),
      );
      for (const numbers of order.values())
        assert.deepEqual(
          numbers,
          [...numbers].sort((a, b) => a - b),
        );
      assert.equal([...order.values()].flat().length, visits.length);
    }),
    { numRuns: 50 },
  );
});

test('a free key is had at once, and again after it was released', async () => {
  const lock = new KeyedLock(0);
  for (let round = 0; round < 3; round += 1) {
    const release = await lock.acquire('a');
    assert.ok(release !== null);
    release();
  }
});

test('when too many wait for a key, the next is turned away at once, and those that wait are not', async () => {
  const lock = new KeyedLock(2);
  const first = await lock.acquire('a');
  const second = lock.acquire('a');
  const third = lock.acquire('a');
  assert.equal(await lock.acquire('a'), null);
  const other = await lock.acquire('b');
  assert.ok(other !== null);
  first!();
  (await second)!();
  const fourth = lock.acquire('a');
  (await third)!();
  (await fourth)!();
  assert.ok((await lock.acquire('a')) !== null);
});
