import type { Explanation, Miss } from '../../client/node.js';
import type { Filter } from '../../protocol/filters/filter.js';
import { easierIs, flagIn, flagOf } from './condition-flag.js';

/** The most conditions to name, those that let most in first. */
const MAX_NAMED = 4;

/** A change to a filter that makes more match, and how many more. */
interface Relaxation {
  count: number;
  /** Whether even more may match. */
  orMore: boolean;
  how: string;
}

/**
 * Suggests how to relax a filter, one condition at a time: `7 more without --country SE; 3 more with --max-usd 60`. If every provider
 * misses several conditions, it names the nearest one.
 * @returns Null if there is nothing to relax.
 */
export function relaxationsOf(explanation: Explanation, filter: Filter): string | null {
  const { only_by: alone, nearest, providers, matched } = explanation;
  if (providers === 0) return 'The hub lists no provider at all.';
  const found = Object.entries(alone)
    .filter(([, count]) => count > 0)
    .map(([member, count]) => relaxation(member, count, nearest, filter))
    .sort((a, b) => b.count - a.count)
    .slice(0, MAX_NAMED)
    .map(({ count, orMore, how }) => `${String(count)}${orMore ? ' or' : ''} more ${how}`);
  if (found.length > 0) return `${found.join('; ')}.`;
  const [first] = nearest;
  if (matched > 0 || first === undefined) return null;
  const misses = new Intl.ListFormat('en').format(first.misses.map((miss) => describeMiss(miss)));
  return `Every provider misses several conditions; the nearest, ${first.provider_id}, misses ${misses}.`;
}

/** A missed condition, with what the provider has: `--cpu 8 (has 4)`. */
export function describeMiss({ member, asked, offered }: Miss): string {
  return `${flagOf(member, asked)} (${describeOffered(offered)})`;
}

/** What a provider has instead of the requested value. */
export function describeOffered(offered: Miss['offered']): string {
  if (offered === null) return 'has none';
  if (typeof offered === 'boolean') return offered ? 'is' : 'is not';
  return `has ${typeof offered === 'number' ? String(Number(offered.toPrecision(6))) : offered}`;
}

/** @param count How many providers only this condition rejects. */
function relaxation(
  member: string,
  count: number,
  nearest: Explanation['nearest'],
  filter: Filter,
): Relaxation {
  const direction = easierIs(member);
  const offers = nearest
    .filter(({ misses }) => misses.length === 1 && misses[0]!.member === member)
    .flatMap(({ misses: [miss] }) => (typeof miss!.offered === 'number' ? [miss!.offered] : []));
  const bound = direction === 'less' ? Math.min(...offers) : ceilToCents(Math.max(...offers));
  // If none of the nearest has a number above 0, no other bound helps.
  if (direction === null || offers.length === 0 || bound === 0)
    return { count, orMore: false, how: `without ${flagIn(filter, member)}` };
  return { count: offers.length, orMore: offers.length < count, how: `with ${flagOf(member, bound)}` };
}

/** Rounds a price up to cents. */
function ceilToCents(price: number): number {
  const rounded = Math.ceil(price * 100) / 100;
  return rounded >= price ? rounded : price;
}
