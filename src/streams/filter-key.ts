import { createHash } from 'node:crypto';
import { canonicalFilterKey, type Filter } from '../protocol/filters/filter.js';
import type { First } from '../protocol/filters/first.js';

/** Longer keys are hashed. */
const MAX_PLAIN_KEY = 200;
/** How many values of a filter, or first matches, cost as much as one ordinary subscription. */
const VALUES_PER_SUBSCRIPTION = 16;

/** A short string that is equal exactly for equal filters, orders and limits. */
export function filterKey(filter: Filter, first: First | null = null): string {
  const all = canonicalFilterKey(filter);
  const key = first === null ? all : `${first.sort} ${String(first.limit)} ${all}`;
  return key.length <= MAX_PLAIN_KEY ? key : createHash('sha256').update(key).digest('base64');
}

/** How many subscriptions a filter counts as: one, or more for many values or many first matches. */
export function filterWeight(filter: Filter, first: First | null = null): number {
  return Math.max(1, Math.ceil((valuesIn(filter) + (first?.limit ?? 0)) / VALUES_PER_SUBSCRIPTION));
}

function valuesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce((sum: number, inner: unknown) => sum + valuesIn(inner), 0);
}
