import * as z from 'zod';
import { describeIssues } from '../advertisement.js';
import type { Currency } from './conditions.js';
import { ProtocolError } from '../errors.js';
import { LIMITS } from '../limits.js';

/** What the first matches of a subscription may be sorted by. Not by heartbeats, which are no events. */
export const RANK_SORTS = ['price', 'price_glm'] as const;
/** Cheapest first, in US dollars (`price`) or in GLM (`price_glm`). */
export type RankSort = (typeof RANK_SORTS)[number];

/** The currency that each order goes by. */
export const RANK_CURRENCIES: Readonly<Record<RankSort, Currency>> = { price: 'usd', price_glm: 'glm' };

/** The first so many matches of a filter, in an order. */
export interface First {
  sort: RankSort;
  limit: number;
}

const limitProblem = `must be an integer from 1 to ${String(LIMITS.maxFirst)}`;

/** The members of `subscribe` that ask for the first matches only; null is as good as absent. */
export const firstShape = {
  sort: z.enum(RANK_SORTS, `must be ${RANK_SORTS.map((sort) => `"${sort}"`).join(' or ')}`).nullish(),
  limit: z.int(limitProblem).min(1, limitProblem).max(LIMITS.maxFirst, limitProblem).nullish(),
};

/** What is wrong where only one of the two is given. */
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
 * Checks both members; null where neither is given.
 * @throws ProtocolError `ADV_002` naming the member.
 */
export function parseFirst(members: Members): First | null {
  const result = firstSchema.safeParse(members);
  if (result.success) return firstOf(result.data);
  throw new ProtocolError('ADV_002', describeIssues(result.error.issues));
}

/** What checked members ask for; null where all matches are wanted. */
export function firstOf({ sort, limit }: Members): First | null {
  return typeof sort === 'string' && typeof limit === 'number' ? { sort, limit } : null;
}
