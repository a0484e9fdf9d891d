import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { mayReach, outlineOf } from '../../src/registry/outline.js';

const amount = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 10_000_000 }));
const amounts = fc.tuple(amount, amount, amount);

test('whatever has enough of all three may reach what is asked for', () => {
  fc.assert(
    fc.property(amounts, amounts, (row, asked) => {
      const enough = row.every((value, at) => value >= asked[at]!);
      if (enough) assert.equal(mayReach(outlineOf(...row), outlineOf(...asked)), 1);
    }),
    { numRuns: 5000 },
  );
});

test('whatever has an eighth less than asked, of any of the three, is told apart', () => {
  fc.assert(
    fc.property(
      amounts,
      amounts,
      fc.nat(2),
      fc.integer({ min: 1, max: 10_000_000 }),
      (row, asked, at, much) => {
        row[at] = Math.floor((much * 7) / 8) - 1;
        asked[at] = much;
        if (row[at] >= 0) assert.equal(mayReach(outlineOf(...row), outlineOf(...asked)), 0);
      },
    ),
    { numRuns: 5000 },
  );
});
