import * as z from 'zod';
import { countryCode } from '../advertisement.js';
import { COUNTRIES } from '../countries.js';
import { LIMITS } from '../limits.js';
import { readProviderId } from '../provider-id.js';
import { amount, boundedText } from '../values.js';
import { askedAttributes, askedResources } from './facts.js';

/** The command-line flag of a condition. */
interface Flag {
  /** As commander reads it, e.g. `--cpu <cores>`. */
  form: string;
  help: string;
}

interface About {
  /** For readers of the interface description, and of the client's types. */
  description: string;
  flag: Flag;
}

/** The currencies of prices; members of a pricing begin with them. */
export type Currency = 'usd' | 'glm';

/** One value or a list of them; normalised to a sorted list without duplicates. */
function oneOrMany<Schema extends z.ZodType<string>>(schema: Schema) {
  const tooMany = `must have 1 to ${String(LIMITS.maxFilterValues)} values`;
  const list = z.array(schema).min(1, tooMany).max(LIMITS.maxFilterValues, tooMany);
  return z
    .union([schema.transform((value) => [value]), list], {
      // Reports the problem with the form that was meant, instead of that neither form fits.
      error: ({ errors, input }) => errors[Array.isArray(input) ? 1 : 0]?.[0]?.message,
    })
    .transform((values) => [...new Set(values)].sort());
}

/** At least an amount of the resource with the condition's name. */
function atLeast(max: number, about: About) {
  return { kind: 'at-least', schema: amount(1, max).optional(), ...about } as const;
}

/**
 * The member with the condition's name equals one of these.
 * @param all All possible values, in a fixed order; null for free-form values.
 */
function oneOf<Schema extends z.ZodType<string>>(
  value: Schema,
  all: readonly string[] | null,
  about: Omit<About, 'description'>,
) {
  const description = 'Equal to one of these';
  return { kind: 'one-of', schema: oneOrMany(value).optional(), all, description, ...about } as const;
}

/** A member that has one of a fixed list of values (see `oneOf`) has none of these. */
function noneOf<Schema extends z.ZodType<string>>(value: Schema, of: 'country', about: About) {
  return { kind: 'none-of', schema: oneOrMany(value).optional(), of, ...about } as const;
}

/** Accepts any spelling; normalised to the canonical one. */
export const providerId = z
  .string('must be a provider id')
  .transform((text) => readProviderId(text)?.id ?? '')
  .refine((id) => id !== '', 'must be a provider id');

/** Excludes these providers. */
function notThese(max: number, about: About) {
  const tooMany = `must have 1 to ${String(max)} provider ids`;
  const schema = z
    .array(providerId, 'must be a list of provider ids')
    .min(1, tooMany)
    .max(max, tooMany)
    .transform((ids) => [...new Set(ids)].sort())
    .optional();
  return { kind: 'not-these', schema, ...about } as const;
}

/** The estimate in a currency, for the asked amounts, is at most this. */
function atMost(currency: Currency, about: About) {
  const problem = 'must be a finite number of at least 0';
  const schema = z.number(problem).min(0, problem).optional();
  return { kind: 'at-most', schema, currency, ...about } as const;
}

/** Only advertisements for which something is true. */
function only<Value extends string | boolean>(value: Value, problem: string, about: About) {
  return { kind: 'only', schema: z.literal(value, problem).optional(), value, ...about } as const;
}

/** Attributes equal one of some values, or lie in a range. */
function attributes(about: About) {
  return { kind: 'attributes', schema: askedAttributes.optional(), ...about } as const;
}

/** At least an amount of each of some further resources. */
function furtherResources(about: About) {
  return { kind: 'further-resources', schema: askedResources.optional(), ...about } as const;
}

/**
 * Everything a filter can ask, by the name of its member and query parameter, in canonical order. Everything else about a condition follows
 * from its kind: how it is parsed from queries and flags, which columns it has, how rows are tested, and which index finds the filters that
 * a row may match.
 */
export const CONDITIONS = {
  cpu: atLeast(LIMITS.maxCpu, {
    description: 'At least this many cores',
    flag: { form: '--cpu <cores>', help: 'at least this many cores' },
  }),
  memory: atLeast(LIMITS.maxMemory, {
    description: 'At least this many GB of memory',
    flag: { form: '--memory <gb>', help: 'at least this many GB of memory' },
  }),
  storage: atLeast(LIMITS.maxStorage, {
    description: 'At least this many GB of disk',
    flag: { form: '--storage <gb>', help: 'at least this many GB of disk' },
  }),
  country: oneOf(countryCode, COUNTRIES, {
    flag: { form: '--country <codes>', help: 'one of these countries, e.g. SE,NO' },
  }),
  platform: oneOf(boundedText(LIMITS.maxPlatformLength), null, {
    flag: { form: '--platform <names>', help: 'one of these platforms, e.g. x86_64' },
  }),
  payments_network: oneOf(boundedText(LIMITS.maxNetworkLength), null, {
    flag: { form: '--payments-network <names>', help: 'one of these payment networks' },
  }),
  max_usd_per_month: atMost('usd', {
    description:
      'The estimate for the asked amounts is at most so many US dollars a month; providers without the three prices do not match',
    flag: {
      form: '--max-usd <amount>',
      help: 'at most this many US dollars a month for the requested amounts',
    },
  }),
  max_glm_per_month: atMost('glm', {
    description:
      'The estimate for the asked amounts is at most so many GLM a month; providers without the three prices do not match',
    flag: { form: '--max-glm <amount>', help: 'at most this many GLM a month for the requested amounts' },
  }),
  not_country: noneOf(countryCode, 'country', {
    description: 'Leaves these countries out',
    flag: { form: '--not-country <codes>', help: 'none of these countries, e.g. SE,NO' },
  }),
  exclude: notThese(LIMITS.maxExcluded, {
    description: `Leaves these providers out, up to ${String(LIMITS.maxExcluded)} ids`,
    flag: { form: '--exclude <ids>', help: 'none of these providers' },
  }),
  status: only('live', 'can only be "live"; leave it out to see suspects too', {
    description: '`live` excludes suspect providers',
    flag: { form: '--live', help: 'exclude providers whose connection was lost' },
  }),
  verified: only(true, 'can only be true; leave it out to see unsigned advertisements too', {
    description: '`true` excludes unsigned advertisements',
    flag: { form: '--verified', help: 'exclude unsigned advertisements' },
  }),
  ip_confirmed: only(true, 'can only be true; leave it out to see all', {
    description: '`true` excludes providers that the hub has not seen at the advertised address',
    flag: {
      form: '--ip-confirmed',
      help: 'exclude providers that the hub has not seen at the advertised address',
    },
  }),
  min: furtherResources({
    description: 'At least that much of other resources, by name; a provider without one counts as 0',
    flag: { form: '--min <resource=amount>', help: 'at least that much of another resource, e.g. gpu=2' },
  }),
  attributes: attributes({
    description: 'Attributes by their names: each equals one of these values, or is a number in this range',
    flag: {
      form: '--attr <name=value>',
      help: 'an attribute with this value, e.g. gpu_model="RTX 4090", or a number in a range, e.g. bandwidth_mbps:100..',
    },
  }),
} as const;

export type ConditionName = keyof typeof CONDITIONS;
export type ConditionKind = (typeof CONDITIONS)[ConditionName]['kind'];

/** The names of the conditions of a kind. */
export type NameOfKind<Kind extends ConditionKind> = {
  [Name in ConditionName]: (typeof CONDITIONS)[Name]['kind'] extends Kind ? Name : never;
}[ConditionName];

/** The names of all conditions, in canonical order. */
export const CONDITION_NAMES = Object.keys(CONDITIONS) as ConditionName[];

/** The names of the conditions of a kind, in canonical order. */
export function namesOfKind<Kind extends ConditionKind>(kind: Kind): readonly NameOfKind<Kind>[] {
  return CONDITION_NAMES.filter((name): name is NameOfKind<Kind> => CONDITIONS[name].kind === kind);
}

/** The kind of a condition; undefined if there is none of that name. */
export function kindOf(name: string): ConditionKind | undefined {
  return Object.hasOwn(CONDITIONS, name) ? CONDITIONS[name as ConditionName].kind : undefined;
}
