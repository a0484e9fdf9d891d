import type { PublishedAdvertisement } from '../../client/node.js';
import { cellText } from './text.js';
import type { CellContext, Column, Value } from './columns.js';

/** Spreadsheets run text that begins like this as a formula. */
const FORMULA = /^[=+\-@\t\r]/;

/** One field (RFC 4180). Text that looks like a formula gets an apostrophe in front, so that a spreadsheet does not run it. */
function field(value: Value): string {
  if (typeof value !== 'string') return String(value ?? '');
  const text = cellText(value);
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Rows as CSV, after a header. */
export function csvOf(lines: readonly (readonly Value[])[]): string {
  return lines.map((fields) => fields.map(field).join(',')).join('\n');
}

/** Providers as CSV, after a header of column keys. */
export function toCsv(
  advertisements: readonly PublishedAdvertisement[],
  columns: readonly Column[],
  context: CellContext,
): string {
  return csvOf([
    columns.map(({ key }) => key),
    ...advertisements.map((one) => columns.map(({ value }) => value(one, context))),
  ]);
}
