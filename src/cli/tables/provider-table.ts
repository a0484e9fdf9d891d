import type { Amounts, PublishedAdvertisement } from '../../client/node.js';
import { providerIdKind } from '../../protocol/provider-id.js';
import type { CellContext, Column } from './columns.js';
import { cellText, cut, displayWidth, pad } from './text.js';

/** What a table of providers depends on. */
export interface TableOptions extends CellContext {
  columns: readonly Column[];
  /** Screen columns; null for no limit. */
  width: number | null;
  /** Colours a row, given its index. */
  paint?: (line: string, row: number) => string;
}

/** Screen columns between two table columns. */
const GAP = 2;
/** The same, as a last resort on narrow terminals. */
const NARROW_GAP = 1;
/** Characters that every id keeps at least. */
const MIN_ID = 12;
/** The longest IPv4 address is never cut. */
const MIN_ADDRESS = 15;

/** A column during layout. */
interface Fitted {
  column: Column;
  title: string;
  cells: string[];
}

/** Lays out providers as an aligned table without borders, below a line of titles. */
export function providerTable(
  advertisements: readonly PublishedAdvertisement[],
  options: TableOptions,
): string {
  const fitted = options.columns
    .map((column) => ({
      column,
      title: titleOf(column, column.title, options.amounts),
      cells: advertisements.map((one) => cellOf(column, one, options)),
    }))
    .filter(({ column, cells }) => column.optional !== true || cells.some((cell) => cell !== ''));
  const columns = options.width === null ? fitted : squeeze(fitted, options.width, options.amounts);
  const widths = columns.map(widthOf);
  const gap = totalOf(columns) > (options.width ?? Infinity) ? NARROW_GAP : GAP;
  const line = (texts: readonly string[]): string => {
    const cells = texts.map((text, at) => pad(text, widths[at]!, columns[at]!.column.right === true));
    return cut(cells.join(' '.repeat(gap)).trimEnd(), options.width ?? Infinity);
  };
  const paint = options.paint ?? ((text) => text);
  return [
    line(columns.map(({ title }) => title)),
    ...advertisements.map((_, row) => paint(line(columns.map(({ cells }) => cells[row]!)), row)),
  ].join('\n');
}

function cellOf(column: Column, advertisement: PublishedAdvertisement, context: CellContext): string {
  return cellText(
    column.cell?.(advertisement, context) ?? String(column.value(advertisement, context) ?? ''),
  );
}

/** Adds to a price column's title the amounts it is for: cores, GB of memory and GB of disk. */
function titleOf(column: Column, title: string, { cpu, memory, storage }: Amounts): string {
  return column.key === 'usd' || column.key === 'glm' ? `${title} ${cpu}/${memory}/${storage}` : title;
}

/**
 * Makes columns fit, step by step until they do: cuts ids to what tells them apart, shortens titles, cuts long texts, drops columns,
 * removes the amounts from the titles of prices, and finally cuts long addresses.
 */
function squeeze(columns: readonly Fitted[], width: number, amounts: Amounts): Fitted[] {
  let fitted = [...columns];
  const tooWide = (): number => totalOf(fitted) - width;
  if (tooWide() > 0) {
    fitted = fitted.map((one) => (one.column.key === 'id' ? { ...one, cells: shortIds(one.cells) } : one));
  }
  if (tooWide() > 0) {
    fitted = fitted.map((one) => {
      const { shortTitle } = one.column;
      return shortTitle === undefined ? one : { ...one, title: titleOf(one.column, shortTitle, amounts) };
    });
  }
  for (;;) {
    for (const [at, one] of fitted.entries()) {
      const { least } = one.column;
      if (least === undefined || tooWide() <= 0) continue;
      const room = Math.max(least, widthOf(one) - tooWide());
      fitted[at] = { ...one, cells: one.cells.map((cell) => cut(cell, room)) };
    }
    const next = Math.min(...fitted.map(({ column }) => column.expendable ?? Infinity));
    if (tooWide() <= 0 || next === Infinity) break;
    // Columns that were cut may have room again.
    const whole = new Map(columns.map((one) => [one.column, one.cells]));
    fitted = fitted
      .filter(({ column }) => column.expendable !== next)
      .map((one) => (one.column.least === undefined ? one : { ...one, cells: whole.get(one.column)! }));
  }
  const narrowed = (): number => totalOf(fitted, NARROW_GAP) - width;
  if (narrowed() > 0) fitted = fitted.map((one) => ({ ...one, title: one.column.shortTitle ?? one.title }));
  const excess = narrowed();
  if (excess <= 0) return fitted;
  // The line would be cut at its end: half an address is better than half a price.
  return fitted.map((one) => {
    if (one.column.key !== 'address') return one;
    const room = Math.max(MIN_ADDRESS, widthOf(one) - excess);
    return { ...one, cells: one.cells.map((cell) => cut(cell, room)) };
  });
}

function widthOf({ title, cells }: Fitted): number {
  return cells.reduce((most, cell) => Math.max(most, displayWidth(cell)), displayWidth(title));
}

function totalOf(columns: readonly Fitted[], gap = GAP): number {
  return columns.reduce((sum, one) => sum + widthOf(one) + gap, -gap);
}

/** Cuts ids to what tells each from all others: keys and addresses at the end, names in the middle. */
function shortIds(ids: readonly string[]): string[] {
  const short = [...ids];
  let ambiguous = ids.map((_, at) => at);
  for (let length = MIN_ID; ambiguous.length > 0; length += 2) {
    for (const at of ambiguous) short[at] = shortId(ids[at]!, length);
    const count = new Map<string, number>();
    for (const text of short) count.set(text, (count.get(text) ?? 0) + 1);
    ambiguous = ambiguous.filter((at) => count.get(short[at]!)! > 1 && ids[at]!.length > length);
  }
  return short;
}

function shortId(id: string, length: number): string {
  if (id.length <= length + 1) return id;
  if (providerIdKind(id) !== 'name') return `${id.slice(0, length)}…`;
  return `${id.slice(0, length / 2)}…${id.slice(-length / 2)}`;
}
