import type { JSX } from 'preact';
import type { Market } from '../../../src/client/index.js';
import { formats } from '../../model/formats.js';
import { priceHistogram } from '../../model/histogram.js';
import { NumberField } from './fields.js';

const BARS = 28;
const HEIGHT = 44;

export interface PriceLimitProps {
  readonly market: Market | null;
  readonly value: number | undefined;
  readonly onChange: (value: number | undefined) => void;
}

/** The price limit, on a histogram of the prices that match the other conditions. */
export function PriceLimit({ market, value, onChange }: PriceLimitProps): JSX.Element {
  const histogram = market && priceHistogram(market, BARS);
  if (histogram === null)
    return <NumberField label="At most" unit="USD" min={0} step="any" value={value} onChange={onChange} />;
  const { bars, cap, above } = histogram;
  const tallest = Math.max(...bars, 1);
  const step = cap / BARS / 4;
  return (
    <>
      <svg
        class="histogram"
        viewBox={`0 0 ${String(BARS)} ${String(HEIGHT)}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Number of providers by price, from 0 to ${formats.wholeUsd(cap)}, estimated from quartiles`}
      >
        {bars.map((count, bar) => {
          const height = count === 0 ? 0 : Math.max(1.5, (count / tallest) * HEIGHT);
          const isWithin = value === undefined || (bar * cap) / BARS < value;
          return (
            <rect
              key={bar}
              class={isWithin ? 'bar' : 'bar bar-out'}
              x={bar + 0.08}
              width={0.84}
              y={HEIGHT - height}
              height={height}
            />
          );
        })}
      </svg>
      <input
        class="price-range"
        type="range"
        min={0}
        max={cap}
        step={step}
        aria-label="At most, in US dollars per month"
        aria-valuetext={value === undefined ? 'any price' : formats.usd(value)}
        value={value ?? cap}
        onInput={({ currentTarget }) => {
          const limit = Number(currentTarget.value);
          onChange(limit >= cap ? undefined : Math.round(limit * 100) / 100);
        }}
      />
      <div class="scale" aria-hidden="true">
        <span>{formats.wholeUsd(0)}</span>
        {above >= 1 && <span>{formats.count(Math.round(above))} above</span>}
        <span>{formats.wholeUsd(cap)}</span>
      </div>
      <NumberField label="At most" unit="USD" min={0} step="any" value={value} onChange={onChange} />
    </>
  );
}
