import * as z from 'zod';
import { CONDITION_NAMES } from '../protocol/filters/conditions.js';
import { attributeParameters, resourceParameter } from '../protocol/filters/fact-parameters.js';
import { type Filter, type FilterInput, parseFilter } from '../protocol/filters/filter.js';
import { readQuery } from '../protocol/filters/list-query.js';
import { DiscoveryError } from './errors.js';

/**
 * The query string of a filter and other parameters, with `?`; empty when nothing is asked.
 * @throws DiscoveryError `ADV_002` naming what is not acceptable, before anything is sent.
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
 * The filter of a query string, as `filterToQuery` and the interface write it; `?` in front may be there.
 * @throws DiscoveryError `ADV_002` naming the parameter: one that is no part of a filter is not passed over.
 */
export function filterFromQuery(query: string): Filter {
  try {
    return readQuery(query.replace(/^\?/, ''), nothingElse).filter;
  } catch (error) {
    throw DiscoveryError.from(error, 'ADV_002');
  }
}

/**
 * The query string of a filter, with `?`; empty when nothing is asked: what the interface takes, and what reads well in an address.
 * @throws DiscoveryError `ADV_002` naming what is not acceptable, or what a query cannot say.
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
 * A number of at least 0 without an exponent, which a query does not know: with the very digits that JSON gives it, so that a
 * list and a watch ask for the same.
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
