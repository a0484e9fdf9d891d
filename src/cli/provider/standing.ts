import { type DiscoveryClient, monthlyEstimate, type PublishedAdvertisement } from '../../client/node.js';
import { ONE_OF_EACH } from './offer.js';

/** A provider's price rank in its country, for 1 core, 1 GB of memory and 1 GB of disk. */
export interface PriceStanding {
  usd_per_month: number;
  /** From 1, the cheapest. */
  rank: number;
  /** Number of priced providers, including this one. */
  of: number;
  /** Their median price. */
  p50: number;
}

/** A provider's standing on a hub. */
export interface Standing {
  provider_id: string;
  /** Whether the hub lists it. */
  listed: boolean;
  advertisement: PublishedAdvertisement | null;
  /** Null if it is not listed, or lacks any of the three prices in US dollars. */
  price: PriceStanding | null;
}

/**
 * Requests a provider's standing from a hub.
 * @throws DiscoveryError
 */
export async function standingOf(client: DiscoveryClient, providerId: string): Promise<Standing> {
  const advertisement = await client.get(providerId);
  const price = advertisement === null ? null : await priceStanding(client, advertisement);
  return { provider_id: providerId, listed: advertisement !== null, advertisement, price };
}

async function priceStanding(
  client: DiscoveryClient,
  { provider_id, country, pricing }: PublishedAdvertisement,
): Promise<PriceStanding | null> {
  const own = monthlyEstimate(pricing, ONE_OF_EACH);
  if (own === null) return null;
  const others: number[] = [];
  for await (const { advertisements } of client.pages({ country }, { sort: 'price' })) {
    const estimates = advertisements
      .filter((one) => one.provider_id !== provider_id)
      .map((one) => monthlyEstimate(one.pricing, ONE_OF_EACH));
    others.push(...estimates.filter((estimate) => estimate !== null));
    // Providers without prices come last.
    if (estimates.includes(null)) break;
  }
  const all = [...others, own].sort((a, b) => a - b);
  return {
    usd_per_month: own,
    rank: all.indexOf(own) + 1,
    of: all.length,
    p50: all[Math.ceil(all.length / 2) - 1]!,
  };
}
