import { niceCeiling } from './histogram.js';

/** One measured value of a trend; null where there was nothing to measure. */
export interface TrendPoint {
  /** Unix milliseconds. */
  readonly time: number;
  readonly value: number | null;
}

/** Size of the drawing area; y points down. */
export interface ChartSize {
  readonly width: number;
  readonly height: number;
}

/** A gap of more than this many intervals breaks the line. */
const GAP_INTERVALS = 2.5;
/** The scale of a chart whose values are all 0. */
const LEAST_TOP = 1;
/** What is smaller is drawn as 0: so near to nothing, numbers have no nice ones above them. */
const NOTHING = 1e-9;

/** The value at the top of a chart that has room for all of these. */
export function topOf(trends: readonly (readonly TrendPoint[])[]): number {
  const most = trends.flat().reduce((highest, { value }) => Math.max(highest, value ?? 0), 0);
  return most < NOTHING ? LEAST_TOP : niceCeiling(most);
}

/**
 * The line of a trend as an SVG path. It breaks where nothing was measured or the hub was down. A point without
 * neighbours becomes a dot: a tiny line with round caps.
 * @param from Unix milliseconds at the left end.
 * @param to Unix milliseconds at the right end.
 * @param top The value at the upper end; 0 is at the lower.
 */
export function pathOf(
  points: readonly TrendPoint[],
  { from, to, top, intervalMs }: { from: number; to: number; top: number; intervalMs: number },
  { width, height }: ChartSize,
): string {
  let path = '';
  let last: number | null = null;
  for (const { time, value } of points) {
    if (value === null || time < from || time > to) {
      last = null;
      continue;
    }
    const x = ((time - from) / (to - from)) * width;
    const y = height - (Math.min(value, top) / top) * height;
    const isNext = last !== null && time - last <= intervalMs * GAP_INTERVALS;
    path += isNext ? `L${place(x)},${place(y)}` : `M${place(x)},${place(y)}h0`;
    last = time;
  }
  return path;
}

const place = (at: number): string => String(Math.round(at * 10) / 10);
