import { cellText, cut, displayWidth, pad } from './text.js';

/** One column of a small table. */
export interface GridColumn {
  readonly title: string;
  readonly cells: readonly string[];
  readonly right?: boolean;
  /** What may be done where a terminal is too narrow: be cut down to so many columns, or left out, the lowest first. */
  readonly least?: number;
  readonly expendable?: number;
}

/** Columns of the screen between two columns of the table. */
const GAP = 2;

/**
 * Lays columns out side by side, without borders: a line of titles, then one for each cell.
 * @param width Columns of the terminal; null where nothing needs to be cut or left out.
 */
export function grid(columns: readonly GridColumn[], width: number | null): string {
  const fitted = fit(
    columns.map((column) => ({ ...column, cells: column.cells.map(cellText) })),
    width ?? Infinity,
  );
  const widths = fitted.map(widthOf);
  const line = (texts: readonly string[]): string => {
    const cells = texts.map((text, at) => pad(text, widths[at]!, fitted[at]!.right === true));
    return cut(cells.join(' '.repeat(GAP)).trimEnd(), width ?? Infinity);
  };
  const rows = fitted[0]?.cells.map((_, row) => line(fitted.map(({ cells }) => cells[row]!))) ?? [];
  return [line(fitted.map(({ title }) => title)), ...rows].join('\n');
}

/** Leaves columns out while the others would not fit even if they were cut, then cuts those. */
function fit(columns: readonly GridColumn[], width: number): readonly GridColumn[] {
  const leastOf = (column: GridColumn): number => Math.min(widthOf(column), column.least ?? Infinity);
  if (totalOf(columns.map(leastOf)) > width) {
    const next = Math.min(...columns.map(({ expendable }) => expendable ?? Infinity));
    if (next !== Infinity)
      return fit(
        columns.filter(({ expendable }) => expendable !== next),
        width,
      );
  }
  let tooWide = totalOf(columns.map(widthOf)) - width;
  return columns.map((column) => {
    if (tooWide <= 0 || column.least === undefined) return column;
    const room = Math.max(leastOf(column), widthOf(column) - tooWide);
    tooWide -= widthOf(column) - room;
    return { ...column, cells: column.cells.map((cell) => cut(cell, room)) };
  });
}

function widthOf({ title, cells }: GridColumn): number {
  return cells.reduce((most, cell) => Math.max(most, displayWidth(cell)), displayWidth(title));
}

function totalOf(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width + GAP, -GAP);
}
