import { cellText, cut, displayWidth, pad, wrapped } from './text.js';

/** One column of a small table. */
export interface GridColumn {
  readonly title: string;
  readonly cells: readonly string[];
  readonly right?: boolean;
  /** How it may shrink on a narrow terminal: cut to so many columns, or dropped, lowest rank first. */
  readonly least?: number;
  readonly expendable?: number;
  /** Whether long cells continue on further lines instead of being cut. */
  readonly wraps?: boolean;
}

/** Screen columns between two table columns. */
const GAP = 2;

/**
 * Lays out columns side by side, without borders, below a line of titles.
 * @param width Screen columns; null for no limit.
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
  const rows =
    fitted[0]?.cells.flatMap((_, row) => {
      const parts = fitted.map(({ cells }) => linesOf(cells[row]!));
      const height = Math.max(...parts.map(({ length }) => length));
      return Array.from({ length: height }, (_line, at) => line(parts.map((part) => part[at] ?? '')));
    }) ?? [];
  return [line(fitted.map(({ title }) => title)), ...rows].join('\n');
}

/** Drops columns until the others fit when cut or wrapped, then does so. */
function fit(columns: readonly GridColumn[], width: number): readonly GridColumn[] {
  const leastOf = (column: GridColumn): number =>
    Math.max(displayWidth(column.title), Math.min(widthOf(column), column.least ?? Infinity));
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
    const fitCell = (cell: string): string =>
      column.wraps === true ? wrapped(cell, room).join('\n') : cut(cell, room);
    return { ...column, cells: column.cells.map(fitCell) };
  });
}

function widthOf({ title, cells }: GridColumn): number {
  return Math.max(displayWidth(title), ...cells.flatMap(linesOf).map(displayWidth));
}

/** The lines of a cell; several once it has been wrapped. */
function linesOf(cell: string): string[] {
  return cell.split('\n');
}

function totalOf(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width + GAP, -GAP);
}
