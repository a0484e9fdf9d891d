import * as z from 'zod';
import { CONDITION_NAMES } from '../protocol/filters/conditions.js';
import { attributeParameters, resourceParameter } from '../protocol/filters/fact-parameters.js';
import { type Filter, type FilterInput, parseFilter } from '../protocol/filters/filter.js';
import { readQuery } from '../protocol/filters/list-query.js';
import { DiscoveryError } from './errors.js';

/**
 * The query string of a filter and other parameters, with `?`; empty if there are none.
 * @throws DiscoveryError `ADV_002` naming what is invalid, before anything is sent.
 */
export function searchOf(
  filter: FilterInput,
  others: Readonly<Record<string, string | undefined>> = {},
): string {
  let checked;
  try {
    checked = parseFilter(filter);
  } catch (error) {
    throw DiscoveryError.from(error, 'ADV_002');
  }
  const search = new URLSearchParams();
  for (const [parameter, value] of factParameters(checked)) search.append(parameter, value);
  for (const member of CONDITION_NAMES) {
    const value = checked[member];
    if (value === undefined || (typeof value === 'object' && !Array.isArray(value))) continue;
    if (typeof value === 'number') search.set(member, decimal(value));
    else if (value === true) search.set(member, 'true');
    else for (const one of [value].flat()) search.append(member, withoutComma(member, one));
  }
  for (const [name, value] of Object.entries(others)) if (value !== undefined) search.set(name, value);
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

const nothingElse = z.object({});

/**
 * Parses the filter in a query string, as written by `filterToQuery` or for the REST interface, with or without a leading `?`.
 * @throws DiscoveryError `ADV_002` naming the parameter; parameters that are not part of a filter are not ignored.
 */
export function filterFromQuery(query: string): Filter {
  try {
    return readQuery(query.replace(/^\?/, ''), nothingElse).filter;
  } catch (error) {
    throw DiscoveryError.from(error, 'ADV_002');
  }
}

/**
 * The query string of a filter for the REST interface, with `?`; empty for an empty filter. It also reads well in a URL.
 * @throws DiscoveryError `ADV_002` naming what is invalid, or what a query cannot express.
 */
export function filterToQuery(filter: FilterInput): string {
  return searchOf(filter);
}

function factParameters({ min = {}, attributes = {} }: Filter): [parameter: string, value: string][] {
  try {
    return [
      ...Object.entries(min).map(([name, least]) => resourceParameter(name, least)),
      ...Object.entries(attributes).flatMap(([name, asked]) => attributeParameters(name, asked)),
    ];
  } catch (error) {
    throw DiscoveryError.from(error, 'ADV_002');
  }
}

/**
 * A number of at least 0 without an exponent, which queries do not accept, with exactly the digits of JSON, so that a list and a watch ask
 * for the same.
 */
function decimal(value: number): string {
  const [digits = '', exponent] = String(value).split('e');
  if (exponent === undefined) return digits;
  const [whole = '', fraction = ''] = digits.split('.');
  const point = whole.length + Number(exponent);
  if (point <= 0) return `0.${'0'.repeat(-point)}${whole}${fraction}`;
  return (whole + fraction).padEnd(point, '0');
}

function withoutComma(member: string, value: string): string {
  if (!value.includes(',')) return value;
  throw new DiscoveryError(
    'ADV_002',
    `${member}: a query cannot ask for ${JSON.stringify(value)}, because a comma separates values there; watch() can`,
  );
}
