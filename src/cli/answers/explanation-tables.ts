import type { Explanation, ProviderExplanation } from '../../client/node.js';
import type { Filter } from '../../protocol/filters/filter.js';
import { bar } from '../tables/bar.js';
import { grid } from '../tables/grid.js';
import { flagIn, flagOf } from './condition-flag.js';
import { describeMiss, describeOffered } from './relaxing.js';

/** Screen columns of the bar of a condition that rejects all. */
const BAR = 12;
const MIN_CELL = 14;

/**
 * A table of the conditions of a filter, and how many providers each rejects.
 * @param width Screen columns; null for no limit.
 */
export function conditionTable(
  { providers, rejected_by: rejected, only_by: alone }: Explanation,
  filter: Filter,
  width: number | null,
): string {
  const members = Object.keys(rejected);
  return grid(
    [
      { title: 'CONDITION', cells: members.map((member) => flagIn(filter, member)), least: MIN_CELL },
      { title: 'REJECTS', cells: members.map((member) => String(rejected[member])), right: true },
      { title: '', cells: members.map((member) => bar(rejected[member]! / providers, BAR)), expendable: 0 },
      { title: 'ONLY THIS', cells: members.map((member) => String(alone[member])), right: true },
    ],
    width,
  );
}

/** A table of the nearest misses, with the conditions each misses. */
export function nearestTable({ nearest }: Explanation, width: number | null): string {
  const misses = nearest.map((one) => one.misses.map((miss) => describeMiss(miss)).join(', '));
  return grid(
    [
      { title: 'NEAREST', cells: nearest.map(({ provider_id: id }) => id), least: MIN_CELL },
      { title: 'MISSES', cells: misses, least: MIN_CELL, wraps: true },
    ],
    width,
  );
}

/** A table of the conditions that one provider misses. */
export function missTable({ misses }: ProviderExplanation, width: number | null): string {
  return grid(
    [
      { title: 'MISSES', cells: misses.map(({ member, asked }) => flagOf(member, asked)), least: MIN_CELL },
      { title: 'BUT', cells: misses.map(({ offered }) => describeOffered(offered)), least: MIN_CELL },
    ],
    width,
  );
}
