import { WEBSOCKET_PATH } from '../protocol/limits.js';
import { DiscoveryError } from './errors.js';

/** The location of a hub. */
export interface HubUrl {
  /** `http(s)://host[:port][/prefix]`, without a slash at the end. */
  readonly http: string;
  /** The full URL of its WebSocket. */
  readonly webSocket: string;
  /** The dialled host, as in an HTTP `Host` header: the one that a session is signed for. */
  readonly host: string;
}

/**
 * The URL of a hub, or of several that act as one, comma-separated or in a list. They are tried in random order, so that clients spread over
 * them.
 */
export type HubAddress = string | URL | readonly (string | URL)[];

/** More hubs than anybody runs as one. */
const MAX_HUBS = 32;

/**
 * Parses the URLs of hubs.
 * @param random From 0 up to, not including, 1.
 * @returns Each hub once, in a random order.
 * @throws DiscoveryError `USAGE` if one is invalid, or there are none or too many.
 */
export function parseHubUrls(address: HubAddress, random: () => number): readonly HubUrl[] {
  const given = typeof address === 'string' || address instanceof URL ? [address] : address;
  const texts = given.flatMap((one) => (typeof one === 'string' ? one.split(',') : one.href));
  const hubs = new Map(texts.map((text) => parseHubUrl(text.trim())).map((hub) => [hub.http, hub]));
  if (hubs.size === 0 || hubs.size > MAX_HUBS) {
    const count = `${String(hubs.size)} addresses of hubs`;
    throw new DiscoveryError('USAGE', `${count} were given: give 1 to ${String(MAX_HUBS)}`);
  }
  return shuffled([...hubs.values()], random);
}

function shuffled<Item>(items: Item[], random: () => number): Item[] {
  for (let left = items.length; left > 1; left -= 1) {
    const chosen = Math.floor(random() * left);
    [items[left - 1], items[chosen]] = [items[chosen]!, items[left - 1]!];
  }
  return items;
}

/**
 * Parses the URL of a hub: `http`, `https`, `ws` or `wss`, optionally with a path below which a proxy serves it.
 * @throws DiscoveryError `USAGE` if it is no such URL.
 */
export function parseHubUrl(url: string | URL): HubUrl {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch (cause) {
    throw new DiscoveryError('USAGE', `${JSON.stringify(String(url))} is not a URL`, { cause });
  }
  const scheme = /^(?:http|ws)(s?):$/.exec(parsed.protocol);
  if (scheme === null || parsed.search !== '' || parsed.hash !== '' || parsed.username !== '') {
    throw new DiscoveryError(
      'USAGE',
      `${JSON.stringify(parsed.href)} is not the address of a hub: give http(s)://host[:port], without user, query and fragment`,
    );
  }
  const { host } = parsed;
  const place = `${scheme[1] ?? ''}://${host}${parsed.pathname.replace(/\/+$/, '')}`;
  return { http: `http${place}`, webSocket: `ws${place}${WEBSOCKET_PATH}`, host };
}
