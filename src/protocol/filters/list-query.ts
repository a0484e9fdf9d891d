import * as z from 'zod';
import { describeIssues } from '../advertisement.js';
import { CONDITION_NAMES, kindOf } from './conditions.js';
import { ProtocolError } from '../errors.js';
import { FactParameters, isFactParameter } from './fact-parameters.js';
import { type Filter, filterSchema } from './filter.js';
import { LIMITS } from '../limits.js';

export const SORTS = ['price', 'price_glm', 'updated'] as const;
/** `id` is the default order and has no name in the query. */
export type SortOrder = (typeof SORTS)[number] | 'id';

/** The end of a page: the sort key and the id of its last advertisement. */
export interface PageCursor {
  sort: SortOrder;
  /** The estimate (null for unpriced), Unix milliseconds of the last heartbeat, or null for `id`. */
  key: number | null;
  providerId: string;
}

/** A whole list request. */
export interface ListQuery {
  filter: Filter;
  sort: SortOrder;
  /** Null: all matches. */
  limit: number | null;
  after: PageCursor | null;
}

/** A list query, and what to wait for. */
export interface ListRequest extends ListQuery {
  /** Waits until the matches differ from those at a cursor. Null: does not wait. */
  wait: { since: string; seconds: number } | null;
}

/** Whether a condition has a parameter for each attribute or resource, whose names providers choose. */
export function isNamedByProviders(name: string): boolean {
  const kind = kindOf(name);
  return kind === 'attributes' || kind === 'further-resources';
}

/** Whether a parameter may be repeated or have values with commas between them. */
export function takesMany(name: string): boolean {
  const kind = kindOf(name);
  return kind === 'one-of' || kind === 'none-of' || kind === 'not-these';
}

function isNumeric(name: string): boolean {
  const kind = kindOf(name);
  return kind === 'at-least' || kind === 'at-most' || name === 'limit' || name === 'wait';
}

const pageSchema = z.object({
  sort: z
    .enum(SORTS, 'must be "price", "price_glm" or "updated"; leave it out to sort by provider_id')
    .optional(),
  limit: z
    .int(`must be an integer from 1 to ${String(LIMITS.maxPageSize)}`)
    .min(1, `must be an integer from 1 to ${String(LIMITS.maxPageSize)}`)
    .max(LIMITS.maxPageSize, `must be an integer from 1 to ${String(LIMITS.maxPageSize)}`)
    .optional(),
  after: z.string().optional(),
  since: z.string().max(64, 'must be a cursor: the X-Discovery-Cursor of an earlier answer').optional(),
  wait: z
    .int(`must be an integer from 1 to ${String(LIMITS.maxWaitSeconds)}`)
    .min(1, `must be an integer from 1 to ${String(LIMITS.maxWaitSeconds)}`)
    .max(LIMITS.maxWaitSeconds, `must be an integer from 1 to ${String(LIMITS.maxWaitSeconds)}`)
    .optional(),
});

/** All parameters of the list, for the API description. */
export const listQuerySchema = z.strictObject({ ...filterSchema.shape, ...pageSchema.shape });

function refuse(message: string): never {
  throw new ProtocolError('ADV_002', `invalid filter: ${message}`);
}

const DECIMAL = /^(0|[1-9][0-9]*)(\.[0-9]+)?$/;

function decodeComponent(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return refuse('the query string has a broken percent-encoding');
  }
}

/** Splits a query string into its parameters, in order, refusing names that are neither conditions nor among these. */
function parameters(search: string, others: readonly string[]): [name: string, value: string][] {
  const own = CONDITION_NAMES.filter((name) => !isNamedByProviders(name));
  const known: ReadonlySet<string> = new Set([...own, ...others]);
  if (search === '') return [];
  if (search.length > LIMITS.maxQueryBytes)
    refuse(`the query string is over ${String(LIMITS.maxQueryBytes)} bytes`);
  return search.split('&').flatMap((pair): [string, string][] => {
    if (pair === '') return [];
    const separator = pair.indexOf('=');
    const name = decodeComponent(separator < 0 ? pair : pair.slice(0, separator));
    if (!known.has(name) && !isFactParameter(name)) {
      const all = [...known, 'min.<resource>', 'attr.<name>', 'attr.<name>.min', 'attr.<name>.max'];
      refuse(`unknown parameter ${JSON.stringify(name.slice(0, 64))}; known are ${all.join(', ')}`);
    }
    return [[name, separator < 0 ? '' : decodeComponent(pair.slice(separator + 1))]];
  });
}

/**
 * Parses a query string (without `?`) of a filter and some other parameters, each of which may be given once.
 * @throws ProtocolError `ADV_002` naming the parameter: a filter is never silently dropped.
 */
export function readQuery<Others extends z.ZodRawShape>(
  search: string,
  others: z.ZodObject<Others>,
): { filter: Filter; others: z.output<z.ZodObject<Others>> } {
  const names = Object.keys(others.shape);
  const raw: Record<string, string | number | boolean | string[]> = {};
  const facts = new FactParameters();
  for (const [name, value] of parameters(search, names)) {
    if (isFactParameter(name)) {
      facts.take(name, value);
    } else if (takesMany(name)) {
      const values = (raw[name] ??= []) as string[];
      values.push(...value.split(','));
    } else if (raw[name] !== undefined) {
      refuse(`${name} is given twice`);
    } else if (isNumeric(name)) {
      if (!DECIMAL.test(value))
        refuse(`${name}: must be a plain decimal number, not ${JSON.stringify(value.slice(0, 32))}`);
      raw[name] = Number(value);
    } else {
      // Only conditions can be true, and only some of them.
      raw[name] = value === 'true' && kindOf(name) === 'only' ? true : value;
    }
  }
  const given = Object.entries(raw);
  const conditions = Object.fromEntries(given.filter(([name]) => !names.includes(name)));
  const filter = filterSchema.safeParse({ ...conditions, ...facts.members });
  const rest = others.safeParse(Object.fromEntries(given.filter(([name]) => names.includes(name))));
  if (!filter.success) return refuse(describeIssues(filter.error.issues));
  if (!rest.success) return refuse(describeIssues(rest.error.issues));
  return { filter: filter.data, others: rest.data };
}

/**
 * Parses the query string (without `?`) of a list request.
 * @throws ProtocolError `ADV_002` naming the parameter.
 */
export function parseListQuery(search: string): ListRequest {
  const { filter, others } = readQuery(search, pageSchema);
  const { sort = 'id', limit = null, after, since, wait } = others;
  if ((since === undefined) !== (wait === undefined)) {
    refuse('since and wait go together: since=<X-Discovery-Cursor of an earlier answer>&wait=<seconds>');
  }
  return {
    filter,
    sort,
    limit,
    after: after === undefined ? null : readPageCursor(after, sort),
    wait: since === undefined || wait === undefined ? null : { since, seconds: wait },
  };
}

const pageCursorSchema = z.tuple([z.enum(['id', ...SORTS]), z.number().nullable(), z.string().max(128)]);

/** Formats the opaque value of `after`: a small JSON array in base64url. */
export function formatPageCursor({ sort, key, providerId }: PageCursor): string {
  // No UTF-8 encoding needed, because provider ids are ASCII.
  return btoa(JSON.stringify([sort, key, providerId]))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

function readPageCursor(text: string, sort: SortOrder): PageCursor {
  const problem =
    'after: is not a cursor of this list; take it from the Link header of the previous page, with the same sort';
  if (text.length > 512) refuse(problem);
  let decoded: unknown;
  try {
    decoded = JSON.parse(atob(text.replaceAll('-', '+').replaceAll('_', '/')));
  } catch {
    return refuse(problem);
  }
  const result = pageCursorSchema.safeParse(decoded);
  if (!result.success || result.data[0] !== sort) return refuse(problem);
  return { sort, key: result.data[1], providerId: result.data[2] };
}
