import { type Filter, filterFromQuery, type FilterInput, filterToQuery } from '../../src/client/index.js';
import { COLUMNS, columnNamed, DEFAULT_COLUMNS } from './columns.js';

/** The sort column and direction of the table. */
export interface Sort {
  readonly column: string;
  readonly descending: boolean;
}

/** What the table of providers shows, as encoded in the URL. */
export interface View {
  readonly filter: Filter;
  readonly sort: Sort;
  /** The names of columns, in order. */
  readonly columns: readonly string[];
}

const CHEAPEST_FIRST: Sort = { column: 'price', descending: false };

/**
 * Parses a view from a query string: the API's filter parameters, `sort` and `columns`. Invalid parts are reported and left out.
 */
export function readView(query: string): { view: View; problem: string | null } {
  const sort = CHEAPEST_FIRST;
  const columns = DEFAULT_COLUMNS;
  const own = new URLSearchParams(query);
  const rest = query
    .split('&')
    .filter((pair) => !/^(?:sort|columns)=/.test(pair))
    .join('&');
  const view = {
    sort: readSort(own.get('sort')) ?? sort,
    columns: readColumns(own.get('columns')) ?? columns,
  };
  try {
    return { view: { ...view, filter: filterFromQuery(rest) }, problem: null };
  } catch (error) {
    return { view: { ...view, filter: {} }, problem: (error as Error).message };
  }
}

/** The reverse of `readView`; defaults are omitted. */
export function formatView({ filter, sort, columns }: View): string {
  const parts = [formatFilter(filter)];
  const name = `${sort.descending ? '-' : ''}${sort.column}`;
  if (name !== CHEAPEST_FIRST.column) parts.push(`sort=${name}`);
  if (columns.join() !== DEFAULT_COLUMNS.join()) parts.push(`columns=${columns.join(',')}`);
  return parts.filter((part) => part !== '').join('&');
}

/** A filter as a query string without `?`; empty if a query string cannot express it. */
export function formatFilter(filter: FilterInput): string {
  try {
    return filterToQuery(filter).slice(1);
  } catch {
    return '';
  }
}

function readSort(text: string | null): Sort | null {
  if (text === null) return null;
  const descending = text.startsWith('-');
  const column = columnNamed(descending ? text.slice(1) : text);
  return column === null ? null : { column: column.name, descending };
}

function readColumns(text: string | null): string[] | null {
  const names = (text ?? '').split(',').filter((name) => columnNamed(name) !== null);
  return names.length === 0 ? null : [...new Set(names)];
}

/** The columns that can be chosen: the usual ones, those shown now, and one for each of these attributes. */
export function choosableColumns(shown: readonly string[], attributes: Iterable<string>): string[] {
  const named = [...attributes].sort().map((name) => `attr.${name}`);
  return [...new Set([...COLUMNS.map(({ name }) => name), ...named, ...shown])];
}
