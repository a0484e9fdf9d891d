import fc from '../properties.js';
import type { AttributeValue, Attributes } from '../../../src/protocol/attributes.js';
import type { Filter } from '../../../src/protocol/filters/filter.js';
import type { AdvertisementRecord } from '../../../src/registry/store/records.js';

/** Advertisements and filters from few values, so that they often match. */

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
  | 'ipAddress'
  | 'country'
  | 'resources'
  | 'platform'
  | 'pricing'
  | 'name'
  | 'paymentsNetwork'
  | 'attributes'
  | 'endpoint'
>;

const price = fc.constantFrom(...PRICES);

/** Names that resources have, too, and values that look alike. */
const ATTRIBUTE_NAMES = ['gpu', 'gpu_model', 'speed', 'tee'] as const;
const ATTRIBUTE_VALUES = [
  'RTX 4090',
  'A=s1',
  'true',
  '1',
  1,
  0.1 + 0.2,
  0.3,
  -5,
  1e300,
  true,
  false,
] as const;
const attributeValue = fc.constantFrom<AttributeValue>(...ATTRIBUTE_VALUES);

const attributes: fc.Arbitrary<Attributes> = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...ATTRIBUTE_NAMES), attributeValue), {
    maxLength: 4,
    selector: ([name]) => name,
  })
  .map((members) => Object.fromEntries(members));

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
      fc.record(
        {
          cpu: fc.constant(2),
          memory: fc.constant(2),
          storage: fc.constant(2),
          gpu: fc.constantFrom(0, 1, 2, 8),
          tpu: fc.constantFrom(1, 4),
        },
        { requiredKeys: ['cpu', 'memory', 'storage'], noNullPrototype: true },
      ),
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
    attributes: fc.oneof(fc.constant(null), attributes),
    endpoint: fc.constantFrom(null, { port: 22 }),
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

const typeOrder = ['string', 'number', 'boolean'];

/** In canonical order: texts, then numbers, then booleans. */
function inOrder(a: AttributeValue, b: AttributeValue): number {
  return typeOrder.indexOf(typeof a) - typeOrder.indexOf(typeof b) || (a < b ? -1 : 1);
}

const askedAttribute = fc.oneof(
  fc
    .uniqueArray(fc.constantFrom<AttributeValue>(...ATTRIBUTE_VALUES, 'unheard of'), {
      minLength: 1,
      maxLength: 3,
    })
    .map((values) => values.sort(inOrder)),
  fc.constantFrom(
    { min: 0.3 },
    { max: 0.3 },
    { min: 0.1 + 0.2, max: 0.1 + 0.2 },
    { min: -5, max: 1 },
    { min: 1e300 },
  ),
);

const askedAttributes = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...ATTRIBUTE_NAMES, 'zone'), askedAttribute), {
    minLength: 1,
    maxLength: 2,
    selector: ([name]) => name,
  })
  .map((members) => Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1))));

const askedResources = fc
  .uniqueArray(fc.tuple(fc.constantFrom('gpu', 'npu', 'tpu'), fc.constantFrom(0, 1, 2)), {
    minLength: 1,
    maxLength: 2,
    selector: ([name]) => name,
  })
  .map((members) => Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1))));

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
      ip_confirmed: fc.constant(true as const),
      min: askedResources,
      attributes: askedAttributes,
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
  return {
    providerId,
    ...from,
    createdAt: 0,
    updatedAt: 0,
    proof: null,
    ipConfirmed: false,
    attached: false,
    ...changes,
  };
}

/** The payload that a provider would send for this content. */
export function payloadOf(from: Content): string {
  return JSON.stringify({
    ip_address: from.ipAddress,
    country: from.country,
    resources: from.resources,
    ...(from.platform === null ? {} : { platform: from.platform }),
    pricing: from.pricing,
    name: from.name,
    payments_network: from.paymentsNetwork,
    ...(from.attributes === null ? {} : { attributes: from.attributes }),
    ...(from.endpoint === null ? {} : { endpoint: from.endpoint }),
  });
}
