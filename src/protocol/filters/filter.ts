import * as z from 'zod';
import { describeIssues } from '../advertisement.js';
import { CONDITION_NAMES, type ConditionName, CONDITIONS } from './conditions.js';
import { LIMITS } from '../limits.js';
import { ProtocolError } from '../errors.js';
import type { Amounts } from './estimate.js';

type FilterShape = { [Name in ConditionName]: (typeof CONDITIONS)[Name]['schema'] };
const shape = Object.fromEntries(
  CONDITION_NAMES.map((name) => [name, CONDITIONS[name].schema.describe(CONDITIONS[name].description)]),
) as unknown as FilterShape;

/** The conditions of a filter. All are optional; all given ones must hold. */
export const filterSchema = z
  .strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown member ${issue.keys
            .slice(0, 5)
            .map((key) => JSON.stringify(key.slice(0, 64)))
            .join(', ')}`
        : 'a filter must be an object',
  })
  .refine(
    ({ min = {}, attributes = {} }) =>
      Object.keys(min).length + Object.keys(attributes).length <= LIMITS.maxFilterFacts,
    `asks for more than ${String(LIMITS.maxFilterFacts)} attributes and further resources together`,
  );

/** What a client may send as a subscription's `filter`. */
export type FilterInput = z.input<typeof filterSchema>;

/** A validated filter in canonical form: lists sorted, without duplicates, codes in upper case. */
export type Filter = z.infer<typeof filterSchema>;

/**
 * Validates a decoded filter and brings it into canonical form.
 * @throws ProtocolError `ADV_002` naming the member.
 */
export function parseFilter(value: unknown): Filter {
  const result = filterSchema.safeParse(value);
  if (result.success) return result.data;
  throw new ProtocolError('ADV_002', `invalid filter: ${describeIssues(result.error.issues)}`);
}

/** A text that is equal exactly for equal filters. */
export function canonicalFilterKey(filter: Filter): string {
  return JSON.stringify(
    CONDITION_NAMES.flatMap((member) => (filter[member] === undefined ? [] : [[member, filter[member]]])),
  );
}

/** The amounts that a monthly price is estimated for: those requested, otherwise 1. */
export function askedAmounts(filter: Filter): Amounts {
  return { cpu: filter.cpu ?? 1, memory: filter.memory ?? 1, storage: filter.storage ?? 1 };
}
