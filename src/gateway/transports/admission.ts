/**
 * How long a connection can be silent, in milliseconds: the libraries cut one that has not sent a complete request within 10 s, up to 4 s
 * late.
 */
const SILENT_MS = 15_000;

/** The limits of admission. */
export interface AdmissionLimits {
  /** Connections in total, WebSockets included. */
  maxConnections: number;
  /** Connections per client address that have not sent a complete request yet; infinity for no limit. */
  maxSilentPerAddress: number;
}

/** A connection that, as far as is known, has not sent a complete request yet. */
interface Newcomer {
  readonly address: string;
  /** Milliseconds that never run backwards. */
  readonly since: number;
}

/**
 * Decides which connections to accept. Only so many connections of one address may be silent, so that nobody can take every place
 * without ever sending a request.
 *
 * It is not always known over which connection a request came, so each request counts for the oldest silent connection of its address.
 * An address that keeps sending requests can therefore exceed the limit, by at most the number of its requests, which are limited
 * too.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #now: () => number;
  /** In order of arrival, as is the queue of each address. */
  readonly #silent = new Set<Newcomer>();
  readonly #byAddress = new Map<string, Set<Newcomer>>();
  #open = 0;
  #refused = 0;

  constructor(limits: AdmissionLimits, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Connections that were closed on arrival. */
  get refused(): number {
    return this.#refused;
  }

  /** Connections that are silent now. */
  get silent(): number {
    return this.#silent.size;
  }

  /** Whether there is a limit per address. */
  get asksForAddresses(): boolean {
    return this.#limits.maxSilentPerAddress < Number.POSITIVE_INFINITY;
  }

  /** Counts a new connection. @returns Whether there is room for it; if not, the caller closes it. */
  enter(): boolean {
    this.#open += 1;
    if (this.#open <= this.#limits.maxConnections) return true;
    this.#refused += 1;
    return false;
  }

  /** Counts a closed connection, accepted or not. */
  leave(): void {
    this.#open -= 1;
  }

  /**
   * Counts a new connection as silent.
   * @returns A function to call once it is closed; null if its address has too many and the caller has to close it.
   */
  listenTo(address: string): (() => void) | null {
    const since = this.#now();
    for (const newcomer of this.#silent) {
      if (newcomer.since > since - SILENT_MS) break;
      this.#forget(newcomer);
    }
    const line = this.#byAddress.get(address) ?? new Set();
    if (line.size >= this.#limits.maxSilentPerAddress) {
      this.#refused += 1;
      return null;
    }
    const newcomer: Newcomer = { address, since };
    this.#silent.add(newcomer);
    this.#byAddress.set(address, line.add(newcomer));
    return () => {
      this.#forget(newcomer);
    };
  }

  /** Notes a request from an address, complete or cut off. */
  heard(address: string): void {
    const [oldest] = this.#byAddress.get(address) ?? [];
    if (oldest !== undefined) this.#forget(oldest);
  }

  #forget(newcomer: Newcomer): void {
    if (!this.#silent.delete(newcomer)) return;
    const line = this.#byAddress.get(newcomer.address);
    line?.delete(newcomer);
    if (line?.size === 0) this.#byAddress.delete(newcomer.address);
  }
}
