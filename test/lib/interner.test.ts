import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../support/properties.js';
import { Interner } from '../../src/lib/interner.js';
import { sequences } from '../support/worlds/steps.js';

type Step = { acquire: string } | { release: number } | { retain: number };

test('a text has one number for as long as anybody holds it, and no two held texts share one', () => {
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.constantFrom('a', 'b', 'c', 'd', '__proto__', 'constructor', ' ').map((acquire) => ({ acquire })),
    fc.nat().map((release) => ({ release })),
    fc.nat().map((retain) => ({ retain })),
  );
  fc.assert(
    fc.property(sequences(step, 100), (steps) => {
      const interner = new Interner();
      /** One entry for each time a text is held. */
      const held: { text: string; number: number }[] = [];
      for (const one of steps) {
        if ('acquire' in one) {
          held.push({ text: one.acquire, number: interner.acquire(one.acquire) });
        } else if (held.length > 0 && 'retain' in one) {
          const again = held[one.retain % held.length]!;
          interner.retain(again.number);
          held.push(again);
        } else if (held.length > 0 && 'release' in one) {
          const [gone] = held.splice(one.release % held.length, 1);
          interner.release(gone!.number);
        }
        const numbers = new Map(held.map(({ text, number }) => [text, number]));
        assert.equal(interner.size, numbers.size);
        assert.equal(new Set(numbers.values()).size, numbers.size);
        assert.ok(!new Set(numbers.values()).has(0));
        for (const { text, number } of held) assert.equal(numbers.get(text), number);
        for (const text of ['a', 'b', 'c', 'd', '__proto__', 'constructor', ' '])
          assert.equal(interner.find(text), numbers.get(text));
      }
    }),
    { numRuns: 300 },
  );
});

test('no text is number 0, which nobody has to hold', () => {
  const interner = new Interner();
  assert.equal(interner.acquire(null), 0);
  interner.retain(0);
  interner.release(0);
  interner.release(0);
  assert.equal(interner.size, 0);
  assert.notEqual(interner.acquire('a'), 0);
});

test('texts of strangers that come and go do not use up numbers', () => {
  const interner = new Interner();
  let highest = 0;
  for (let count = 0; count < 10_000; count += 1) {
    const number = interner.acquire(`text ${String(count)}`);
    highest = Math.max(highest, number);
    interner.release(number);
  }
  assert.equal(highest, 1);
  assert.equal(interner.size, 0);
});
