import * as z from 'zod';
import { LIMITS } from '../limits.js';

/** What the first matches of a subscription may be sorted by. Not by heartbeats, which are no events. */
export const RANK_SORTS = ['price', 'price_glm'] as const;
export type RankSort = (typeof RANK_SORTS)[number];

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

/** What checked members ask for; null where all matches are wanted. */
export function firstOf({ sort, limit }: Members): First | null {
  return typeof sort === 'string' && typeof limit === 'number' ? { sort, limit } : null;
}
