import { readdirSync, readFileSync } from 'node:fs';

/** How many connections the system lets this process have. */
export interface Capacity {
  /** Connections in all: sockets of sessions and streams, and plain requests. */
  connections: number;
  /** Of them, how many may be WebSockets: the others are left to requests, `/health` and `/metrics` among them. */
  webSockets: number;
}

const UNKNOWN: Capacity = { connections: Number.POSITIVE_INFINITY, webSockets: Number.POSITIVE_INFINITY };

/** Files kept free for what is not a connection: the database when it is opened anew, threads, metrics. */
const MAX_RESERVE = 64;
/** Connections kept free for plain requests. */
const MAX_FOR_REQUESTS = 256;

/**
 * Works the capacity out, with everything open that this process keeps open beside connections. A process that may
 * open no more files cannot even refuse a connection, and wakes up for it over and over; so the hub stays below.
 * @returns Infinities where the system does not tell its limit.
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
 * What one client address may have: never so much that nothing is left for others, whatever an operator allows.
 * @param allowed WebSockets and silent connections of an address; 0 for no limit.
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
 * @param limit Files that a process may have open.
 * @param open Files that it has open.
 */
export function capacityOf(limit: number, open: number): Capacity {
  const reserve = Math.min(MAX_RESERVE, Math.floor(limit / 8));
  const connections = Math.max(2, limit - open - reserve);
  const forRequests = Math.min(MAX_FOR_REQUESTS, Math.ceil(connections / 8));
  return { connections, webSockets: connections - forRequests };
}
