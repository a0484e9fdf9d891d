import type { Explanation, Miss } from '../../client/node.js';
import type { Filter } from '../../protocol/filters/filter.js';
import { easierIs, flagIn, flagOf } from './condition-flag.js';

/** So many conditions are named, those that let most in first. */
const MAX_NAMED = 4;

/** What to change in a filter so that more match, and how many more that would be. */
interface Relaxation {
  count: number;
  /** Whether more than that may match. */
  orMore: boolean;
  how: string;
}

/**
 * What lets more in, one condition at a time: `7 more without --country SE; 3 more with --max-usd 60`. Where every provider
 * misses several conditions, who comes nearest.
 * @returns Null where nothing is to be relaxed.
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

/** A condition that is missed, and what there is instead: `--cpu 8 (has 4)`. */
export function describeMiss({ member, asked, offered }: Miss): string {
  return `${flagOf(member, asked)} (${describeOffered(offered)})`;
}

/** What a provider has instead of what is asked. */
export function describeOffered(offered: Miss['offered']): string {
  if (offered === null) return 'has none';
  if (typeof offered === 'boolean') return offered ? 'is' : 'is not';
  return `has ${typeof offered === 'number' ? String(Number(offered.toPrecision(6))) : offered}`;
}

/** @param count How many only this condition leaves out. */
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
  // Where nobody among the nearest has a number, or it is nought, no other number helps.
  if (direction === null || offers.length === 0 || bound === 0)
    return { count, orMore: false, how: `without ${flagIn(filter, member)}` };
  return { count: offers.length, orMore: offers.length < count, how: `with ${flagOf(member, bound)}` };
}

/** With no more digits than a price needs, and not less. */
function ceilToCents(price: number): number {
  const rounded = Math.ceil(price * 100) / 100;
  return rounded >= price ? rounded : price;
}
