import * as z from 'zod';
import type { MarketKey } from '../answers.js';
import { providerId } from './conditions.js';
import { type Filter, filterSchema } from './filter.js';
import { type First, firstShape, parseFirst } from './first.js';
import { readQuery } from './list-query.js';

const explainParameters = z.object({ provider_id: providerId.optional() });
const MARKET_KEY = /^(?:country|platform|attr\.[a-z][a-z0-9_]{0,31})$/;

/** Whether a market can be grouped by this. */
export function isMarketKey(text: string): text is MarketKey {
  return MARKET_KEY.test(text);
}

const marketParameters = z.object({
  by: z
    .string()
    .regex(MARKET_KEY, 'must be country, platform or attr.<name>, e.g. attr.gpu_model')
    .optional(),
});

/** Parameters of an event stream: the cursor to resume from, and order and limit of first matches. */
const eventsParameters = z.object({
  resume: z.string().max(64, 'must be a cursor').optional(),
  sort: firstShape.sort.unwrap().unwrap().optional(),
  limit: firstShape.limit.unwrap().unwrap().optional(),
});

/** All parameters of `events`, for the API description. */
export const eventsQuerySchema = z.strictObject({ ...filterSchema.shape, ...eventsParameters.shape });
/** All parameters of `explain`, for the API description. */
export const explainQuerySchema = z.strictObject({ ...filterSchema.shape, ...explainParameters.shape });
/** All parameters of `market`. */
export const marketQuerySchema = z.strictObject({ ...filterSchema.shape, ...marketParameters.shape });

/**
 * Parses the query string (without `?`) of an `events` request.
 * @returns Order and limit of first matches, null for all matches; the cursor to resume from as given, null for none.
 * @throws ProtocolError `ADV_002` naming the parameter.
 */
export function parseEventsQuery(search: string): {
  filter: Filter;
  first: First | null;
  resume: string | null;
} {
  const { filter, others } = readQuery(search, eventsParameters);
  return { filter, first: parseFirst(others), resume: others.resume ?? null };
}

/**
 * Parses the query string (without `?`) of an `explain` request.
 * @returns The provider to explain, in canonical form; null for all.
 * @throws ProtocolError `ADV_002` naming the parameter.
 */
export function parseExplainQuery(search: string): { filter: Filter; providerId: string | null } {
  const { filter, others } = readQuery(search, explainParameters);
  return { filter, providerId: others.provider_id ?? null };
}

/**
 * Parses the query string (without `?`) of a `market` request.
 * @returns What to group by; null for nothing.
 * @throws ProtocolError `ADV_002` naming the parameter.
 */
export function parseMarketQuery(search: string): { filter: Filter; by: MarketKey | null } {
  const { filter, others } = readQuery(search, marketParameters);
  return { filter, by: (others.by as MarketKey | undefined) ?? null };
}
