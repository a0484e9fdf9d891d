import type { PublishedAdvertisement } from '../../client/node.js';
import { cellText } from './text.js';
import type { CellContext, Column, Value } from './columns.js';

/** A spreadsheet takes what begins like that for a formula, and runs it. */
const FORMULA = /^[=+\-@\t\r]/;

/** One field (RFC 4180). What a stranger wrote stays text in a spreadsheet: an apostrophe goes before what looks like a formula. */
function field(value: Value): string {
  if (typeof value !== 'string') return String(value ?? '');
  const text = cellText(value);
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Lines of fields as CSV, the first with their names. */
export function csvOf(lines: readonly (readonly Value[])[]): string {
  return lines.map((fields) => fields.map(field).join(',')).join('\n');
}

/** Providers as CSV: a line with the columns' keys, then one for each provider. */
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
