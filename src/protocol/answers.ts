import * as z from 'zod';
import { CURSOR_PATTERN } from './cursor.js';

// What a hub says about the market and about one provider's place in it, as its answers come over HTTP.

/** A provider is told of so many conditions that stand between it and streams. */
export const MAX_MISSED = 10;

const count = z.int().min(0);
const cursor = z.string().regex(CURSOR_PATTERN);

const scalars = [z.string(), z.number(), z.boolean()] as const;
const value = z.union(scalars);
/** What a filter asks of a member, in canonical form; of an attribute values or a range. */
const askedValue = z.union([
  ...scalars,
  z.array(value),
  z.object({ min: z.number().optional(), max: z.number().optional() }),
]);
/** What an advertisement has to say to it; null where it says nothing. */
const offeredValue = value.nullable();
const miss = z.object({ member: z.string(), asked: askedValue, offered: offeredValue });
/** By the names of conditions, as a query calls them. */
const countByMember = z.object({}).catchall(count);

/** Why the answer to a list request is what it is. */
export const explanationSchema = z.object({
  cursor,
  providers: count.describe('All providers'),
  matched: count.describe('Those that meet every condition'),
  rejected_by: countByMember.describe('How many of all providers each condition rejects'),
  only_by: countByMember.describe('How many of them it alone rejects: so many more would match without it'),
  nearest: z
    .array(z.object({ provider_id: z.string(), misses: z.array(miss) }))
    .describe('Up to 10 that miss the fewest conditions, of equally many the cheapest first'),
});

/** What one provider misses, and where it stands among those that match. */
export const providerExplanationSchema = z.object({
  cursor,
  provider_id: z.string(),
  matches: z.boolean(),
  misses: z.array(miss),
  rank: z.object({
    by_price: count.min(1).nullable().describe('Its place in the list by price; null when it does not match'),
    of: count.describe('How many match'),
  }),
});

const price = z.number().min(0).nullable();

/** What some providers offer and ask. */
const bucketSchema = z.object({
  key: value.nullable().describe('What they have in common; null in `total`, and for those without it'),
  providers: count,
  live: count,
  resources: z.object({ cpu: count, memory: count, storage: count }).describe('Sums'),
  usd_per_month: z
    .object({ priced: count, min: price, p25: price, p50: price, p75: price, max: price })
    .describe(
      'The estimate for the asked amounts: how many have one, and the lowest that so large a share of them is at or below',
    ),
});

/** What the matches of a filter offer and ask. */
export const marketSchema = z.object({ cursor, total: bucketSchema, buckets: z.array(bucketSchema) });

/** The members of `visibility`, beside its type and id. */
export const visibilityShape = {
  listed: z.boolean().describe('Whether an advertisement of the provider stands'),
  status: z.enum(['live', 'suspect']).nullable(),
  streams: count.describe('Streams that it matches'),
  subscribers: count.describe('Connections that follow one of them'),
  missed: z
    .array(z.object({ member: z.string(), streams: count.min(1) }))
    .max(MAX_MISSED)
    .describe('How many streams more it would match but for this one condition, most first'),
  price: z
    .object({
      usd_per_month: z.number().min(0),
      rank: count.min(1),
      of: count.min(1),
      p50: z.number().min(0),
    })
    .nullable(),
};

/** Who sees a provider. */
export type Visibility = z.infer<z.ZodObject<typeof visibilityShape>>;
/** A provider's place by price among those of its country that have prices, for one core, one GB of memory and one GB of disk. */
export type Standing = NonNullable<Visibility['price']>;
export type AskedValue = z.infer<typeof askedValue>;
export type OfferedValue = z.infer<typeof offeredValue>;
/** A condition that an advertisement does not meet. */
export type Miss = z.infer<typeof miss>;
/** Why a list is as it is. */
export type Explanation = z.infer<typeof explanationSchema>;
/** What one provider misses, and where it stands. */
export type ProviderExplanation = z.infer<typeof providerExplanationSchema>;
/** What some providers offer, and ask a month in US dollars. */
export type MarketBucket = z.infer<typeof bucketSchema>;
/** Estimates a month in US dollars: how many have one, the least, quartiles and the most. */
export type Quantiles = MarketBucket['usd_per_month'];
/** What the matches of a filter offer and ask, in all and by what they have in common. */
export type Market = z.infer<typeof marketSchema>;

/** What the buckets of a market have in common: a member, or an attribute. */
export type MarketKey = 'country' | 'platform' | `attr.${string}`;
