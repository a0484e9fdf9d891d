import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathOf, topOf, type TrendPoint } from '../../web/model/trends.js';
import fc from '../support/properties.js';

const SIZE = { width: 300, height: 72 };
const SPAN = { from: 0, to: 900_000, top: 10, intervalMs: 5000 };
const every5s = (values: readonly (number | null)[]): TrendPoint[] =>
  values.map((value, at) => ({ time: at * 5000, value }));

/** What is drawn, as the points of each unbroken line. */
const linesOf = (path: string): string[][] =>
  path
    .split('M')
    .slice(1)
    .map((line) => line.replace('h0', '').split('L'));

test('a line is broken where nothing was measured, and where the hub was not there', () => {
  const measured = pathOf(every5s([1, 2, null, 3]), SPAN, SIZE);
  assert.deepEqual(
    linesOf(measured).map((line) => line.length),
    [2, 1],
  );
  const away = [...every5s([1, 2]), { time: 60_000, value: 2 }, { time: 65_000, value: 2 }];
  assert.deepEqual(
    linesOf(pathOf(away, SPAN, SIZE)).map((line) => line.length),
    [2, 2],
  );
});

test('what is older than the chart is not drawn', () => {
  const path = pathOf([{ time: -5000, value: 1 }, ...every5s([0, 10])], SPAN, SIZE);
  assert.equal(path, 'M0,72h0L1.7,0');
});

test('a value next to nothing has a scale, too', () => {
  assert.equal(topOf([every5s([Number.MIN_VALUE])]), 1);
});

test('every line lies within its chart, and the greatest value is near its top', () => {
  const value = fc.option(fc.double({ min: 0, max: 1e9, noNaN: true }));
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 181 }), (values) => {
      const points = every5s(values);
      const top = topOf([points]);
      const greatest = Math.max(0, ...values.map((one) => one ?? 0));
      assert.ok(top >= greatest && top > 0);
      const path = pathOf(points, { ...SPAN, top }, SIZE);
      const places = linesOf(path)
        .flat()
        .map((place) => place.split(',').map(Number) as [number, number]);
      assert.equal(places.length, values.filter((one) => one !== null).length);
      for (const [x, y] of places)
        assert.ok(x >= 0 && x <= 300 && y >= 0 && y <= 72, `${String(x)},${String(y)}`);
    }),
  );
});
