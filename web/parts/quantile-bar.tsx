import type { JSX } from 'preact';
import type { Quantiles } from '../../src/client/index.js';
import { formats } from '../model/formats.js';

const WIDTH = 100;
const HEIGHT = 14;

/** A box plot of prices: whiskers at minimum and maximum, a box from p25 to p75, a stroke at the median. */
export function QuantileBar({
  quantiles,
  scale,
}: {
  quantiles: Quantiles;
  scale: number;
}): JSX.Element | null {
  const { min, p25, p50, p75, max } = quantiles;
  if (min === null || p25 === null || p50 === null || p75 === null || max === null) return null;
  const at = (price: number): number => Math.min(1, scale === 0 ? 0 : price / scale) * WIDTH;
  const words = `from ${formats.usd(min)}, half between ${formats.usd(p25)} and ${formats.usd(p75)}, median ${formats.usd(p50)}, up to ${formats.usd(max)}`;
  return (
    <svg
      class="quantiles"
      viewBox={`0 0 ${String(WIDTH)} ${String(HEIGHT)}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={words}
    >
      <title>{words}</title>
      <line class="whisker" x1={at(min)} x2={at(max)} y1={HEIGHT / 2} y2={HEIGHT / 2} />
      <rect class="box" x={at(p25)} width={Math.max(0.6, at(p75) - at(p25))} y={2} height={HEIGHT - 4} />
      <line class="median" x1={at(p50)} x2={at(p50)} y1={0} y2={HEIGHT} />
    </svg>
  );
}
