/** Keys that are counted one by one. */
const MAX_KEYS = 100_000;
/** Networks that share a count once there are so many keys. */
const MAX_NETWORKS = 65_536;
/** Groups that share a count once there are so many networks too. */
const GROUPS = 4096;

/** What `sharedKey` may answer at a time at most: limits keep no more counts than these. */
export const MAX_SHARED_KEYS = MAX_KEYS + MAX_NETWORKS + GROUPS;

/** The keys that have a count. A Map fits. */
export interface CountedKeys {
  readonly size: number;
  has(key: string): boolean;
}

/**
 * The key that a key is counted under: its own while there is room, then that of its network (a /24, or a /48 of IPv6), then
 * that of one of a few groups, so that no number of addresses makes the counts grow without bound.
 */
export function sharedKey(key: string, counted: CountedKeys): string {
  if (counted.size < MAX_KEYS || counted.has(key)) return key;
  const network = networkOf(key);
  if (network !== null && (counted.size < MAX_KEYS + MAX_NETWORKS || counted.has(network))) return network;
  return `group ${String(hash(network ?? key) % GROUPS)}`;
}

const IPV4 = /^(\d+\.\d+\.\d+)\.\d+$/;
const IPV6_64 = /^([\da-f]+:[\da-f]+:[\da-f]+):[\da-f]+::\/64$/;

/** Null for what is neither an IPv4 address nor a /64 of IPv6. */
function networkOf(key: string): string | null {
  const v4 = IPV4.exec(key);
  if (v4 !== null) return `${v4[1]!}.0/24`;
  const v6 = IPV6_64.exec(key);
  return v6 === null ? null : `${v6[1]!}::/48`;
}

function hash(text: string): number {
  let value = 0;
  for (let i = 0; i < text.length; i += 1) value = (Math.imul(value, 31) + text.charCodeAt(i)) >>> 0;
  return value;
}
