import type {
  Explanation,
  Market,
  MarketBucket,
  MarketKey,
  Miss,
  ProviderExplanation,
  Visibility,
} from '../../../src/protocol/answers.js';
import type { PublishedAdvertisement } from '../../../src/protocol/advertisement.js';
import type { Filter } from '../../../src/protocol/filters/filter.js';
import { list, matches, monthlyPrice } from './naive.js';

/** What the protocol says about explanations, the market and visibility, word for word, on plain objects. */

type All = readonly PublishedAdvertisement[];

/** For each member of a filter: what an advertisement offers, and whether that suffices. */
const CONDITIONS: {
  [Member in Exclude<keyof Filter, 'min' | 'attributes'>]-?: (
    one: PublishedAdvertisement,
    asked: NonNullable<Filter[Member]>,
    filter: Filter,
  ) => [offered: Miss['offered'], isMet: boolean];
} = {
  cpu: ({ resources: { cpu } }, asked) => [cpu, cpu >= asked],
  memory: ({ resources: { memory } }, asked) => [memory, memory >= asked],
  storage: ({ resources: { storage } }, asked) => [storage, storage >= asked],
  country: ({ country }, asked) => [country, asked.includes(country)],
  platform: ({ platform }, asked) => [platform, platform !== null && asked.includes(platform)],
  payments_network: ({ payments_network: network }, asked) => [
    network,
    network !== null && asked.includes(network),
  ],
  max_usd_per_month: (one, asked, filter) => {
    const price = monthlyPrice(filter, one);
    return [price, price !== null && price <= asked];
  },
  max_glm_per_month: (one, asked, filter) => {
    const price = monthlyPrice(filter, one, 'glm');
    return [price, price !== null && price <= asked];
  },
  not_country: ({ country }, asked) => [country, !asked.includes(country)],
  exclude: ({ provider_id: id }, asked) => [id, !asked.includes(id)],
  status: ({ status }) => [status, status === 'live'],
  verified: ({ verified }) => [verified, verified],
  ip_confirmed: ({ ip_confirmed: confirmed }) => [confirmed, confirmed],
};

/** What a filter asks, one by one, by the names that a query has for it. */
function asks(filter: Filter): { member: string; asked: Miss['asked']; alone: Filter }[] {
  const { min = {}, attributes = {} } = filter;
  return [
    ...(Object.keys(CONDITIONS) as (keyof typeof CONDITIONS)[]).flatMap((member) =>
      filter[member] === undefined ? [] : [{ member, asked: filter[member], alone: {} }],
    ),
    ...Object.entries(min).map(([name, asked]) => ({
      member: `min.${name}`,
      asked,
      alone: { min: { [name]: asked } },
    })),
    ...Object.entries(attributes).map(([name, asked]) => ({
      member: `attr.${name}`,
      asked,
      alone: { attributes: { [name]: asked } },
    })),
  ];
}

function missesOf(filter: Filter, one: PublishedAdvertisement): Miss[] {
  return asks(filter).flatMap(({ member, asked, alone }) => {
    const [offered, isMet] = Object.hasOwn(CONDITIONS, member)
      ? CONDITIONS[member as keyof typeof CONDITIONS](one, asked as never, filter)
      : [factOf(one, member), matches(alone, one)];
    return isMet ? [] : [{ member, asked, offered }];
  });
}

function factOf(one: PublishedAdvertisement, member: string): Miss['offered'] {
  const name = member.slice(member.indexOf('.') + 1);
  return member.startsWith('min.') ? (one.resources[name] ?? 0) : (one.attributes?.[name] ?? null);
}

export function explain(all: All, filter: Filter): Omit<Explanation, 'cursor'> {
  const misses = new Map(all.map((one) => [one.provider_id, missesOf(filter, one)]));
  const asked = asks(filter).map(({ member }) => member);
  const count = (isCounted: (misses: readonly Miss[], member: string) => boolean): Record<string, number> =>
    Object.fromEntries(
      asked.map((member) => [member, [...misses.values()].filter((of) => isCounted(of, member)).length]),
    );
  const has = (of: readonly Miss[], member: string): boolean => of.some((miss) => miss.member === member);
  const price = (one: PublishedAdvertisement): number => monthlyPrice(filter, one) ?? Number.MAX_VALUE;
  return {
    providers: all.length,
    matched: [...misses.values()].filter((of) => of.length === 0).length,
    rejected_by: count(has),
    only_by: count((of, member) => of.length === 1 && has(of, member)),
    nearest: all
      .map((one) => ({
        provider_id: one.provider_id,
        misses: misses.get(one.provider_id)!,
        price: price(one),
      }))
      .filter((one) => one.misses.length > 0)
      .sort(
        (a, b) =>
          a.misses.length - b.misses.length || a.price - b.price || (a.provider_id < b.provider_id ? -1 : 1),
      )
      .slice(0, 10)
      .map(({ provider_id, misses: missed }) => ({ provider_id, misses: missed })),
  };
}

export function explainProvider(
  all: All,
  filter: Filter,
  providerId: string,
): Omit<ProviderExplanation, 'cursor'> {
  const misses = missesOf(
    filter,
    all.find(({ provider_id: id }) => id === providerId)!,
  );
  const matches = list(all, filter, 'price').map(({ provider_id: id }) => id);
  const isMatch = matches.includes(providerId);
  return {
    provider_id: providerId,
    matches: isMatch,
    misses,
    rank: { by_price: isMatch ? matches.indexOf(providerId) + 1 : null, of: matches.length },
  };
}

export function market(all: All, filter: Filter, by: MarketKey | null): Omit<Market, 'cursor'> {
  const matches = list(all, filter, 'id');
  const keyOf = (one: PublishedAdvertisement): MarketBucket['key'] =>
    by === 'country' || by === 'platform' ? one[by] : (one.attributes?.[by!.slice(5)] ?? null);
  const keys = by === null ? [] : [...new Set(matches.map(keyOf))];
  return {
    total: bucket(null, matches, filter),
    buckets: keys
      .map((key) =>
        bucket(
          key,
          matches.filter((one) => keyOf(one) === key),
          filter,
        ),
      )
      .sort((a, b) => b.providers - a.providers || byKey(a, b))
      .slice(0, 100),
  };
}

function byKey({ key: a }: MarketBucket, { key: b }: MarketBucket): number {
  if (a === null || b === null) return a === null ? 1 : -1;
  const types = ['string', 'number', 'boolean'];
  const byType = types.indexOf(typeof a) - types.indexOf(typeof b);
  if (byType !== 0) return byType;
  return a < b ? -1 : 1;
}

function bucket(key: MarketBucket['key'], all: All, filter: Filter): MarketBucket {
  const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);
  const prices = all.flatMap((one) => monthlyPrice(filter, one) ?? []).sort((a, b) => a - b);
  const share = (part: number): number | null =>
    prices.find((_, place) => (place + 1) / prices.length >= part) ?? null;
  return {
    key,
    providers: all.length,
    live: all.filter(({ status }) => status === 'live').length,
    resources: {
      cpu: sum(all.map(({ resources }) => resources.cpu)),
      memory: sum(all.map(({ resources }) => resources.memory)),
      storage: sum(all.map(({ resources }) => resources.storage)),
    },
    usd_per_month: {
      priced: prices.length,
      min: prices[0] ?? null,
      p25: share(0.25),
      p50: share(0.5),
      p75: share(0.75),
      max: prices.at(-1) ?? null,
    },
  };
}

/** @param subscribers The filters that each of them follows. */
export function visibility(
  all: All,
  subscribers: readonly (readonly Filter[])[],
  providerId: string,
): Visibility {
  const own = all.find(({ provider_id: id }) => id === providerId);
  if (own === undefined)
    return { listed: false, status: null, streams: 0, subscribers: 0, missed: [], price: null };
  const streams = new Map(subscribers.flat().map((filter) => [JSON.stringify(filter), filter]));
  const misses = [...streams.values()].map((filter) => missesOf(filter, own));
  const counts = new Map<string, number>();
  for (const [only] of misses.filter(({ length }) => length === 1))
    counts.set(only!.member, (counts.get(only!.member) ?? 0) + 1);
  const priced = list(all, { country: [own.country] }, 'price').filter(
    (one) => monthlyPrice({}, one) !== null,
  );
  const rank = priced.indexOf(own) + 1;
  return {
    listed: true,
    status: own.status,
    streams: misses.filter(({ length }) => length === 0).length,
    subscribers: subscribers.filter((filters) => filters.some((filter) => missesOf(filter, own).length === 0))
      .length,
    missed: [...counts]
      .map(([member, count]) => ({ member, streams: count }))
      .sort((a, b) => b.streams - a.streams || (a.member < b.member ? -1 : 1))
      .slice(0, 10),
    price:
      rank === 0
        ? null
        : {
            usd_per_month: monthlyPrice({}, own)!,
            rank,
            of: priced.length,
            p50: monthlyPrice({}, priced[Math.ceil(priced.length / 2) - 1]!)!,
          },
  };
}
