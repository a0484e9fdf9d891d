import type { Amounts, Market, MarketBucket, MarketKey } from '../../client/node.js';
import { bar } from '../tables/bar.js';
import { formatPrice } from '../tables/columns.js';
import { grid } from '../tables/grid.js';

/** Screen columns of the bar of the largest bucket. */
const BAR = 12;
const MIN_KEY = 10;
const NO_KEY = '(none)';

/** The title of the column of bucket keys. */
function titleOf(by: MarketKey | null): string {
  return by === null ? '' : by.replace('attr.', '').toUpperCase();
}

/**
 * A market as a table: a line for each bucket, with a bar relative to the largest, and one for the total.
 * @param width Screen columns; null for no limit.
 */
export function marketTable(
  { total, buckets }: Market,
  by: MarketKey | null,
  amounts: Amounts,
  width: number | null,
): string {
  const lines: readonly MarketBucket[] = [...buckets, total];
  const largest = Math.max(...buckets.map(({ providers }) => providers));
  const keys = buckets.map(({ key }) => (key === null ? NO_KEY : String(key)));
  const bars = buckets.map(({ providers }) => bar(providers / largest, BAR));
  const count = (read: (bucket: MarketBucket) => number): string[] => lines.map((one) => String(read(one)));
  const price = (read: keyof MarketBucket['usd_per_month']): string[] =>
    lines.map(({ usd_per_month: prices }) => formatPrice(prices[read]));
  const { cpu, memory, storage } = amounts;
  return grid(
    [
      { title: titleOf(by), cells: [...keys, 'all'], least: MIN_KEY },
      { title: 'PROVIDERS', cells: count(({ providers }) => providers), right: true },
      ...(bars.length === 0 ? [] : [{ title: '', cells: [...bars, ''], expendable: 4 }]),
      { title: 'LIVE', cells: count(({ live }) => live), right: true, expendable: 5 },
      { title: 'CORES', cells: count(({ resources }) => resources.cpu), right: true, expendable: 3 },
      { title: 'GB RAM', cells: count(({ resources }) => resources.memory), right: true, expendable: 2 },
      { title: 'GB DISK', cells: count(({ resources }) => resources.storage), right: true, expendable: 1 },
      { title: `USD ${cpu}/${memory}/${storage}: MIN`, cells: price('min'), right: true },
      { title: '25%', cells: price('p25'), right: true, expendable: 0 },
      { title: 'MEDIAN', cells: price('p50'), right: true },
      { title: '75%', cells: price('p75'), right: true, expendable: 0 },
      { title: 'MAX', cells: price('max'), right: true, expendable: 6 },
    ],
    width,
  );
}

/** A market as CSV: a header, then a line for each bucket, or only one for the total. */
export function marketRecords({ total, buckets }: Market): (string | number | boolean | null)[][] {
  const lines = (buckets.length === 0 ? [total] : buckets).map(
    ({ key, providers, live, resources, usd_per_month: usd }) => [
      key,
      providers,
      live,
      resources.cpu,
      resources.memory,
      resources.storage,
      usd.priced,
      usd.min,
      usd.p25,
      usd.p50,
      usd.p75,
      usd.max,
    ],
  );
  const names = 'key,providers,live,cpu,memory,storage,priced,min,p25,p50,p75,max';
  return [names.split(','), ...lines];
}
