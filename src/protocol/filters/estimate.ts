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

/** The members of a pricing that an estimate needs, all three. */
export function priceMembers(currency: Currency) {
  return [
    `${currency}_per_core_month`,
    `${currency}_per_gb_ram_month`,
    `${currency}_per_gb_storage_month`,
  ] as const;
}

/**
 * The monthly estimate for some amounts at these prices; NaN where a price is NaN. Everybody sums in this order, so that
 * rounding makes no difference between a list, a stream and what a client works out itself.
 */
export function monthlyCost(core: number, memory: number, storage: number, asked: Amounts): number {
  return core * asked.cpu + memory * asked.memory + storage * asked.storage;
}

/** What amounts cost a month at a provider, to the bit as a hub compares it; null where one of the three prices is missing. */
export function monthlyEstimate(
  pricing: Pricing | null,
  asked: Amounts,
  currency: Currency = 'usd',
): number | null {
  const [core, memory, storage] = priceMembers(currency).map((member) => pricing?.[member]);
  if (core === undefined || memory === undefined || storage === undefined) return null;
  return monthlyCost(core, memory, storage, asked);
}

/** What an order by price compares. */
interface Priced {
  /** Decides between equal prices. */
  readonly provider_id: string;
  /** Null where it has none. */
  readonly pricing: Pricing | null;
}

/**
 * The order of a hub's list by price: the cheapest for these amounts first, those without the three prices last, and of equal ones the smaller
 * provider id.
 */
export function comparePrices(asked: Amounts, currency: Currency): (a: Priced, b: Priced) => number {
  // A sum beyond all numbers is still a price.
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
