import type { PublishedAdvertisement } from '../../src/client/index.js';

/** An advertisement as a hub sends it. */
export function published(
  providerId: string,
  members: Partial<PublishedAdvertisement> = {},
): PublishedAdvertisement {
  const time = '2026-01-02T03:04:05.678Z';
  return {
    provider_id: providerId,
    ip_address: '203.0.113.7',
    country: 'SE',
    resources: { cpu: 4, memory: 8, storage: 40 },
    platform: null,
    pricing: null,
    name: null,
    provider_name: null,
    payments_network: null,
    attributes: null,
    endpoint: null,
    created_at: time,
    updated_at: time,
    status: 'live',
    expires_at: time,
    verified: true,
    ip_confirmed: false,
    ...members,
  };
}

/** An advertisement that costs so much a month for a core, and nothing else. */
export function priced(providerId: string, usd: number): PublishedAdvertisement {
  const pricing = { usd_per_core_month: usd, usd_per_gb_ram_month: 0, usd_per_gb_storage_month: 0 };
  return published(providerId, { pricing });
}
