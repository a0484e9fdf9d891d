import type { Explanation, Filter } from '../../src/client/index.js';
import { formats } from './formats.js';

/** One condition of a filter, to display and remove. */
export interface Condition {
  /** As an explanation names it, e.g. `cpu`, `min.gpu`, `attr.gpu_model`. */
  readonly member: string;
  /** The condition in words. */
  readonly text: string;
}

type Members = { readonly [Name in keyof Filter]-?: (value: NonNullable<Filter[Name]>) => string };

const some = (values: readonly unknown[], shown = 3): string =>
  values.length <= shown
    ? values.map(String).join(', ')
    : `${values.slice(0, shown).map(String).join(', ')} and ${formats.count(values.length - shown)} more`;
const countries = (codes: readonly string[]): string => some(codes.map((code) => formats.country(code)));

const WORDS: Omit<Members, 'min' | 'attributes'> = {
  cpu: (least) => `at least ${formats.cores(least)}`,
  memory: (least) => `at least ${formats.gigabytes(least)} of memory`,
  storage: (least) => `at least ${formats.gigabytes(least)} of disk`,
  country: (codes) => `in ${countries(codes)}`,
  platform: (names) => `platform ${some(names)}`,
  payments_network: (names) => `paid over ${some(names)}`,
  max_usd_per_month: (most) => `at most ${formats.usd(most)} per month`,
  max_glm_per_month: (most) => `at most ${formats.glm(most)} per month`,
  not_country: (codes) => `not in ${countries(codes)}`,
  exclude: (ids) => `without ${formats.count(ids.length)} ${ids.length === 1 ? 'provider' : 'providers'}`,
  status: () => 'live',
  verified: () => 'signed',
  ip_confirmed: () => 'address confirmed',
};

/** All conditions of a filter, one by one. */
export function conditionsOf(filter: Filter): Condition[] {
  const { min = {}, attributes = {}, ...others } = filter;
  return [
    ...Object.entries(others).flatMap(([member, value]): Condition[] => {
      const words = (WORDS as Record<string, ((value: never) => string) | undefined>)[member];
      if ((value as unknown) === undefined) return [];
      return [{ member, text: words === undefined ? `${member}: ${String(value)}` : words(value as never) }];
    }),
    ...Object.entries(min).map(([name, least]) => ({
      member: `min.${name}`,
      text: `${name}: at least ${formats.count(least)}`,
    })),
    ...Object.entries(attributes).map(([name, asked]) => ({
      member: `attr.${name}`,
      text: `${name.replaceAll('_', ' ')}: ${Array.isArray(asked) ? some(asked) : range(asked)}`,
    })),
  ];
}

function range({ min, max }: { min?: number | undefined; max?: number | undefined }): string {
  if (min === undefined) return `at most ${formats.number(max ?? 0)}`;
  return max === undefined
    ? `at least ${formats.number(min)}`
    : `${formats.number(min)} to ${formats.number(max)}`;
}

/** The filter without one condition. */
export function without(filter: Filter, member: string): Filter {
  const fact = /^(min|attr)\.(.*)$/.exec(member);
  if (fact === null) {
    const { [member as keyof Filter]: _, ...rest } = filter;
    return rest;
  }
  const group = fact[1] === 'min' ? 'min' : 'attributes';
  const { [fact[2]!]: _, ...facts } = filter[group] ?? {};
  const { [group]: __, ...rest } = filter;
  return Object.keys(facts).length === 0 ? rest : { ...rest, [group]: facts };
}

/** A way to get matches: conditions to drop. */
export interface Relaxation {
  /** The conditions to drop. */
  readonly members: readonly string[];
  /** Minimum number of additional matches. */
  readonly gain: number;
}

/** Conditions to drop for more matches: single ones by gain; if none helps, the sets that the nearest providers miss. */
export function relaxations({ only_by: onlyBy, nearest }: Explanation): Relaxation[] {
  const single = Object.entries(onlyBy)
    .filter(([, gain]) => gain > 0)
    .map(([member, gain]) => ({ members: [member], gain }))
    .sort((a, b) => b.gain - a.gain);
  if (single.length > 0) return single.slice(0, 5);
  const sets = new Map<string, Relaxation>();
  for (const { misses } of nearest) {
    const members = misses.map(({ member }) => member).sort();
    if (members.length === 0) continue;
    const known = sets.get(members.join());
    sets.set(members.join(), { members, gain: (known?.gain ?? 0) + 1 });
  }
  return [...sets.values()]
    .sort((a, b) => a.members.length - b.members.length || b.gain - a.gain)
    .slice(0, 3);
}
