import { WEBSOCKET_PATH } from '../protocol/limits.js';
import { DiscoveryError } from './errors.js';

/** Where a hub is reached. */
export interface HubUrl {
  /** `http(s)://host[:port][/prefix]`, without a slash at the end. */
  readonly http: string;
  /** The whole address of its WebSocket. */
  readonly webSocket: string;
  /** What is dialled, as in an HTTP `Host` header: the one host that a session is signed for. */
  readonly host: string;
}

/**
 * Where to find a hub: its URL; or those of several that are one, comma-separated or in a list. They are tried in a random
 * order, so that clients spread over them.
 */
export type HubAddress = string | URL | readonly (string | URL)[];

/** More than anybody runs as one. */
const MAX_HUBS = 32;

/**
 * Reads where hubs are.
 * @param random From 0 up to, not including, 1.
 * @returns Each hub once, in a random order.
 * @throws DiscoveryError `USAGE` when one is no such address, or there is none, or too many.
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
 * Reads the address of a hub: `http`, `https`, `ws` or `wss`, perhaps with a path that a proxy keeps it under.
 * @throws DiscoveryError `USAGE` when it is no such address.
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
