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
