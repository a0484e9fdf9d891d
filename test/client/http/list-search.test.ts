import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listSearch } from '../../../src/client/http/list-search.js';
import { parseFilter } from '../../../src/protocol/filters/filter.js';
import { parseListQuery } from '../../../src/protocol/filters/list-query.js';
import fc from '../../support/properties.js';

/** What a hub reads from a list request for at most this price. */
function readBack(price: number): number | undefined {
  return parseListQuery(listSearch({ max_usd_per_month: price }, {}).slice(1)).filter.max_usd_per_month;
}

test('a list asks for the very number that a watch asks for, however small, large or negative its zero is', () => {
  const sent = (price: number): number | undefined =>
    parseFilter(JSON.parse(JSON.stringify({ max_usd_per_month: price }))).max_usd_per_month;
  for (const price of [
    -0,
    0,
    1.23e-8,
    1.2345678901234567e-8,
    5e-324,
    1e21,
    1.5e300,
    Number.MAX_VALUE,
    0.1,
    12.5,
  ]) {
    assert.equal(readBack(price), sent(price), String(price));
  }
  fc.assert(
    fc.property(fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }), (price) => {
      assert.equal(readBack(price), sent(price));
    }),
  );
});
