import type { DiscoveryError } from '../errors.js';
import type { HubUrl } from '../hub-url.js';

/** The ways to a hub: a WebSocket, or server-sent events read with `fetch`. */
export type Transport = 'websocket' | 'events';

/** What can be told about the way to take, by those who only listen. All of it is optional. */
export interface TransportOptions {
  /**
   * The one way to take. Unless given it is a WebSocket, and server-sent events where WebSockets do not get through. Whoever
   * brings WebSockets of their own takes them alone, unless they bring `fetch` too: the platform's may go elsewhere.
   */
  transport?: Transport | undefined;
  /** What reads events, if not the platform's `fetch`. */
  fetch?: typeof globalThis.fetch | undefined;
}

/** How the same that is asked for over a WebSocket is read as server-sent events. */
export interface Reading {
  /** The whole address to read now at a hub. */
  address(hub: HubUrl): string;
  /**
   * The stream has begun; its frames follow.
   * @param date When, by the hub's clock, as an HTTP date; null where that cannot be seen.
   */
  opened(date: string | null): void;
}

/** The codes with which a hub refuses a subscription itself, whichever way it is asked: no other way would change that. */
const REFUSALS: readonly string[] = ['ADV_002', 'RATE_006', 'WS_004', 'WS_005'];

/** Whether it is what was asked for that a hub refused. */
export function isRefusal({ code }: DiscoveryError): boolean {
  return REFUSALS.includes(code);
}

/**
 * Whether a try that never got as far as a greeting may have failed because of its way: nothing came from a hub, or one
 * that does not know this way.
 */
export function neverArrived({ code, status }: DiscoveryError, closeCode: number | null): boolean {
  if (closeCode !== null && closeCode !== 1006) return false;
  if (code === 'UNEXPECTED') return status !== null;
  return code === 'NETWORK' || code === 'TIMEOUT' || code === 'HTTP_404' || code === 'HTTP_405';
}
