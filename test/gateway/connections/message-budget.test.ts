import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../../support/properties.js';
import { MessageBudget } from '../../../src/gateway/connections/message-budget.js';
import { sequences } from '../../support/worlds/steps.js';

test('a burst of a minute’s messages goes through, and the next one only after its share of the minute', () => {
  const budget = new MessageBudget(600, 5000);
  for (let count = 0; count < 600; count += 1) assert.equal(budget.spend(5000), true);
  assert.equal(budget.spend(5000), false);
  assert.equal(budget.spend(5099), false);
  assert.equal(budget.spend(5100), true);
  assert.equal(budget.spend(5100), false);
});

test('0 is no limit', () => {
  const budget = new MessageBudget(0, 0);
  for (let count = 0; count < 10_000; count += 1) assert.equal(budget.spend(0), true);
});

test('quiet time is saved up for a minute’s messages, not for more', () => {
  const budget = new MessageBudget(10, 0);
  for (let count = 0; count < 10; count += 1) assert.ok(budget.spend(0));
  const later = 24 * 3_600_000;
  let allowed = 0;
  while (budget.spend(later)) allowed += 1;
  assert.equal(allowed, 10);
});

test('in no stretch of time more goes through than a burst and its share, and what is due is never refused', () => {
  const perMinute = fc.integer({ min: 1, max: 60 });
  fc.assert(
    fc.property(perMinute, sequences(fc.oneof(fc.nat(50), fc.nat(5000)), 200), (limit, gaps) => {
      const budget = new MessageBudget(limit, 0);
      const passed: number[] = [];
      let now = 0;
      for (const gap of gaps) {
        now += gap;
        // The most that the messages of any stretch up to now leave room for.
        const stretches = passed.map(
          (from, index) => limit + ((now - from) * limit) / 60_000 - (passed.length - index),
        );
        const left = Math.min(limit, ...stretches);
        const isPassed = budget.spend(now);
        if (left > 1.001) assert.ok(isPassed, 'refused although there was room');
        if (left < 0.999) assert.ok(!isPassed, 'let through although there was no room');
        if (isPassed) passed.push(now);
      }
    }),
    { numRuns: 100 },
  );
});
