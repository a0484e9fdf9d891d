import * as z from 'zod';
import type { MarketKey } from '../answers.js';
import { providerId } from './conditions.js';
import { type Filter, filterSchema } from './filter.js';
import { type First, firstShape, parseFirst } from './first.js';
import { readQuery } from './list-query.js';

const explainParameters = z.object({ provider_id: providerId.optional() });
const MARKET_KEY = /^(?:country|platform|attr\.[a-z][a-z0-9_]{0,31})$/;

/** Whether buckets of a market can be told apart by this. */
export function isMarketKey(text: string): text is MarketKey {
  return MARKET_KEY.test(text);
}

const marketParameters = z.object({
  by: z
    .string()
    .regex(MARKET_KEY, 'must be country, platform or attr.<name>, e.g. attr.gpu_model')
    .optional(),
});

/** Of a stream of events: the cursor to go on from, and whether only the first matches are wanted. */
const eventsParameters = z.object({
  resume: z.string().max(64, 'must be a cursor').optional(),
  sort: firstShape.sort.unwrap().unwrap().optional(),
  limit: firstShape.limit.unwrap().unwrap().optional(),
});

/** Everything that `events` takes, for the interface description. */
export const eventsQuerySchema = z.strictObject({ ...filterSchema.shape, ...eventsParameters.shape });
/** Everything that `explain` takes, for the interface description. */
export const explainQuerySchema = z.strictObject({ ...filterSchema.shape, ...explainParameters.shape });
/** Everything that `market` takes. */
export const marketQuerySchema = z.strictObject({ ...filterSchema.shape, ...marketParameters.shape });

/**
 * Reads the query string (without `?`) of an `events` request.
 * @returns The first matches that are wanted, null for all; the cursor to go on from as it was given, null for none.
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
 * Reads the query string (without `?`) of an `explain` request.
 * @returns The provider that is to be explained, in canonical form; null for all.
 * @throws ProtocolError `ADV_002` naming the parameter.
 */
export function parseExplainQuery(search: string): { filter: Filter; providerId: string | null } {
  const { filter, others } = readQuery(search, explainParameters);
  return { filter, providerId: others.provider_id ?? null };
}

/**
 * Reads the query string (without `?`) of a `market` request.
 * @returns What its buckets are to have in common; null for none.
 * @throws ProtocolError `ADV_002` naming the parameter.
 */
export function parseMarketQuery(search: string): { filter: Filter; by: MarketKey | null } {
  const { filter, others } = readQuery(search, marketParameters);
  return { filter, by: (others.by as MarketKey | undefined) ?? null };
}
