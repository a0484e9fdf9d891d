import assert from 'node:assert/strict';
import fc from '../properties.js';
import { eventually, Line, type PublishedAdvertisement, readAdvertisement } from '../clients/http.js';
import { TestKey } from './keys.js';
import type { TestHub } from '../hubs/test-hub.js';

/** A list request as a user means it. */
export interface Query {
  cpu?: number | undefined;
  memory?: number | undefined;
  storage?: number | undefined;
  country?: string[] | undefined;
  platform?: string[] | undefined;
  payments_network?: string[] | undefined;
  max_usd_per_month?: number | undefined;
  max_glm_per_month?: number | undefined;
  not_country?: string[] | undefined;
  exclude?: string[] | undefined;
  verified?: true | undefined;
  status?: 'live' | undefined;
  sort?: 'price' | 'price_glm' | 'updated' | undefined;
}

const COUNTRIES = ['SE', 'NO', 'DE', 'US'];
const PLATFORMS = ['x86_64', 'arm64', 'riscv 64+', 'å/∂&=?#%'];
const NETWORKS = ['polygon', 'holesky'];
/** Few values each, so that ties and exact bounds are common. */
const AMOUNTS = [1, 2, 3, 4, 8, 16];
const PRICES = [0, 0.1, 0.2, 0.3, 1, 2.5, 10];

const amount = fc.constantFrom(...AMOUNTS);
const price = fc.constantFrom(...PRICES);
const sometimes = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
/** So that together they do not leave nearly nothing. */
const seldom = <Value>(value: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });

const generatedAdvertisement = fc.record(
  {
    ip_address: fc.ipV4(),
    country: fc.constantFrom(...COUNTRIES),
    resources: fc.record({ cpu: amount, memory: amount, storage: amount }),
    platform: fc.constantFrom(...PLATFORMS),
    payments_network: fc.constantFrom(...NETWORKS),
    pricing: fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({
          usd_per_core_month: price,
          usd_per_gb_ram_month: price,
          usd_per_gb_storage_month: price,
        }),
      },
      fc.record({
        glm_per_core_month: price,
        glm_per_gb_ram_month: price,
        glm_per_gb_storage_month: price,
      }),
      fc.record({ usd_per_core_month: price, glm_per_core_month: price }),
    ),
  },
  { requiredKeys: ['ip_address', 'country', 'resources'] },
);

/** Requests over the same few values, so that some match much, some little and some nothing. */
export const generatedQuery: fc.Arbitrary<Query> = fc.record(
  {
    cpu: amount,
    memory: amount,
    storage: amount,
    country: fc.uniqueArray(fc.constantFrom(...COUNTRIES, 'FI'), { minLength: 1, maxLength: 3 }),
    platform: fc.uniqueArray(fc.constantFrom(...PLATFORMS, 'unheard of'), { minLength: 1, maxLength: 3 }),
    payments_network: fc.uniqueArray(fc.constantFrom(...NETWORKS, 'none'), { minLength: 1, maxLength: 2 }),
    max_usd_per_month: fc.constantFrom(0, 0.3, 0.6, 1, 2.5, 10, 50, 1000),
    max_glm_per_month: seldom(fc.constantFrom(0, 0.3, 0.6, 1, 2.5, 10, 50, 1000)),
    not_country: seldom(fc.uniqueArray(fc.constantFrom(...COUNTRIES, 'FI'), { minLength: 1, maxLength: 2 })),
    exclude: seldom(
      fc.uniqueArray(
        fc.nat(120).map((index) => providerIdAt(index)),
        { minLength: 1, maxLength: 20 },
      ),
    ),
    verified: fc.constant(true as const),
    status: fc.constant('live' as const),
    sort: sometimes(fc.constantFrom('price' as const, 'price_glm' as const, 'updated' as const)),
  },
  { requiredKeys: [] },
);

function providerIdAt(index: number): string {
  return `p${String((index * 7919) % 1000)}:${String(index)}`;
}

/** Has many providers advertise, at a few different moments, and some of them turn suspect. */
export async function populate(
  hub: TestHub,
  count: number,
  suspects: number,
): Promise<PublishedAdvertisement[]> {
  const samples = fc.sample(generatedAdvertisement, { numRuns: count, seed: 7 });
  const key = new TestKey();
  const line = new Line(() => hub);
  const all: PublishedAdvertisement[] = [];
  for (const [index, advertisement] of samples.entries()) {
    const id = providerIdAt(index);
    const { status, body } = await line.post<PublishedAdvertisement>(key, id, advertisement);
    assert.equal(status, 200, JSON.stringify(body));
    all.push(body);
    if (index % 25 === 24) await hub.advance(1000);
  }
  for (let index = 0; index < count; index += Math.floor(count / suspects)) {
    const id = all[index]!.provider_id;
    const socket = await hub.session(key, id);
    socket.terminate();
    all[index] = await eventually(
      () => readAdvertisement(hub, id),
      ({ status }) => status === 'suspect',
    );
  }
  return all;
}

/** What a provider costs a month for the asked amounts; null for one without the three prices. */
export function monthlyPrice(
  { pricing }: PublishedAdvertisement,
  query: Query,
  currency: 'usd' | 'glm' = 'usd',
): number | null {
  const [core, memory, storage] =
    currency === 'usd'
      ? [pricing?.usd_per_core_month, pricing?.usd_per_gb_ram_month, pricing?.usd_per_gb_storage_month]
      : [pricing?.glm_per_core_month, pricing?.glm_per_gb_ram_month, pricing?.glm_per_gb_storage_month];
  if (core === undefined || memory === undefined || storage === undefined) return null;
  return core * (query.cpu ?? 1) + memory * (query.memory ?? 1) + storage * (query.storage ?? 1);
}

function matches(advertisement: PublishedAdvertisement, query: Query): boolean {
  const { resources, country, platform, payments_network, status } = advertisement;
  const estimate = monthlyPrice(advertisement, query);
  const estimateInGlm = monthlyPrice(advertisement, query, 'glm');
  return (
    resources.cpu >= (query.cpu ?? 0) &&
    resources.memory >= (query.memory ?? 0) &&
    resources.storage >= (query.storage ?? 0) &&
    (query.country?.includes(country) ?? true) &&
    (query.platform === undefined || (platform !== null && query.platform.includes(platform))) &&
    (query.payments_network === undefined ||
      (payments_network !== null && query.payments_network.includes(payments_network))) &&
    (query.max_usd_per_month === undefined || (estimate !== null && estimate <= query.max_usd_per_month)) &&
    (query.max_glm_per_month === undefined ||
      (estimateInGlm !== null && estimateInGlm <= query.max_glm_per_month)) &&
    query.not_country?.includes(country) !== true &&
    query.exclude?.includes(advertisement.provider_id) !== true &&
    (query.verified !== true || advertisement.verified) &&
    (query.status !== 'live' || status === 'live')
  );
}

/** The answer as anybody would work it out who has all advertisements and all the time in the world. */
export function naiveList(all: readonly PublishedAdvertisement[], query: Query): PublishedAdvertisement[] {
  const keyOf = (advertisement: PublishedAdvertisement): number => {
    if (query.sort === 'price') return monthlyPrice(advertisement, query) ?? Number.POSITIVE_INFINITY;
    if (query.sort === 'price_glm')
      return monthlyPrice(advertisement, query, 'glm') ?? Number.POSITIVE_INFINITY;
    return query.sort === 'updated' ? -Date.parse(advertisement.updated_at) : 0;
  };
  const compare = <Key extends number | string>(a: Key, b: Key): number => (a === b ? 0 : a < b ? -1 : 1);
  return all
    .filter((advertisement) => matches(advertisement, query))
    .sort((a, b) => compare(keyOf(a), keyOf(b)) || compare(a.provider_id, b.provider_id));
}

/** Writes a request as a query string; empty, or beginning with `?`. */
export function queryString(query: Query, lists: 'repeated' | 'comma-separated' = 'repeated'): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query) as [
    string,
    string | number | true | string[] | undefined,
  ][]) {
    if (value === undefined) continue;
    if (!Array.isArray(value)) parameters.append(name, String(value));
    else if (lists === 'comma-separated') parameters.append(name, value.join(','));
    else for (const member of value) parameters.append(name, member);
  }
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}
