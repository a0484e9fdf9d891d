import * as z from 'zod';
import { describeIssues } from '../advertisement.js';
import type { Currency } from './conditions.js';
import { ProtocolError } from '../errors.js';
import { LIMITS } from '../limits.js';

/** The orders of first matches. Heartbeats are no events, so there is no order by them. */
export const RANK_SORTS = ['price', 'price_glm'] as const;
/** Cheapest first, in US dollars (`price`) or in GLM (`price_glm`). */
export type RankSort = (typeof RANK_SORTS)[number];

/** The currency of each order. */
export const RANK_CURRENCIES: Readonly<Record<RankSort, Currency>> = { price: 'usd', price_glm: 'glm' };

/** A limit on a filter's matches, in an order. */
export interface First {
  sort: RankSort;
  limit: number;
}

const limitProblem = `must be an integer from 1 to ${String(LIMITS.maxFirst)}`;

/** The members of `subscribe` that ask for first matches only; null is the same as absent. */
export const firstShape = {
  sort: z.enum(RANK_SORTS, `must be ${RANK_SORTS.map((sort) => `"${sort}"`).join(' or ')}`).nullish(),
  limit: z.int(limitProblem).min(1, limitProblem).max(LIMITS.maxFirst, limitProblem).nullish(),
};

/** The problem if only one of the two is given. */
export const FIRST_PROBLEM = 'give sort and limit together, or neither of them';

interface Members {
  sort?: RankSort | null | undefined;
  limit?: number | null | undefined;
}

/** Whether both are given, or neither of them. */
export function isFirstWhole({ sort, limit }: Members): boolean {
  return ((sort ?? null) === null) === ((limit ?? null) === null);
}

const firstSchema = z.object(firstShape).refine(isFirstWhole, FIRST_PROBLEM);

/**
 * Validates both members; null if neither is given.
 * @throws ProtocolError `ADV_002` naming the member.
 */
export function parseFirst(members: Members): First | null {
  const result = firstSchema.safeParse(members);
  if (result.success) return firstOf(result.data);
  throw new ProtocolError('ADV_002', describeIssues(result.error.issues));
}

/** What validated members ask for; null for all matches. */
export function firstOf({ sort, limit }: Members): First | null {
  return typeof sort === 'string' && typeof limit === 'number' ? { sort, limit } : null;
}
