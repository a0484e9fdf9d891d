import type * as z from 'zod';
import {
  type Advertisement,
  type advertisementSchema,
  parseAdvertisement,
  type PublishedAdvertisement,
} from '../protocol/advertisement.js';
import { parseJson } from '../protocol/json.js';
import { LIMITS } from '../protocol/limits.js';
import { isWellFormed, utf8 } from '../protocol/text.js';
import { DiscoveryError } from './errors.js';

/** What a provider may advertise; members unknown to the protocol are sent too. */
export type AdvertisementInput = z.input<typeof advertisementSchema>;

/** A validated advertisement, ready to be signed. */
export interface PreparedAdvertisement {
  /** The JSON text whose bytes are signed. */
  readonly text: string;
  /** How a hub will read it. */
  readonly content: Advertisement;
}

/**
 * Validates an advertisement like a hub would, before anything is sent.
 * @throws DiscoveryError `ADV_002` for invalid resources, otherwise `ADV_001`; the message names the member.
 */
export function prepareAdvertisement(advertisement: AdvertisementInput): PreparedAdvertisement {
  try {
    // The text is what counts: for example, a price of NaN becomes null in JSON.
    const text = JSON.stringify(advertisement) as string | undefined;
    if (text === undefined || !isWellFormed(text)) {
      throw new DiscoveryError('ADV_001', 'the advertisement cannot be written as JSON');
    }
    return { text, content: readAdvertisement(text) };
  } catch (error) {
    throw DiscoveryError.from(error, 'ADV_001');
  }
}

/**
 * Parses the JSON text of an advertisement like a hub does.
 * @throws DiscoveryError or ProtocolError `ADV_001` or `ADV_002`
 */
export function readAdvertisement(text: string): Advertisement {
  if (utf8(text).length > LIMITS.maxBodyBytes) {
    throw new DiscoveryError(
      'ADV_001',
      `the advertisement is over ${String(LIMITS.maxBodyBytes)} bytes as JSON`,
    );
  }
  const decoded = parseJson(text);
  if (!decoded.ok)
    throw new DiscoveryError('ADV_001', `the advertisement cannot be read: ${decoded.problem}`);
  return parseAdvertisement(decoded.value);
}

/** The members that a provider chooses, null if absent. */
function contentOf(advertisement: Advertisement | PublishedAdvertisement): object {
  const { ip_address, country, resources, platform, pricing, name, payments_network } = advertisement;
  const { attributes, endpoint } = advertisement;
  return {
    ip_address,
    country,
    resources,
    platform: platform ?? null,
    pricing: pricing ?? null,
    name: name ?? null,
    payments_network: payments_network ?? null,
    attributes: attributes ?? null,
    endpoint: endpoint ?? null,
  };
}

/** Whether a published advertisement has the content that its provider wants. */
export function saysTheSame(content: Advertisement, published: PublishedAdvertisement): boolean {
  return equalJson(contentOf(content), contentOf(published));
}

/** Whether two states of an advertisement differ only by heartbeats. */
export function differByHeartbeatOnly(a: PublishedAdvertisement, b: PublishedAdvertisement): boolean {
  const { updated_at: _aUpdated, expires_at: _aExpires, ...restOfA } = a;
  const { updated_at: _bUpdated, expires_at: _bExpires, ...restOfB } = b;
  return equalJson(restOfA, restOfB);
}

/** Equality of JSON values; the order of members does not matter. */
function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const entries = Object.entries(a).filter(([, value]) => value !== undefined);
  const others = b as Record<string, unknown>;
  return (
    entries.length === Object.values(b).filter((value) => value !== undefined).length &&
    entries.every(([name, value]) => Object.hasOwn(others, name) && equalJson(value, others[name]))
  );
}
