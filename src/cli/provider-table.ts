import Table from 'cli-table3';
import { type Amounts, monthlyEstimate, type PublishedAdvertisement } from '../client/node.js';
import { printable } from './terminal.js';

/** What a table of providers is made for. */
export interface TableOptions {
  /** Columns of the terminal; null where nothing needs to be cut. */
  width: number | null;
  /** What the estimate is for; null for no estimate column. */
  amounts: Amounts | null;
  /** Unix milliseconds that ages count from. */
  now: number;
  /** How a row is coloured, by its place. */
  paint?: (cell: string, row: number) => string;
}

interface Column {
  title: string;
  right?: boolean;
  cell: (advertisement: PublishedAdvertisement, options: TableOptions) => string;
  /** Left out first, in this order, where the terminal is too narrow; undefined: never. */
  expendable?: number;
}

const COLUMNS: readonly Column[] = [
  { title: 'PROVIDER', cell: ({ provider_id }) => provider_id },
  { title: 'NAME', cell: ({ name }) => name ?? '', expendable: 3 },
  { title: 'COUNTRY', cell: ({ country }) => country },
  { title: 'CPU', right: true, cell: ({ resources }) => String(resources.cpu) },
  { title: 'GB RAM', right: true, cell: ({ resources }) => String(resources.memory) },
  { title: 'GB DISK', right: true, cell: ({ resources }) => String(resources.storage) },
  { title: 'PLATFORM', cell: ({ platform }) => platform ?? '', expendable: 2 },
  { title: 'NETWORK', cell: ({ payments_network }) => payments_network ?? '', expendable: 1 },
  { title: 'ADDRESS', cell: ({ ip_address }) => ip_address, expendable: 0 },
  {
    title: 'USD/MONTH',
    right: true,
    cell: (advertisement, { amounts }) => formatEstimate(advertisement, amounts),
  },
  { title: 'STATUS', cell: ({ status }) => status },
  { title: 'SEEN', right: true, cell: ({ updated_at }, { now }) => formatAge(now - Date.parse(updated_at)) },
];

const GAP = 2;
/** A provider id may be cut down to this many characters. */
const MIN_ID = 12;

/** Lays providers out as an aligned table without borders. */
export function providerTable(
  advertisements: readonly PublishedAdvertisement[],
  options: TableOptions,
): string {
  let columns = COLUMNS.filter(({ title }) => title !== 'USD/MONTH' || options.amounts !== null);
  // A column that nobody filled tells nothing.
  columns = columns.filter(
    ({ title, cell }) =>
      !['NAME', 'PLATFORM', 'NETWORK'].includes(title) ||
      advertisements.some((one) => cell(one, options) !== ''),
  );
  const rows = (): string[][] =>
    advertisements.map((one) => columns.map(({ cell }) => printable(cell(one, options))));
  const widths = (): number[] =>
    columns.map(({ title }, at) => Math.max(title.length, ...rows().map((row) => row[at]!.length)));
  const total = (): number => widths().reduce((sum, width) => sum + width + GAP, -GAP);
  const { width } = options;
  const tooWide = (): boolean => width !== null && total() - Math.max(0, widths()[0]! - MIN_ID) > width;
  for (let next = 0; tooWide() && next <= 3; next += 1) {
    columns = columns.filter(({ expendable }) => expendable !== next);
  }
  const idWidth =
    width === null ? widths()[0]! : Math.max(MIN_ID, widths()[0]! - Math.max(0, total() - width));
  return render(
    columns,
    rows().map((row) => [shorten(row[0]!, idWidth), ...row.slice(1)]),
    options.paint ?? ((cell) => cell),
  );
}

function render(
  columns: readonly Column[],
  rows: readonly string[][],
  paint: NonNullable<TableOptions['paint']>,
): string {
  const none = '';
  const table = new Table({
    chars: {
      top: none,
      'top-mid': none,
      'top-left': none,
      'top-right': none,
      bottom: none,
      'bottom-mid': none,
      'bottom-left': none,
      'bottom-right': none,
      left: none,
      'left-mid': none,
      mid: none,
      'mid-mid': none,
      right: none,
      'right-mid': none,
      middle: ' '.repeat(GAP),
    },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    head: columns.map(({ title }) => title),
    colAligns: columns.map(({ right }) => (right === true ? 'right' : 'left')),
  });
  rows.forEach((row, number) => table.push(row.map((cell) => paint(cell, number))));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

function shorten(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

/** What the asked amounts cost a month; empty where a price is missing. */
export function formatEstimate({ pricing }: PublishedAdvertisement, amounts: Amounts | null): string {
  const estimate = amounts === null ? null : monthlyEstimate(pricing, amounts);
  return estimate === null ? '' : estimate.toFixed(2);
}

/** How long ago, in the largest unit that says enough. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
