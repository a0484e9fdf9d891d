import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../../support/properties.js';
import type { Amounts } from '../../../src/protocol/filters/estimate.js';
import { AttributeColumns, PRICES_AN_ESTIMATE, USD } from '../../../src/registry/store/columns.js';
import { estimate } from '../../../src/registry/store/predicate.js';
import { finite, PriceIndex } from '../../../src/registry/store/price-index.js';

const CAPACITY = 4096;

/** A price index beside a plain set of what is in it. */
class Pair {
  readonly columns = new AttributeColumns(CAPACITY);
  readonly index = new PriceIndex(this.columns, CAPACITY, USD);
  readonly present = new Set<number>();

  cost(slot: number, asked: Amounts): number {
    return finite(estimate(this.columns, slot, asked, USD));
  }

  put(slot: number, prices: Prices): void {
    this.take(slot);
    prices.forEach((price, at) => {
      this.columns.prices[USD * PRICES_AN_ESTIMATE + at]![slot] = price;
    });
    this.index.insert(slot);
    if (!Number.isNaN(prices[0])) this.present.add(slot);
  }

  take(slot: number): void {
    if (this.present.delete(slot)) this.index.remove(slot);
  }

  reload(): void {
    this.index.load([...Array(CAPACITY).keys()].filter((slot) => this.present.has(slot)).reverse());
  }

  check(asked: Amounts, floor: number, ceiling: number): void {
    const seen: number[] = [];
    let reached = Number.NEGATIVE_INFINITY;
    this.index.scan(asked, floor, ceiling, (slots) => {
      const cheapest = Math.min(...slots.map((slot) => this.cost(slot, asked)));
      reached = Math.max(reached, cheapest);
      seen.push(...slots);
      return ceiling;
    });
    assert.equal(new Set(seen).size, seen.length, 'a row was handed out twice');
    const visited = new Set(seen);
    for (const slot of visited) assert.ok(this.present.has(slot), 'a row was handed out that is not there');
    for (const slot of this.present) {
      const cost = this.cost(slot, asked);
      if (cost >= floor && cost <= ceiling)
        assert.ok(visited.has(slot), `a row at ${String(cost)} is missing`);
    }
  }

  /** Looks for the cheapest as a list does: with a ceiling that sinks. */
  cheapest(asked: Amounts): number {
    let best = Number.POSITIVE_INFINITY;
    this.index.scan(asked, 0, best, (slots) => {
      for (const slot of slots) best = Math.min(best, this.cost(slot, asked));
      return best;
    });
    return best;
  }
}

type Prices = [number, number, number];

const price = fc.oneof(
  { weight: 6, arbitrary: fc.double({ min: 0, max: 50, noNaN: true }) },
  { weight: 3, arbitrary: fc.constantFrom(0, 0.01, 1, 5, 5.5) },
  { weight: 1, arbitrary: fc.constantFrom(1e-320, 1e9, 1e300, Number.MAX_VALUE) },
);
const prices: fc.Arbitrary<Prices> = fc.oneof(
  { weight: 9, arbitrary: fc.tuple(price, price, price) },
  { weight: 1, arbitrary: fc.constant<Prices>([Number.NaN, Number.NaN, Number.NaN]) },
);
const amounts = fc.record({ cpu: fc.nat(4096), memory: fc.nat(65_536), storage: fc.nat(10_000_000) });
const step = fc.oneof(
  // Many rows along a line of prices, so that chunks split, or all at one price, so that they cannot.
  fc.record({ from: fc.nat(2000), count: fc.nat(1500), start: prices, by: fc.constantFrom(0, 0.001, 0.7) }),
  fc.record({ from: fc.nat(3000), drop: fc.nat(1500) }),
  fc.record({ slot: fc.nat(CAPACITY - 1), prices }),
  fc.constant('reload' as const),
);

test('a scan hands out every row between floor and ceiling, whatever was filed, repriced and taken out', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 8 }),
      fc.array(fc.tuple(amounts, price, price), { minLength: 1, maxLength: 4 }),
      (steps, searches) => {
        const pair = new Pair();
        for (const one of steps) {
          if (one === 'reload') {
            pair.reload();
          } else if ('drop' in one) {
            for (let slot = one.from; slot < Math.min(CAPACITY, one.from + one.drop); slot += 1)
              pair.take(slot);
          } else if ('count' in one) {
            const [core, memory, storage] = one.start;
            for (let at = 0; at < one.count; at += 1) {
              pair.put(one.from + at, [core + at * one.by, memory, storage + ((at * 7919) % 100) * one.by]);
            }
          } else {
            pair.put(one.slot, one.prices);
          }
        }
        for (const [asked, one, other] of searches) {
          const scale = Math.max(1, asked.cpu);
          pair.check(asked, Math.min(one, other) * scale, Math.max(one, other) * scale);
          pair.check(asked, 0, Number.MAX_VALUE);
          const costs = [...pair.present].map((slot) => pair.cost(slot, asked));
          assert.equal(pair.cheapest(asked), Math.min(...costs, Number.POSITIVE_INFINITY));
        }
      },
    ),
    { numRuns: 150 },
  );
});

test('the cheapest of many are found without looking at most of them', () => {
  const pair = new Pair();
  let seed = 1;
  const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  for (let slot = 0; slot < CAPACITY; slot += 1) pair.put(slot, [random() * 10, random(), random() / 10]);
  let looked = 0;
  let best = Number.POSITIVE_INFINITY;
  const asked = { cpu: 4, memory: 16, storage: 100 };
  pair.index.scan(asked, 0, best, (slots) => {
    looked += slots.length;
    for (const slot of slots) best = Math.min(best, pair.cost(slot, asked));
    return best;
  });
  assert.ok(looked < CAPACITY / 3, `looked at ${String(looked)}`);
});
