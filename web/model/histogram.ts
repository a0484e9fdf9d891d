import type { Market, Quantiles } from '../../src/client/index.js';

/** How many providers there are by price. */
export interface Histogram {
  /** The price at which the last bar ends. */
  readonly cap: number;
  /** How many have a price within each bar, as far as quartiles tell; bars are of equal width, from 0 to the cap. */
  readonly bars: readonly number[];
  /** How many are above the cap. */
  readonly above: number;
  /** How many have a price at all. */
  readonly priced: number;
}

/** A cent: where nearly everybody asks for nothing, there is still a scale. */
const LEAST_CAP = 0.01;

/**
 * Adds up what the quartiles of each country say into one histogram: a quarter of its providers lies evenly between two neighbouring
 * quartiles. The cap leaves out the few that are far dearer than the rest.
 */
export function priceHistogram(
  { total, buckets }: Pick<Market, 'total' | 'buckets'>,
  count = 24,
): Histogram | null {
  const { usd_per_month: all } = total;
  if (all.max === null || all.p75 === null || all.max === 0) return null;
  const cap = niceCeiling(Math.max(LEAST_CAP, Math.min(all.max, all.p75 * 2.5)));
  const bars = new Array<number>(count).fill(0);
  let above = 0;
  for (const { usd_per_month: quantiles } of buckets.length === 0 ? [total] : buckets) {
    for (const [from, to, share] of quarters(quantiles)) {
      above += share * (from === to ? Number(from > cap) : shareWithin(from, to, cap, Infinity));
      for (let bar = 0; bar < count; bar += 1) {
        const start = (bar * cap) / count;
        const end = ((bar + 1) * cap) / count;
        // The last bar has its end, too.
        const isAtCap = bar === count - 1 && from === to && from === cap;
        bars[bar]! += share * (isAtCap ? 1 : shareWithin(from, to, start, bar === count - 1 ? cap : end));
      }
    }
  }
  return { cap, bars, above, priced: all.priced };
}

function quarters({
  priced,
  min,
  p25,
  p50,
  p75,
  max,
}: Quantiles): [from: number, to: number, share: number][] {
  if (min === null || p25 === null || p50 === null || p75 === null || max === null) return [];
  const quarter = priced / 4;
  return [
    [min, p25, quarter],
    [p25, p50, quarter],
    [p50, p75, quarter],
    [p75, max, quarter],
  ];
}

/** Which share of what lies evenly between two prices is within others, the upper one excluded. */
function shareWithin(from: number, to: number, start: number, end: number): number {
  if (from === to) return from >= start && from < end ? 1 : 0;
  return Math.max(0, Math.min(to, end) - Math.max(from, start)) / (to - from);
}

/** The next number that reads well on a scale. */
export function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 1.5, 2, 3, 4, 5, 7.5, 10].find((candidate) => candidate * power >= value) ?? 10;
  return step * power;
}
