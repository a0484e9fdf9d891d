import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../../support/properties.js';
import { COUNTRIES } from '../../../src/protocol/countries.js';
import { mayMatch, outlineOf } from '../../../src/registry/store/row-prefilter.js';

type Amounts = [cpu: number, memory: number, storage: number];

const amount = (max: number) => fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max }));
const amounts: fc.Arbitrary<Amounts> = fc.tuple(amount(4096), amount(65_536), amount(10_000_000));
const country = fc.nat(COUNTRIES.length - 1);
const EVERYWHERE = new Uint8Array(COUNTRIES.length).fill(1);

function mayHave(row: Amounts, asked: Amounts, countries = EVERYWHERE, where = 0): boolean {
  return mayMatch(outlineOf(...row, where), outlineOf(...asked, 0), countries) === 1;
}

test('whatever has enough of all three may match', () => {
  fc.assert(
    fc.property(amounts, amounts, country, (row, asked, where) => {
      if (row.every((value, at) => value >= asked[at]!)) assert.ok(mayHave(row, asked, EVERYWHERE, where));
    }),
    { numRuns: 5000 },
  );
});

test('whatever has a quarter less than asked, of any of the three, is told apart', () => {
  fc.assert(
    fc.property(amounts, amounts, fc.nat(2), (row, asked, at) => {
      row[at] = Math.floor((asked[at]! * 3) / 4) - 1;
      if (row[at] >= 0) assert.ok(!mayHave(row, asked));
    }),
    { numRuns: 5000 },
  );
});

test('whatever is elsewhere is told apart', () => {
  fc.assert(
    fc.property(amounts, country, country, (row, where, asked) => {
      const countries = new Uint8Array(COUNTRIES.length);
      countries[asked] = 1;
      assert.equal(mayHave(row, [0, 0, 0], countries, where), where === asked);
    }),
  );
});
