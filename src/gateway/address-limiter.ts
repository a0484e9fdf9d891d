const WINDOW_MS = 60_000;
/** Addresses that are counted one by one; beyond them whole groups share a count, so that memory stays bounded. */
const MAX_ADDRESSES = 100_000;
const GROUPS = 4096;

interface Window {
  count: number;
  /** Monotonic milliseconds. */
  endsAt: number;
}

/** Counts requests of each client address, in windows of a minute that begin with an address's first request. */
export class AddressLimiter {
  readonly #perMinute: number;
  /** In the order in which the windows end, because all are equally long and each is put in as it begins. */
  readonly #windows = new Map<string, Window>();

  /** @param perMinute 0 turns it off. */
  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /** Whether nothing is limited. */
  get off(): boolean {
    return this.#perMinute === 0;
  }

  /** Windows that are kept, of addresses and groups. */
  get size(): number {
    return this.#windows.size;
  }

  /**
   * Counts one request.
   * @param now Milliseconds that never run backwards.
   * @returns 0 when it may go on, else the seconds to wait.
   */
  spend(address: string, now: number): number {
    if (this.off) return 0;
    this.#forgetEnded(now);
    const key =
      this.#windows.size < MAX_ADDRESSES || this.#windows.has(address)
        ? address
        : `group ${hash(address) % GROUPS}`;
    const window = this.#windows.get(key);
    if (window === undefined) {
      this.#windows.set(key, { count: 1, endsAt: now + WINDOW_MS });
      return 0;
    }
    window.count += 1;
    return window.count <= this.#perMinute ? 0 : Math.max(1, Math.ceil((window.endsAt - now) / 1000));
  }

  #forgetEnded(now: number): void {
    for (const [key, { endsAt }] of this.#windows) {
      if (endsAt > now) return;
      this.#windows.delete(key);
    }
  }
}

function hash(text: string): number {
  let value = 0;
  for (let i = 0; i < text.length; i += 1) value = (Math.imul(value, 31) + text.charCodeAt(i)) >>> 0;
  return value;
}
