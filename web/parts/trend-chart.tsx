import type { JSX } from 'preact';
import { useId } from 'preact/hooks';
import { pathOf, topOf, type TrendPoint } from '../model/trends.js';

/** One line of a chart. */
export interface Trend {
  readonly name: string;
  readonly points: readonly TrendPoint[];
}

export interface TrendChartProps {
  readonly title: string;
  /** At most three lines. */
  readonly trends: readonly Trend[];
  textOf: (value: number) => string;
  /** Unix milliseconds of both ends. */
  readonly from: number;
  readonly to: number;
  readonly intervalMs: number;
}

const SIZE = { width: 300, height: 72 };

/** A line chart over time with one scale from 0. Lines differ by stroke; the key shows their latest values. */
export function TrendChart({ title, trends, textOf, from, to, intervalMs }: TrendChartProps): JSX.Element {
  const heading = useId();
  const top = topOf(trends.map(({ points }) => points));
  const span = { from, to, top, intervalMs };
  return (
    <section class="panel trend" aria-labelledby={heading}>
      <header class="trend-head">
        <h2 id={heading}>{title}</h2>
        <span class="hint" aria-hidden="true">
          up to {textOf(top)}
        </span>
      </header>
      <svg
        class="trend-chart"
        viewBox={`0 0 ${String(SIZE.width)} ${String(SIZE.height)}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={trends.map((trend) => wordsFor(trend, textOf)).join('; ')}
      >
        {[0, 0.5, 1].map((share) => (
          <line
            key={share}
            class="trend-grid"
            x1={0}
            x2={SIZE.width}
            y1={SIZE.height * share}
            y2={SIZE.height * share}
          />
        ))}
        {trends.map(({ name, points }, index) => (
          <path
            key={name}
            class={`trend-line trend-line-${String(index + 1)}`}
            d={pathOf(points, span, SIZE)}
          />
        ))}
      </svg>
      <p class="scale" aria-hidden="true">
        <span>15 min ago</span>
        <span>now</span>
      </p>
      <dl class="trend-key">
        {trends.map(({ name, points }, index) => (
          <div key={name}>
            <dt>
              <svg class="trend-sign" viewBox="0 0 22 6" aria-hidden="true">
                <path class={`trend-line trend-line-${String(index + 1)}`} d="M1,3h20" />
              </svg>
              {name}
            </dt>
            <dd>{latestOf(points, textOf)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function latestOf(points: readonly TrendPoint[], textOf: (value: number) => string): string {
  const value = points.at(-1)?.value ?? null;
  return value === null ? '–' : textOf(value);
}

function wordsFor({ name, points }: Trend, textOf: (value: number) => string): string {
  const values = points.flatMap(({ value }) => (value === null ? [] : [value]));
  if (values.length === 0) return `${name}: no data yet`;
  return `${name}: between ${textOf(Math.min(...values))} and ${textOf(Math.max(...values))}, now ${latestOf(points, textOf)}`;
}
