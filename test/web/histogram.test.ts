import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MarketBucket } from '../../src/client/index.js';
import { niceCeiling, priceHistogram } from '../../web/model/histogram.js';
import fc from '../support/properties.js';

function bucket(prices: readonly number[]): MarketBucket {
  const sorted = [...prices].sort((a, b) => a - b);
  const at = (share: number): number | null =>
    sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
  return {
    key: null,
    providers: prices.length,
    live: prices.length,
    resources: { cpu: 0, memory: 0, storage: 0 },
    usd_per_month: {
      priced: sorted.length,
      min: at(0),
      p25: at(0.25),
      p50: at(0.5),
      p75: at(0.75),
      max: at(1),
    },
  };
}

const price = fc.double({ min: 0, max: 1e6, noNaN: true });

test('a histogram loses nobody, whatever the prices', () => {
  // The smallest price there is: its power of ten is none that a number can hold.
  const tiny = priceHistogram({ total: bucket([Number.MIN_VALUE, 3]), buckets: [] })!;
  assert.ok(Math.abs(tiny.bars.reduce((sum, count) => sum + count, tiny.above) - 2) < 1e-9);
  const groups = fc.array(fc.array(price, { minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(groups, (prices) => {
      const all = prices.flat();
      const histogram = priceHistogram({ total: bucket(all), buckets: prices.map(bucket) }, 12);
      if (histogram === null) {
        assert.equal(Math.max(...all), 0);
        return;
      }
      const sum = histogram.bars.reduce((total, count) => total + count, 0) + histogram.above;
      assert.ok(Math.abs(sum - all.length) < 1e-6 * all.length, `${String(sum)} of ${String(all.length)}`);
      assert.ok(histogram.bars.every((count) => count >= 0));
    }),
  );
});

test('where prices lie evenly, so do bars; few that are far dearer do not make the others one bar', () => {
  const even = Array.from({ length: 1000 }, (_, index) => index / 100);
  const { bars, cap } = priceHistogram({ total: bucket(even), buckets: [] }, 10)!;
  assert.equal(cap, 10);
  for (const count of bars) assert.ok(Math.abs(count - 100) < 3, String(count));
  const dear = priceHistogram({ total: bucket([...even, 1e6]), buckets: [bucket(even), bucket([1e6])] }, 10)!;
  assert.ok(dear.cap < 30);
  assert.equal(dear.above, 1);
  assert.equal(priceHistogram({ total: bucket([]), buckets: [] }), null);
});

test('scales end with numbers that read well', () => {
  for (const [value, expected] of [
    [0.013, 0.015],
    [1, 1],
    [1.01, 1.5],
    [9.9, 10],
    [700, 750],
    [76, 100],
  ] as const)
    assert.ok(
      Math.abs(niceCeiling(value) - expected) < 1e-9 * expected,
      `${String(value)}: ${String(niceCeiling(value))}`,
    );
});
