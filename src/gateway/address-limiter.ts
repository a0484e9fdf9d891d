import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

/** Addresses that are counted one by one; beyond them whole groups share a count, so that memory stays bounded. */
const MAX_ADDRESSES = 100_000;
const GROUPS = 4096;

/** Counts requests a minute for each client address. */
export class AddressLimiter {
  readonly #limiter: RateLimiterMemory | null;
  #addresses = 0;
  #countedSince = 0;

  /** @param perMinute 0 turns it off. */
  constructor(perMinute: number) {
    this.#limiter = perMinute === 0 ? null : new RateLimiterMemory({ points: perMinute, duration: 60 });
  }

  /** Whether nothing is limited. */
  get off(): boolean {
    return this.#limiter === null;
  }

  /**
   * Counts one request.
   * @param now Milliseconds that never run backwards.
   * @returns 0 when it may go on, else the seconds to wait.
   */
  async spend(address: string, now: number): Promise<number> {
    if (this.#limiter === null) return 0;
    try {
      const { isFirstInDuration } = await this.#limiter.consume(this.#keyFor(address, now));
      if (isFirstInDuration) this.#addresses += 1;
      return 0;
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      return Math.max(1, Math.ceil(refusal.msBeforeNext / 1000));
    }
  }

  #keyFor(address: string, now: number): string {
    if (now - this.#countedSince > 60_000) {
      this.#countedSince = now;
      this.#addresses = 0;
    }
    return this.#addresses < MAX_ADDRESSES ? address : `group ${String(hash(address) % GROUPS)}`;
  }
}

function hash(text: string): number {
  let value = 0;
  for (let i = 0; i < text.length; i += 1) value = (Math.imul(value, 31) + text.charCodeAt(i)) >>> 0;
  return value;
}
