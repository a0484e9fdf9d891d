import type { Pricing } from '../advertisement.js';
import type { Currency } from './conditions.js';

/** Cores, GB of memory and GB of disk. */
export interface Amounts {
  /** Cores. */
  cpu: number;
  /** GB of memory. */
  memory: number;
  /** GB of disk. */
  storage: number;
}

/** The three members of a pricing that an estimate needs. */
export function priceMembers(currency: Currency) {
  return [
    `${currency}_per_core_month`,
    `${currency}_per_gb_ram_month`,
    `${currency}_per_gb_storage_month`,
  ] as const;
}

/**
 * The monthly estimate for some amounts at these prices; NaN if a price is NaN. This is the only place that sums prices, so rounding is the
 * same in lists, streams and clients.
 */
export function monthlyCost(core: number, memory: number, storage: number, asked: Amounts): number {
  return core * asked.cpu + memory * asked.memory + storage * asked.storage;
}

/** What amounts cost per month at a provider, bit for bit what a hub compares; null if one of the three prices is missing. */
export function monthlyEstimate(
  pricing: Pricing | null,
  asked: Amounts,
  currency: Currency = 'usd',
): number | null {
  const [core, memory, storage] = priceMembers(currency).map((member) => pricing?.[member]);
  if (core === undefined || memory === undefined || storage === undefined) return null;
  return monthlyCost(core, memory, storage, asked);
}

/** The members that an order by price compares. */
interface Priced {
  /** Breaks ties. */
  readonly provider_id: string;
  /** Null if there is none. */
  readonly pricing: Pricing | null;
}

/**
 * The order of a hub's list by price: cheapest for these amounts first, providers without the three prices last, ties by provider id.
 */
export function comparePrices(asked: Amounts, currency: Currency): (a: Priced, b: Priced) => number {
  // An infinite sum is still a price.
  const key = ({ pricing }: Priced): number => {
    const cost = monthlyEstimate(pricing, asked, currency);
    return cost === null ? Number.POSITIVE_INFINITY : Math.min(cost, Number.MAX_VALUE);
  };
  return (a, b) => {
    const [first, second] = [key(a), key(b)];
    if (first !== second) return first < second ? -1 : 1;
    return a.provider_id < b.provider_id ? -1 : a.provider_id > b.provider_id ? 1 : 0;
  };
}
