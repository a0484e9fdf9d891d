import assert from 'node:assert/strict';
import test from 'node:test';
import { LIMITS } from '../../src/protocol/limits.js';
import { filterKey, filterWeight } from '../../src/streams/filter-key.js';

const texts = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, at) => `a-platform-with-a-long-name-${String(from + at)}`.slice(0, 32));

test('a filter of many values counts as many subscriptions, and is not kept as a text of its length', () => {
  assert.equal(filterWeight({}), 1);
  assert.equal(filterWeight({ cpu: 4, country: ['NO', 'SE'], status: 'live' }), 1);
  const most = LIMITS.maxFilterValues;
  const largest = { platform: texts(most), payments_network: texts(most) };
  assert.equal(filterWeight(largest), (2 * most) / 16);
  assert.ok(filterKey(largest).length <= 200);
  assert.notEqual(filterKey(largest), filterKey({ ...largest, payments_network: texts(most, 1) }));
  assert.equal(filterKey(largest), filterKey(structuredClone(largest)));
});
