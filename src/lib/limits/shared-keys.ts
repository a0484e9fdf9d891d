/** How many counts of each kind there may be at a time. */
export interface CountBounds {
  /** Keys that are counted individually. */
  readonly keys: number;
  /** Networks that have a count each, once there are too many keys. */
  readonly networks: number;
  /** Groups, once there are too many networks too. */
  readonly groups: number;
}

export const COUNT_BOUNDS: CountBounds = { keys: 100_000, networks: 65_536, groups: 4096 };

/** The keys that have a count. A Map will do. */
export interface CountedKeys {
  readonly size: number;
  has(key: string): boolean;
}

/**
 * The key that a key is counted under: itself while there is room, then its network (a /24, or a /48 for IPv6), then one of a few
 * groups. So no number of addresses can make the counts grow without bound.
 */
export function sharedKey(key: string, counted: CountedKeys, bounds: CountBounds): string {
  if (counted.size < bounds.keys || counted.has(key)) return key;
  const network = networkOf(key);
  if (network !== null && (counted.size < bounds.keys + bounds.networks || counted.has(network)))
    return network;
  return `group ${String(hash(network ?? key) % bounds.groups)}`;
}

const IPV4 = /^(\d+\.\d+\.\d+)\.\d+$/;
const IPV6_64 = /^([\da-f]+:[\da-f]+:[\da-f]+):[\da-f]+::\/64$/;

/** Null if the key is neither an IPv4 address nor an IPv6 /64. */
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
