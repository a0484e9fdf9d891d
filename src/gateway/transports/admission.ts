/**
 * Milliseconds after which a connection cannot be silent any more: the libraries cut one that has not sent a whole request in
 * 10 s, with up to 4 s to spare.
 */
const SILENT_MS = 15_000;

/** What admission goes by. */
export interface AdmissionLimits {
  /** Connections in all, WebSockets and others. */
  maxConnections: number;
  /** Connections of one client address that have not sent a whole request yet; infinity for no limit. */
  maxSilentPerAddress: number;
}

/** A connection that has not sent a whole request yet, as far as is known. */
interface Newcomer {
  readonly address: string;
  /** Milliseconds that never run backwards. */
  readonly since: number;
}

/**
 * Which connections are taken the moment they come. Of one address only so many may be silent, so that nobody can take
 * every place without ever asking for anything.
 *
 * A request cannot always be told whose connection it came over, so it speaks for the oldest silent one of its
 * address. For whoever keeps asking, more may be silent than the limit, by as many as it sends requests meanwhile,
 * which are limited too.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #now: () => number;
  /** In the order in which they came, as in the line of each address. */
  readonly #silent = new Set<Newcomer>();
  readonly #byAddress = new Map<string, Set<Newcomer>>();
  #open = 0;
  #refused = 0;

  constructor(limits: AdmissionLimits, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Connections that were closed the moment they came. */
  get refused(): number {
    return this.#refused;
  }

  /** Connections that are silent. */
  get silent(): number {
    return this.#silent.size;
  }

  /** Whether it matters which address is silent. */
  get asksForAddresses(): boolean {
    return this.#limits.maxSilentPerAddress < Number.POSITIVE_INFINITY;
  }

  /** Counts a connection that came. @returns Whether there is room for it; it is to be closed where there is none. */
  enter(): boolean {
    this.#open += 1;
    if (this.#open <= this.#limits.maxConnections) return true;
    this.#refused += 1;
    return false;
  }

  /** Counts a connection that is gone, taken or not. */
  leave(): void {
    this.#open -= 1;
  }

  /**
   * Counts a connection that came as silent.
   * @returns To be called once it is gone; null when its address has too many, and it is to be closed.
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

  /** A request came from an address, whole or cut off. */
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
