import type { PublishedAdvertisement } from '../../../src/protocol/advertisement.js';
import type { Filter } from '../../../src/protocol/filters/filter.js';
import type { AdvertisementRecord } from '../../../src/registry/store/records.js';

/** What the protocol says about lists, word for word, on plain objects: slow, and not sharing code with the hub. */

/** What is shown of an advertisement. */
export function published(
  record: AdvertisementRecord,
  times: { updatedAt: number; expiresAt: number },
  live: boolean,
): PublishedAdvertisement {
  return {
    provider_id: record.providerId,
    ip_address: record.ipAddress,
    country: record.country,
    resources: record.resources as PublishedAdvertisement['resources'],
    platform: record.platform,
    pricing: record.pricing,
    name: record.name,
    payments_network: record.paymentsNetwork,
    attributes: record.attributes,
    endpoint: record.endpoint,
    provider_name: record.name,
    created_at: new Date(record.createdAt).toISOString(),
    updated_at: new Date(times.updatedAt).toISOString(),
    status: live ? 'live' : 'suspect',
    expires_at: new Date(times.expiresAt).toISOString(),
    verified: record.proof !== null,
    ip_confirmed: record.ipConfirmed,
  };
}

/** The monthly price for the asked amounts, 1 where not asked; null without the three prices. */
export function monthlyPrice(
  filter: Filter,
  { pricing }: PublishedAdvertisement,
  currency: 'usd' | 'glm' = 'usd',
): number | null {
  const isGlm = currency === 'glm';
  const core = isGlm ? pricing?.glm_per_core_month : pricing?.usd_per_core_month;
  const memory = isGlm ? pricing?.glm_per_gb_ram_month : pricing?.usd_per_gb_ram_month;
  const storage = isGlm ? pricing?.glm_per_gb_storage_month : pricing?.usd_per_gb_storage_month;
  if (core === undefined || memory === undefined || storage === undefined) return null;
  return core * (filter.cpu ?? 1) + memory * (filter.memory ?? 1) + storage * (filter.storage ?? 1);
}

export function matches(filter: Filter, advertisement: PublishedAdvertisement): boolean {
  const { resources, country, platform, payments_network: network, status } = advertisement;
  if (filter.cpu !== undefined && resources.cpu < filter.cpu) return false;
  if (filter.memory !== undefined && resources.memory < filter.memory) return false;
  if (filter.storage !== undefined && resources.storage < filter.storage) return false;
  if (filter.country !== undefined && !filter.country.includes(country)) return false;
  if (filter.platform !== undefined && (platform === null || !filter.platform.includes(platform)))
    return false;
  if (
    filter.payments_network !== undefined &&
    (network === null || !filter.payments_network.includes(network))
  )
    return false;
  if (filter.status === 'live' && status !== 'live') return false;
  if (filter.verified === true && !advertisement.verified) return false;
  if (filter.not_country?.includes(country) === true) return false;
  if (filter.exclude?.includes(advertisement.provider_id) === true) return false;
  if (filter.ip_confirmed === true && !advertisement.ip_confirmed) return false;
  for (const [name, least] of Object.entries(filter.min ?? {}))
    if ((resources[name] ?? 0) < least) return false;
  for (const [name, asked] of Object.entries(filter.attributes ?? {})) {
    const value = advertisement.attributes?.[name];
    if (value === undefined) return false;
    if (Array.isArray(asked)) {
      if (!asked.includes(value)) return false;
    } else if (typeof value !== 'number' || value < (asked.min ?? value) || value > (asked.max ?? value))
      return false;
  }
  const isWithin = (most: number | undefined, price: number | null): boolean =>
    most === undefined || (price !== null && price <= most);
  return (
    isWithin(filter.max_usd_per_month, monthlyPrice(filter, advertisement)) &&
    isWithin(filter.max_glm_per_month, monthlyPrice(filter, advertisement, 'glm'))
  );
}

/** A whole list, in order. */
export function list(
  all: readonly PublishedAdvertisement[],
  filter: Filter,
  sort: 'id' | 'price' | 'price_glm' | 'updated',
): PublishedAdvertisement[] {
  const byId = (a: PublishedAdvertisement, b: PublishedAdvertisement): number =>
    a.provider_id < b.provider_id ? -1 : a.provider_id > b.provider_id ? 1 : 0;
  const price = (one: PublishedAdvertisement, currency: 'usd' | 'glm' = 'usd'): number =>
    monthlyPrice(filter, one, currency) ?? Number.MAX_VALUE;
  const compare = {
    id: byId,
    price: (a: PublishedAdvertisement, b: PublishedAdvertisement) => price(a) - price(b) || byId(a, b),
    price_glm: (a: PublishedAdvertisement, b: PublishedAdvertisement) =>
      price(a, 'glm') - price(b, 'glm') || byId(a, b),
    updated: (a: PublishedAdvertisement, b: PublishedAdvertisement) =>
      Date.parse(b.updated_at) - Date.parse(a.updated_at) || byId(a, b),
  }[sort];
  return all.filter((one) => matches(filter, one)).sort(compare);
}
