import * as z from 'zod';
import { amount, boundedText, countryCode, describeIssues } from './advertisement.js';
import { ProtocolError } from './errors.js';
import { LIMITS } from './limits.js';

/** One value or a list of them; goes out as a sorted list without repetitions. */
function oneOrMany<Schema extends z.ZodType<string>>(schema: Schema) {
  const tooMany = `must have 1 to ${String(LIMITS.maxFilterValues)} values`;
  const list = z.array(schema).min(1, tooMany).max(LIMITS.maxFilterValues, tooMany);
  return z
    .union([schema.transform((value) => [value]), list], {
      // Says what is wrong with the form that was meant, instead of that neither of the two fits.
      error: ({ errors, input }) => errors[Array.isArray(input) ? 1 : 0]?.[0]?.message,
    })
    .transform((values) => [...new Set(values)].sort());
}

/** The conditions that an advertisement has to meet; all of them are optional, all given ones must hold. */
export const filterSchema = z.strictObject(
  {
    cpu: amount(1, LIMITS.maxCpu).describe('At least so many cores').optional(),
    memory: amount(1, LIMITS.maxMemory).describe('At least so many GB of memory').optional(),
    storage: amount(1, LIMITS.maxStorage).describe('At least so many GB of disk').optional(),
    country: oneOrMany(countryCode).optional(),
    platform: oneOrMany(boundedText(LIMITS.maxPlatformLength)).optional(),
    payments_network: oneOrMany(boundedText(LIMITS.maxNetworkLength)).optional(),
    max_usd_per_month: z
      .number('must be a finite number of at least 0')
      .min(0, 'must be a finite number of at least 0')
      .describe(
        'The estimate for the asked amounts is at most this; providers without the three prices do not match',
      )
      .optional(),
    status: z.literal('live', 'can only be "live"; leave it out to see suspects too').optional(),
  },
  {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown member ${issue.keys
            .slice(0, 5)
            .map((key) => JSON.stringify(key.slice(0, 64)))
            .join(', ')}`
        : 'a filter must be an object',
  },
);

/** What a client may send as a subscription's `filter`. */
export type FilterInput = z.input<typeof filterSchema>;

/** A checked filter in its canonical form: lists sorted, without repetitions, codes in upper case. */
export type Filter = z.infer<typeof filterSchema>;

/** The names of all filter members, in canonical order. */
export const FILTER_MEMBERS = Object.keys(filterSchema.shape) as (keyof Filter)[];

/**
 * Checks a decoded filter and brings it into canonical form.
 * @throws ProtocolError `ADV_002` naming the member.
 */
export function parseFilter(value: unknown): Filter {
  const result = filterSchema.safeParse(value);
  if (result.success) return result.data;
  throw new ProtocolError('ADV_002', `invalid filter: ${describeIssues(result.error.issues)}`);
}

/** A text that is the same for equal filters and for no others. */
export function canonicalFilterKey(filter: Filter): string {
  return JSON.stringify(
    FILTER_MEMBERS.flatMap((member) => (filter[member] === undefined ? [] : [[member, filter[member]]])),
  );
}

/** Cores, GB of memory and GB of disk. */
export interface Amounts {
  cpu: number;
  memory: number;
  storage: number;
}

/** The amounts that a monthly price is estimated for: those asked, 1 where not asked. */
export function askedAmounts(filter: Filter): Amounts {
  return { cpu: filter.cpu ?? 1, memory: filter.memory ?? 1, storage: filter.storage ?? 1 };
}
