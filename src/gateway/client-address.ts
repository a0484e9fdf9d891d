import ipaddr from 'ipaddr.js';
import { readAddress } from '../lib/limits/ip-address.js';
import type { HttpRequest } from '../protocol/http-message.js';

/** How many peers are cached. */
const MAX_REMEMBERED = 4096;

/** How a peer counts that forwards for nobody. */
interface KnownPeer {
  address: string;
  isProxy: boolean;
}

type Network = [ipaddr.IPv4 | ipaddr.IPv6, number];

/**
 * Determines the client address of a request: the socket's peer, or, if that is a trusted proxy, the last address in `X-Forwarded-For` that
 * is not itself a trusted proxy. An IPv6 address counts as its /64, which is what one customer gets.
 */
export class ClientAddress {
  readonly #trusted: readonly Network[];
  /** Caches how peers count: parsing an IPv6 address takes 17 µs, most of the time of a short request. */
  readonly #remembered = new Map<string, KnownPeer>();

  /** @param trusted Addresses and CIDRs of proxies. @throws Error naming the first that is neither. */
  constructor(trusted: readonly string[]) {
    this.#trusted = trusted.map(parseNetwork);
  }

  /** The client address of a request, as limits count it. */
  ofRequest(request: HttpRequest): string {
    const { peerAddress } = request;
    const forwardedFor = this.#trusted.length === 0 ? undefined : request.headers.get('x-forwarded-for');
    if (forwardedFor !== undefined) return this.of(peerAddress, forwardedFor);
    return this.#remember(peerAddress).address;
  }

  /** The same, given its parts. */
  of(peerAddress: string, forwardedFor: string | undefined): string {
    const address = this.#client(peerAddress, forwardedFor);
    return address === null ? peerAddress : limitKey(address);
  }

  /** The exact address a request comes from. */
  exactly({ peerAddress, headers }: HttpRequest): string {
    if (this.#trusted.length === 0) return peerAddress;
    return this.#client(peerAddress, headers.get('x-forwarded-for'))?.toString() ?? peerAddress;
  }

  /** Null if the peer has no address. */
  #client(peerAddress: string, forwardedFor: string | undefined): ipaddr.IPv4 | ipaddr.IPv6 | null {
    let address = readAddress(peerAddress);
    if (address === null) return null;
    const hops = forwardedFor === undefined ? [] : forwardedFor.split(',').slice(-16);
    while (hops.length > 0 && this.#isTrusted(address)) {
      const hop = readAddress(withoutPort(hops.pop()!.trim()));
      // What a proxy wrote and nobody can read counts as the proxy's own request.
      if (hop === null) break;
      address = hop;
    }
    return address;
  }

  /** The client address of a connection that has not sent anything; null for a trusted proxy. */
  ofPeer(peerAddress: string): string | null {
    const { address, isProxy } = this.#remember(peerAddress);
    return isProxy ? null : address;
  }

  #remember(peerAddress: string): KnownPeer {
    let known = this.#remembered.get(peerAddress);
    if (known === undefined) {
      if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
      const parsed = readAddress(peerAddress);
      const isProxy = parsed !== null && this.#isTrusted(parsed);
      known = { address: this.of(peerAddress, undefined), isProxy };
      this.#remembered.set(peerAddress, known);
    }
    return known;
  }

  #isTrusted(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
    return this.#trusted.some((network) => network[0].kind() === address.kind() && address.match(network));
  }
}

/** Some proxies write `address:port`, and IPv6 addresses in brackets. */
function withoutPort(hop: string): string {
  const match = /^(?:([\d.]+):\d{1,5}|\[([^\]]+)\](?::\d{1,5})?)$/.exec(hop);
  return match?.[1] ?? match?.[2] ?? hop;
}

function parseNetwork(text: string): Network {
  if (ipaddr.IPv4.isValidCIDRFourPartDecimal(text)) return ipaddr.IPv4.parseCIDR(text);
  if (ipaddr.IPv6.isValidCIDR(text)) return ipaddr.IPv6.parseCIDR(text);
  const address = readAddress(text);
  if (address === null)
    throw new Error(`${JSON.stringify(text)} is neither an address nor a CIDR such as 10.0.0.0/8`);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

function limitKey(address: ipaddr.IPv4 | ipaddr.IPv6): string {
  if (address instanceof ipaddr.IPv4) return address.toString();
  return `${address.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`;
}
