import * as z from 'zod';
import { CURSOR_PATTERN } from './cursor.js';

// A hub's answers about the market and about one provider's place in it.

/** How many of the conditions that keep a provider out of streams are listed. */
export const MAX_MISSED = 10;

const count = z.int().min(0);
const cursor = z.string().regex(CURSOR_PATTERN).describe('The moment that this is of');

const scalars = [z.string(), z.number(), z.boolean()] as const;
const value = z.union(scalars);
/** What a filter asks for, in canonical form; for an attribute, values or a range. */
const askedValue = z.union([
  ...scalars,
  z.array(value),
  z.object({
    min: z.number().optional().describe('The least number that fits; none unless given'),
    max: z.number().optional().describe('The greatest number that fits; none unless given'),
  }),
]);
/** What an advertisement offers instead; null for nothing. */
const offeredValue = value.nullable();
export const missSchema = z.object({
  member: z.string().describe('The condition, as a query calls it'),
  asked: askedValue.describe(
    'What the filter asks: a value or a list of values, of amounts and prices the bound, of an attribute a range',
  ),
  offered: offeredValue.describe(
    'What the advertisement has instead: a value, amount or price; null where it has none',
  ),
});
/** By the names of conditions, as a query calls them. */
const countByMember = z.object({}).catchall(count);

/** Why a list request returns what it does. */
export const explanationSchema = z.object({
  cursor,
  providers: count.describe('How many providers there are'),
  matched: count.describe('How many meet every condition'),
  rejected_by: countByMember.describe('How many of all providers each condition rejects'),
  only_by: countByMember.describe('How many of them it alone rejects: that many more would match without it'),
  nearest: z
    .array(
      z.object({
        provider_id: z.string().describe('Who it is'),
        misses: z.array(missSchema).describe('The conditions that it does not meet'),
      }),
    )
    .describe('Up to 10 that miss the fewest conditions, of equally many the cheapest first'),
});

/** Which conditions one provider misses, and how it ranks among the matches. */
export const providerExplanationSchema = z.object({
  cursor,
  provider_id: z.string().describe('Who it is'),
  matches: z.boolean().describe('Whether it meets every condition'),
  misses: z.array(missSchema).describe('The conditions that it does not meet'),
  rank: z
    .object({
      by_price: count
        .min(1)
        .nullable()
        .describe('Its place in the list by price; null when it does not match'),
      of: count.describe('How many match'),
    })
    .describe('Where it stands among those that match'),
});

/** @param share Which price of all. */
const price = (share: string) =>
  z.number().min(0).nullable().describe(`${share}, in US dollars a month; null where none has a price`);

/** What some providers offer and ask. */
export const bucketSchema = z.object({
  key: value
    .nullable()
    .describe(
      'The country, platform or attribute that they have in common; null in `total`, and for those without it',
    ),
  providers: count.describe('How many providers they are'),
  live: count.describe('How many of them are live'),
  resources: z
    .object({
      cpu: count.describe('Cores'),
      memory: count.describe('GB of memory'),
      storage: count.describe('GB of disk'),
    })
    .describe('What they have, summed up'),
  usd_per_month: z
    .object({
      priced: count.describe('How many have a price'),
      min: price('The lowest'),
      p25: price('A quarter ask at most this'),
      p50: price('Half ask at most this'),
      p75: price('Three quarters ask at most this'),
      max: price('The highest'),
    })
    .describe(
      'The estimate for the asked amounts: how many have one, and the lowest that so large a share of them is at or below',
    ),
});

/** What the matches of a filter offer and ask. */
export const marketSchema = z.object({
  cursor,
  total: bucketSchema.describe('All of them together'),
  buckets: z.array(bucketSchema).describe('By what they have in common; empty unless asked for'),
});

/** The members of `visibility`, except its type and id. */
export const visibilityShape = {
  listed: z.boolean().describe('Whether an advertisement of the provider stands'),
  status: z
    .enum(['live', 'suspect'])
    .nullable()
    .describe('Whether its session is open, or lost; null when it is not listed'),
  streams: count.describe('How many streams it matches'),
  subscribers: count.describe('How many connections follow one of them'),
  missed: z
    .array(
      z.object({
        member: z.string().describe('The condition, as a query calls it'),
        streams: count.min(1).describe('How many streams'),
      }),
    )
    .max(MAX_MISSED)
    .describe('How many more streams it would match but for this one condition, most first'),
  price: z
    .object({
      usd_per_month: z.number().min(0).describe('What it asks, in US dollars a month'),
      rank: count.min(1).describe('Its place by price, from 1'),
      of: count.min(1).describe('How many have a price'),
      p50: z.number().min(0).describe('Half ask at most this, in US dollars a month'),
    })
    .nullable()
    .describe(
      'Among those of its country that have prices, for one core, one GB of memory and one GB of disk; null without prices',
    ),
};

export const visibilitySchema = z.object(visibilityShape);

/** Who sees a provider. */
export type Visibility = z.infer<typeof visibilitySchema>;
/** A provider's place by price among those of its country that have prices, for one core, one GB of memory and one GB of disk. */
export type Standing = NonNullable<Visibility['price']>;
export type AskedValue = z.infer<typeof askedValue>;
export type OfferedValue = z.infer<typeof offeredValue>;
/** A condition that an advertisement does not meet. */
export type Miss = z.infer<typeof missSchema>;
/** Why a list is as it is. */
export type Explanation = z.infer<typeof explanationSchema>;
/** Which conditions one provider misses, and how it ranks. */
export type ProviderExplanation = z.infer<typeof providerExplanationSchema>;
/** Supply of a group of providers, and their monthly prices in US dollars. */
export type MarketBucket = z.infer<typeof bucketSchema>;
/** Monthly estimates in US dollars: how many there are, minimum, quartiles and maximum. */
export type Quantiles = MarketBucket['usd_per_month'];
/** Supply and prices of a filter's matches, overall and by group. */
export type Market = z.infer<typeof marketSchema>;

/** What a market is grouped by: a member, or an attribute. */
export type MarketKey = 'country' | 'platform' | `attr.${string}`;
