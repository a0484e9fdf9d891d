import { createHash } from 'node:crypto';
import { canonicalFilterKey, type Filter } from '../protocol/filters/filter.js';
import type { First } from '../protocol/filters/first.js';

/** Longer keys are kept as a hash. */
const MAX_PLAIN_KEY = 200;
/** Values of a filter, or first matches, that are as expensive to keep as one usual subscription. */
const VALUES_PER_SUBSCRIPTION = 16;

/** A short text that is the same for equal filters, and equal orders and limits, and for no others. */
export function filterKey(filter: Filter, first: First | null = null): string {
  const all = canonicalFilterKey(filter);
  const key = first === null ? all : `${first.sort} ${String(first.limit)} ${all}`;
  return key.length <= MAX_PLAIN_KEY ? key : createHash('sha256').update(key).digest('base64');
}

/** How many subscriptions one to a filter counts for: one, and more for many values or many first matches. */
export function filterWeight(filter: Filter, first: First | null = null): number {
  return Math.max(1, Math.ceil((valuesIn(filter) + (first?.limit ?? 0)) / VALUES_PER_SUBSCRIPTION));
}

function valuesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce((sum: number, inner: unknown) => sum + valuesIn(inner), 0);
}
