import ipaddr from 'ipaddr.js';
import {
  type AdvertisementInput,
  monthlyEstimate,
  type PublishedAdvertisement,
  type Visibility,
} from '../../client/node.js';
import { flagNameOf } from '../answers/condition-flag.js';
import { type Advertisement, advertisementSchema } from '../../protocol/advertisement.js';

/** The amounts that prices are shown for unless others are requested. */
export const ONE_OF_EACH = { cpu: 1, memory: 1, storage: 1 } as const;

type Offer = Pick<PublishedAdvertisement, 'ip_address' | 'country' | 'resources'>;

/** A machine's address, country and resources, e.g. `192.0.2.7 in SE: 4 cores, 8 GB of memory, 40 GB of disk, gpu 2`. */
export function describeOffer({ ip_address, country, resources }: Offer): string {
  const { cpu, memory, storage, ...further } = resources;
  const parts = [
    cpu === 1 ? '1 core' : `${String(cpu)} cores`,
    `${String(memory)} GB of memory`,
    `${String(storage)} GB of disk`,
    ...Object.entries(further).map(([name, amount]) => `${name} ${String(amount)}`),
  ];
  return `${ip_address} in ${country}: ${parts.join(', ')}`;
}

/** All attributes, e.g. `gpu_model RTX 4090, tee true`; null if there are none. */
export function describeAttributes({ attributes }: Pick<Advertisement, 'attributes'>): string | null {
  const facts = Object.entries(attributes ?? {}).map(([name, value]) => `${name} ${String(value)}`);
  return facts.length === 0 ? null : facts.join(', ');
}

/** Who sees a provider, e.g. `3 streams of 2 subscribers; more would see it: 2 but for --max-usd`. */
export function describeSight({ streams, subscribers, missed }: Visibility): string {
  const counted = (count: number, what: string): string =>
    `${String(count)} ${what}${count === 1 ? '' : 's'}`;
  const sight =
    streams === 0 ? 'no stream' : `${counted(streams, 'stream')} of ${counted(subscribers, 'subscriber')}`;
  if (missed.length === 0) return sight;
  const others = missed.map(({ member, streams: more }) =>
    // Streams that show only the cheapest.
    member === 'limit' ? `${String(more)} at a lower price` : `${String(more)} but for ${flagNameOf(member)}`,
  );
  return `${sight}; more would see it: ${others.join(', ')}`;
}

/** The monthly price of one unit of each resource. */
export function describePrice({ pricing }: Pick<PublishedAdvertisement, 'pricing'>): string {
  const amounts = 'a month for 1 core, 1 GB of memory and 1 GB of disk';
  const usd = monthlyEstimate(pricing, ONE_OF_EACH);
  const glm = monthlyEstimate(pricing, ONE_OF_EACH, 'glm');
  if (usd !== null) return `${usd.toFixed(2)} US dollars ${amounts}`;
  return glm === null ? 'no price' : `${glm.toFixed(2)} GLM ${amounts}`;
}

const SPECIAL_RANGES: Readonly<Record<string, string>> = {
  private: 'a private address',
  uniqueLocal: 'a private address',
  carrierGradeNat: 'an address behind the NAT of a network operator',
  loopback: 'a loopback address',
  linkLocal: 'a link-local address',
};

/**
 * Warnings, one sentence each, about what a hub accepts but the provider most likely does not intend.
 * @param said The advertisement as given, including members that hubs do not know.
 * @param content The same as a hub parses it.
 */
export function warningsAbout(said: AdvertisementInput, content: Advertisement): string[] {
  const warnings: string[] = [];
  const pricing = content.pricing ?? null;
  if (
    monthlyEstimate(pricing, ONE_OF_EACH) === null &&
    monthlyEstimate(pricing, ONE_OF_EACH, 'glm') === null
  ) {
    warnings.push(
      'Without all three prices, nobody who filters by price finds this machine: give --usd-per-core, --usd-per-gb-ram and --usd-per-gb-storage.',
    );
  }
  const special = SPECIAL_RANGES[ipaddr.process(content.ip_address).range()];
  if (special !== undefined) {
    warnings.push(
      `${content.ip_address} is ${special}, which requestors elsewhere cannot reach: give the public one with --ip.`,
    );
  }
  const known = Object.keys(advertisementSchema.shape);
  const unknown = Object.keys(said).filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    warnings.push(
      `Hubs ignore ${unknown.join(', ')} in the advertisement; the members that they know are ${known.join(', ')}.`,
    );
  }
  return warnings;
}
