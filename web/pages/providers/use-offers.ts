import { useMemo } from 'preact/hooks';
import type { Filter, Market, MarketBucket } from '../../../src/client/index.js';
import { formatFilter } from '../../model/view.js';
import { without } from '../../model/conditions.js';
import { hub } from '../../state/hub.js';
import { useAnswer } from '../../state/answers.js';
import type { Offer } from './choices.js';
import type { Shown } from './feed.js';

/** The values to choose from, taken from the hub's market. */
export interface Offers {
  readonly countries: readonly Offer[];
  readonly platforms: readonly Offer[];
  /** By country, for the requested amounts and without the price limit; null before it has loaded. */
  readonly prices: Market | null;
  /** Attribute names found in the loaded rows. */
  readonly attributes: readonly string[];
  /** Names of further resources found in the loaded rows. */
  readonly resources: readonly string[];
}

/** Polling interval. */
const OFFERS_MS = 60_000;
/** Rows searched for attribute and resource names. */
const LOOKED_AT = 300;

/**
 * The values to choose from: countries and platforms of all providers, and prices of those that match all other conditions.
 * @param isWanted Whether to ask the hub yet.
 */
export function useOffers(filter: Filter, shown: Shown, isWanted: boolean): Offers {
  const places = useAnswer(
    async (signal) => {
      const [countries, platforms] = await Promise.all([
        hub.market({}, { by: 'country', signal }),
        hub.market({}, { by: 'platform', signal }),
      ]);
      return { countries: offersOf(countries.buckets), platforms: offersOf(platforms.buckets) };
    },
    isWanted ? 'places' : null,
    OFFERS_MS,
  );
  const unpriced = without(filter, 'max_usd_per_month');
  const prices = useAnswer(
    (signal) => hub.market(unpriced, { by: 'country', signal }),
    isWanted ? formatFilter(unpriced) : null,
    OFFERS_MS,
  );
  const seen = useMemo(
    () => namesIn(shown),
    [shown.kind, shown.at(0) === undefined, Math.round(shown.count / 10)],
  );
  const { countries = [], platforms = [] } = places.value.value ?? {};
  return { countries, platforms, prices: prices.value.value, ...seen };
}

/**
 * The values of an attribute from the hub's market, most frequent first.
 * @param name Empty for no attribute; the result is then empty.
 */
export function useValues(name: string): readonly Offer[] {
  const { value } = useAnswer(
    async (signal) => ({
      name,
      offers: name === '' ? [] : offersOf((await hub.market({}, { by: `attr.${name}`, signal })).buckets),
    }),
    name,
    OFFERS_MS,
  ).value;
  // Until the next answer arrives, the last one may belong to another attribute.
  return value?.name === name ? value.offers : [];
}

function offersOf(buckets: readonly MarketBucket[]): Offer[] {
  return buckets
    .filter(({ key }) => key !== null)
    .map(({ key, providers }) => ({ value: String(key), providers }))
    .sort((a, b) => b.providers - a.providers);
}

const KNOWN = new Set(['cpu', 'memory', 'storage']);

function namesIn(shown: Shown): Pick<Offers, 'attributes' | 'resources'> {
  const attributes = new Set<string>();
  const resources = new Set<string>();
  for (let row = 0; row < Math.min(shown.count, LOOKED_AT); row += 1) {
    const advertisement = shown.at(row)?.advertisement;
    for (const name of Object.keys(advertisement?.attributes ?? {})) attributes.add(name);
    for (const name of Object.keys(advertisement?.resources ?? {})) if (!KNOWN.has(name)) resources.add(name);
  }
  return { attributes: [...attributes].sort(), resources: [...resources].sort() };
}
