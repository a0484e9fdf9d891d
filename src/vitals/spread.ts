import type { Histogram } from 'node:perf_hooks';

/** What was usual, what was rare and what was worst, in milliseconds. */
export interface Spread {
  p50: number;
  p99: number;
  max: number;
}

/**
 * Sums up a histogram in milliseconds, to a hundredth of one.
 * @param unitsPerMs What the histogram counts in.
 * @param less What every value of it is too great by, in milliseconds.
 */
export function spreadOf(histogram: Histogram, unitsPerMs: number, less = 0): Spread {
  const ms = (value: number): number => Math.max(0, Math.round((value / unitsPerMs - less) * 100) / 100);
  // The percentiles are ends of classes, which may lie above the greatest value.
  const max = ms(histogram.max);
  return {
    p50: Math.min(max, ms(histogram.percentile(50))),
    p99: Math.min(max, ms(histogram.percentile(99))),
    max,
  };
}
