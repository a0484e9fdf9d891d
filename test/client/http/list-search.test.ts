import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listSearch } from '../../../src/client/http/list-search.js';
import { filterFromQuery, filterToQuery } from '../../../src/client/search.js';
import { type Filter, parseFilter } from '../../../src/protocol/filters/filter.js';
import { parseListQuery } from '../../../src/protocol/filters/list-query.js';
import { filter } from '../../support/data/arbitraries.js';
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

test('a filter comes back from the query that it was written as, and what is no filter is refused by name', () => {
  let written = 0;
  fc.assert(
    fc.property(filter.map(parseFilter), (asked) => {
      let query: string;
      try {
        query = filterToQuery(asked);
      } catch {
        // A comma in a value: no query can say that.
        return;
      }
      written += 1;
      const attributes = Object.entries(asked.attributes ?? {}).map(([name, values]) => {
        const [only] = Array.isArray(values) && values.length === 1 ? values : [];
        // A number comes back as the range of that number, which asks for the same.
        return [name, typeof only === 'number' ? { min: only, max: only } : values];
      });
      const expected =
        asked.attributes === undefined
          ? asked
          : { ...asked, attributes: Object.fromEntries(attributes) as Filter['attributes'] };
      assert.deepEqual(filterFromQuery(query), expected);
      assert.deepEqual(filterFromQuery(query.slice(1)), expected);
    }),
  );
  assert.ok(written > 10);
  for (const query of ['?limit=5', 'cpu=x', 'colour=red'])
    assert.throws(() => filterFromQuery(query), { name: 'DiscoveryError', code: 'ADV_002' });
});
