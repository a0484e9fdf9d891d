import fc from './properties.js';
import type { Filter } from '../../src/protocol/filters/filter.js';
import type { AdvertisementRecord } from '../../src/registry/store/records.js';

/** Advertisements and filters out of few values each, so that they meet often. */

export const COUNTRY_CODES = ['DK', 'NO', 'SE', 'ZW', 'AD'] as const;
export const PLATFORMS = ['arm64', 'riscv', 'x86_64'] as const;
export const NETWORKS = ['holesky', 'polygon', 'x86_64'] as const;

const AMOUNTS = [1, 2, 3, 4, 8] as const;
/** 0.1 and 0.2 make a little more than 0.3. */
const PRICES = [0, 0.1, 0.2, 0.25, 1, 3] as const;
const BUDGETS = [0, 0.3, 0.1 + 0.2, 0.35, 1, 2.5, 10, 100] as const;

/** The members of an advertisement that its provider chooses. */
export type Content = Pick<
  AdvertisementRecord,
  'ipAddress' | 'country' | 'resources' | 'platform' | 'pricing' | 'name' | 'paymentsNetwork'
>;

const price = fc.constantFrom(...PRICES);

export const content: fc.Arbitrary<Content> = fc.record(
  {
    ipAddress: fc.constantFrom('203.0.113.7', '2001:db8::7'),
    country: fc.constantFrom(...COUNTRY_CODES),
    resources: fc.oneof(
      fc.record(
        {
          cpu: fc.constantFrom(...AMOUNTS, 4096),
          memory: fc.constantFrom(...AMOUNTS, 65_536),
          storage: fc.constantFrom(...AMOUNTS, 10_000_000),
        },
        { noNullPrototype: true },
      ),
      fc.constant({ cpu: 2, memory: 2, storage: 2, gpu: 1 }),
    ),
    platform: fc.constantFrom(null, ...PLATFORMS),
    pricing: fc.oneof(
      fc.constant(null),
      fc.record(
        {
          usd_per_core_month: price,
          usd_per_gb_ram_month: price,
          usd_per_gb_storage_month: price,
        },
        { noNullPrototype: true },
      ),
      fc.record(
        {
          glm_per_core_month: price,
          glm_per_gb_ram_month: price,
          glm_per_gb_storage_month: price,
        },
        { noNullPrototype: true },
      ),
      fc.record(
        {
          usd_per_core_month: price,
          usd_per_gb_ram_month: price,
          usd_per_gb_storage_month: price,
          glm_per_core_month: price,
          glm_per_gb_ram_month: price,
          glm_per_gb_storage_month: price,
          note: fc.constant('"quoted" ⚡'),
        },
        { requiredKeys: [], noNullPrototype: true },
      ),
    ),
    name: fc.constantFrom(null, 'a', 'Göteborg ⚡ "1"'),
    paymentsNetwork: fc.constantFrom(null, ...NETWORKS),
  },
  { noNullPrototype: true },
);

/** Ids of providers in the tests that use these filters. */
const EXCLUDED = ['a', 'b', 'c', 'p1', 'p2', 'P-1', 'P-3'] as const;

const amount = fc.constantFrom(...AMOUNTS);

function listOf(values: readonly string[], more: readonly string[]): fc.Arbitrary<string[]> {
  return fc
    .uniqueArray(fc.constantFrom(...values, ...more), { minLength: 1, maxLength: 3 })
    .map((list) => list.sort());
}

/** Filters in canonical form, most of which ask for little. */
export const filter: fc.Arbitrary<Filter> = fc
  .record(
    {
      cpu: amount,
      memory: amount,
      storage: amount,
      country: listOf(COUNTRY_CODES, ['FR']),
      platform: listOf(PLATFORMS, ['unheard-of']),
      payments_network: listOf(NETWORKS, ['unheard-of']),
      max_usd_per_month: fc.constantFrom(...BUDGETS),
      max_glm_per_month: fc.constantFrom(...BUDGETS),
      not_country: listOf(COUNTRY_CODES, ['FR']),
      exclude: listOf(EXCLUDED, ['unheard-of']),
      verified: fc.constant(true as const),
      status: fc.constant('live' as const),
    },
    { noNullPrototype: true },
  )
  .chain((all) => fc.subarray(Object.entries(all), { maxLength: 4 }))
  .map((members) => Object.fromEntries(members));

/** A record around a content. */
export function recordOf(
  providerId: string,
  from: Content,
  changes: Partial<AdvertisementRecord> = {},
): AdvertisementRecord {
  return { providerId, ...from, createdAt: 0, updatedAt: 0, proof: null, attached: false, ...changes };
}

/** What a provider would send to say this. */
export function payloadOf(from: Content): string {
  return JSON.stringify({
    ip_address: from.ipAddress,
    country: from.country,
    resources: from.resources,
    ...(from.platform === null ? {} : { platform: from.platform }),
    pricing: from.pricing,
    name: from.name,
    payments_network: from.paymentsNetwork,
  });
}
