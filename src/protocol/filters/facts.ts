import * as z from 'zod';
import { KNOWN_RESOURCES } from '../advertisement.js';
import { type AttributeValue, attributeValue, NO_ATTRIBUTE_NAME } from '../attributes.js';
import { LIMITS } from '../limits.js';
import { FACT_NAME } from '../values.js';

/** A number from `min` to `max`, both included. */
export interface NumberRange {
  /** The least number that fits; none unless given. */
  min?: number | undefined;
  /** The greatest number that fits; none unless given. */
  max?: number | undefined;
}

/** A condition on an attribute, in canonical form: values are sorted, without duplicates. */
export type AskedAttribute = AttributeValue[] | NumberRange;

const MANY = `must have 1 to ${String(LIMITS.maxFilterValues)} values`;
/** @param description What the number says. */
const bound = (description: string) =>
  z
    .number('must be a finite number')
    .transform((value) => value + 0)
    .optional()
    .describe(description);

const range = z
  .strictObject(
    {
      min: bound('The least number that fits; none unless given'),
      max: bound('The greatest number that fits; none unless given'),
    },
    'a range has only min and max',
  )
  .refine(({ min, max }) => min !== undefined || max !== undefined, 'a range has min, max or both')
  .refine(
    ({ min, max }) => (min ?? -Infinity) <= (max ?? Infinity),
    'the min of a range must not be more than its max',
  )
  // Fixed order of members, so that equal ranges have equal texts.
  .transform(({ min, max }): NumberRange => ({
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
  }));

const values = z.array(attributeValue).min(1, MANY).max(LIMITS.maxFilterValues, MANY);

const asked = z
  .union([attributeValue.transform((value) => [value]), values, range], {
    // Reports the problem with the form that was meant.
    error: ({ errors, input }) => {
      if (typeof input !== 'object' || input === null) return errors[0]?.[0]?.message;
      return errors[Array.isArray(input) ? 1 : 2]?.[0]?.message;
    },
  })
  .transform((form): AskedAttribute => (Array.isArray(form) ? sortedValues(form) : form));

/** Without duplicates: texts, then numbers, then booleans. */
function sortedValues(all: readonly AttributeValue[]): AttributeValue[] {
  const sorted = (type: 'string' | 'number' | 'boolean'): AttributeValue[] =>
    [...new Set(all.filter((value) => typeof value === type))].sort((a, b) => (a < b ? -1 : 1));
  return [...sorted('string'), ...sorted('number'), ...sorted('boolean')];
}

function sortedByName<Value>(object: Record<string, Value>): Record<string, Value> {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Refuses names that no attribute or resource can have. */
function namesAreFine(
  problemOf: (name: string) => string | null,
): (object: Record<string, unknown>, context: z.core.$RefinementCtx<Record<string, unknown>>) => void {
  return (object, context) => {
    for (const name of Object.keys(object)) {
      const message = problemOf(name);
      if (message === null) continue;
      context.addIssue({ code: 'custom', path: [name.slice(0, 64)], message });
      return;
    }
    if (Object.keys(object).length === 0)
      context.addIssue({ code: 'custom', message: 'must have at least one member' });
  };
}

/** Conditions on attributes, by name. */
export const askedAttributes = z
  .object({}, 'must be an object of attributes')
  .catchall(asked)
  .superRefine(namesAreFine((name) => (FACT_NAME.test(name) ? null : NO_ATTRIBUTE_NAME)))
  .transform((object) => sortedByName(object as Record<string, AskedAttribute>));

const leastAmount = `must be an integer from 0 to ${String(Number.MAX_SAFE_INTEGER)}`;

/** Minimum amounts of further resources, by name. */
export const askedResources = z
  .object({}, 'must be an object of amounts')
  .catchall(z.int(leastAmount).min(0, leastAmount))
  .superRefine(
    namesAreFine((name) => {
      if (KNOWN_RESOURCES.has(name)) return `is asked for as ${name}, without "min"`;
      return FACT_NAME.test(name)
        ? null
        : 'is not a resource name: use a lower-case letter, then up to 31 of a-z, 0-9 and _';
    }),
  )
  .transform((object) => sortedByName(object as Record<string, number>));
