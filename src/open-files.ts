import { readdirSync, readFileSync } from 'node:fs';

/** How many connections the operating system allows this process. */
export interface Capacity {
  /** Connections in all: sockets of sessions and streams, and plain requests. */
  connections: number;
  /** How many of them may be WebSockets; the rest is reserved for requests, including `/health` and `/metrics`. */
  webSockets: number;
}

const UNKNOWN: Capacity = { connections: Number.POSITIVE_INFINITY, webSockets: Number.POSITIVE_INFINITY };

/** Files reserved for anything but connections: reopening the database, threads, metrics. */
const MAX_RESERVE = 64;
/** Connections reserved for plain requests. */
const MAX_FOR_REQUESTS = 256;

/**
 * Computes the capacity. Call it once everything else that the process keeps open is open. A process at its limit cannot even
 * refuse a connection, and wakes up for it over and over; so the hub stays below.
 * @returns Infinities if the system does not reveal its limit.
 */
export function measureCapacity(): Capacity {
  let limits: string;
  let open: number;
  try {
    limits = readFileSync('/proc/self/limits', 'utf8');
    open = readdirSync('/proc/self/fd').length;
  } catch {
    return UNKNOWN;
  }
  const limit = /^Max open files +(\d+)/m.exec(limits)?.[1];
  return limit === undefined ? UNKNOWN : capacityOf(Number(limit), open);
}

/**
 * How many connections one client address may have. It always leaves some for others, whatever the operator allows.
 * @param allowed WebSockets and silent connections per address; 0 for no limit.
 */
export function shareOf(
  capacity: Capacity,
  allowed: { webSockets: number; silent: number },
): { webSockets: number; silent: number } {
  const half = (places: number): number => Math.max(1, Math.floor(places / 2));
  const { connections, webSockets } = capacity;
  const forRequests = webSockets === Number.POSITIVE_INFINITY ? webSockets : connections - webSockets;
  return {
    webSockets: allowed.webSockets === 0 ? 0 : Math.min(allowed.webSockets, half(webSockets)),
    silent: allowed.silent === 0 ? 0 : Math.min(allowed.silent, half(forRequests)),
  };
}

/**
 * @param limit How many files the process may have open.
 * @param open How many it has open.
 */
export function capacityOf(limit: number, open: number): Capacity {
  const reserve = Math.min(MAX_RESERVE, Math.floor(limit / 8));
  const connections = Math.max(2, limit - open - reserve);
  const forRequests = Math.min(MAX_FOR_REQUESTS, Math.ceil(connections / 8));
  return { connections, webSockets: connections - forRequests };
}
