import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signingTime } from '../../../src/client/signing/signing-time.js';

// Far ahead, so that times signed in other tests of this process do not matter.
const base = Date.parse('2100-01-01T00:00:00Z');

test('times to sign with only grow, also while the clock stands still or is set back a little', () => {
  assert.equal(signingTime(base), base);
  assert.equal(signingTime(base), base + 1);
  assert.equal(signingTime(base - 200_000), base + 2);
  assert.equal(signingTime(base + 5), base + 5);
});

test('they are whole milliseconds', () => {
  assert.equal(signingTime(base + 100.75), base + 100);
});

test('a clock that is set back by more than any hub tolerates counts as it is', () => {
  signingTime(base + 1000);
  assert.equal(signingTime(base - 400_000), base - 400_000);
});
