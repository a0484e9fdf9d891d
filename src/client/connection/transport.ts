import type { DiscoveryError } from '../errors.js';
import type { HubUrl } from '../hub-url.js';

/** The transports to a hub: a WebSocket, or server-sent events read with `fetch`. */
export type Transport = 'websocket' | 'events';

/** Options for the transport of watches, all optional. */
export interface TransportOptions {
  /**
   * Forces one transport. By default a WebSocket, or server-sent events where WebSockets do not get through. If you pass your own `webSocket`,
   * only that is used unless you also pass `fetch`, because the platform's may go elsewhere.
   */
  transport?: Transport | undefined;
  /** Reads events; by default the platform's `fetch`. */
  fetch?: typeof globalThis.fetch | undefined;
}

/** How to read the same as server-sent events. */
export interface Reading {
  /** The full URL to read now at a hub. */
  address(hub: HubUrl): string;
  /**
   * The stream has started; its frames follow.
   * @param date When, by the hub's clock, as an HTTP date; null if not visible.
   */
  opened(date: string | null): void;
}

/** The codes with which a hub refuses a subscription itself; another transport would not change that. */
const REFUSALS: readonly string[] = ['ADV_002', 'RATE_006', 'WS_004', 'WS_005'];

/** Whether the hub refused the subscription itself. */
export function isRefusal({ code }: DiscoveryError): boolean {
  return REFUSALS.includes(code);
}

/**
 * Whether an attempt that never received a welcome may have failed because of its transport: nothing came from a hub, or only from one that
 * does not support this transport.
 */
export function neverArrived({ code, status }: DiscoveryError, closeCode: number | null): boolean {
  if (closeCode !== null && closeCode !== 1006) return false;
  if (code === 'UNEXPECTED') return status !== null;
  return code === 'NETWORK' || code === 'TIMEOUT' || code === 'HTTP_404' || code === 'HTTP_405';
}
