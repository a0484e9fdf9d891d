import type { Histogram } from 'node:perf_hooks';

/** Median, 99th percentile and maximum, in milliseconds. */
export interface Spread {
  p50: number;
  p99: number;
  max: number;
}

/**
 * Summarises a histogram in milliseconds, rounded to a hundredth.
 * @param unitsPerMs The histogram's units per millisecond.
 * @param less How much to subtract from every value, in milliseconds.
 */
export function spreadOf(histogram: Histogram, unitsPerMs: number, less = 0): Spread {
  const ms = (value: number): number => Math.max(0, Math.round((value / unitsPerMs - less) * 100) / 100);
  // Percentiles are upper ends of histogram buckets, which may exceed the maximum.
  const max = ms(histogram.max);
  return {
    p50: Math.min(max, ms(histogram.percentile(50))),
    p99: Math.min(max, ms(histogram.percentile(99))),
    max,
  };
}
