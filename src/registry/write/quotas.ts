import { ProtocolError } from '../../protocol/errors.js';
import type { Origins } from '../store/origins.js';
import { WindowLimiter } from '../../lib/window-limiter.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** What one client address may do to the registry. 0 stands for no limit. */
export interface QuotaSettings {
  /** Advertisements at a time. */
  advertisements: number;
  /** Names that it binds to keys in a day. */
  namesPerDay: number;
  /** Signatures in a minute that turn out not to be valid. */
  invalidSignaturesPerMinute: number;
}

export const NO_QUOTAS: QuotaSettings = { advertisements: 0, namesPerDay: 0, invalidSignaturesPerMinute: 0 };

/**
 * Keeps any one client address from taking more than its share. `null` in the place of an address is never limited.
 * The checks throw ProtocolErrors, `RATE_003` to `RATE_005`.
 */
export class Quotas {
  readonly #settings: QuotaSettings;
  readonly #origins: Origins;
  readonly #names: WindowLimiter;
  readonly #invalid: WindowLimiter;
  /** New advertisements under way, by address. */
  readonly #underWay = new Map<string, number>();

  constructor(settings: QuotaSettings, origins: Origins) {
    this.#settings = settings;
    this.#origins = origins;
    this.#names = new WindowLimiter(settings.namesPerDay, DAY_MS);
    this.#invalid = new WindowLimiter(settings.invalidSignaturesPerMinute, MINUTE_MS);
  }

  /**
   * Makes sure that there is room for one more advertisement from an address.
   * @param slot Where the provider's present advertisement is.
   * @returns To be called once it is there, or has failed.
   */
  admitAdvertisement(origin: string | null, slot: number | undefined): () => void {
    const { advertisements: limit } = this.#settings;
    if (origin === null || limit === 0) return () => undefined;
    if (slot !== undefined && this.#origins.isFrom(slot, origin)) return () => undefined;
    const underWay = this.#underWay.get(origin) ?? 0;
    if (this.#origins.count(origin) + underWay >= limit) {
      throw new ProtocolError(
        'RATE_003',
        `${origin} has ${String(limit)} advertisements already, as many as one address may have; withdraw one, or ask the hub's operator to allow more`,
        { retryAfterSeconds: 60 },
      );
    }
    this.#underWay.set(origin, underWay + 1);
    return () => {
      const left = this.#underWay.get(origin)! - 1;
      if (left > 0) this.#underWay.set(origin, left);
      else this.#underWay.delete(origin);
    };
  }

  /** Counts a name that is about to be bound. @param now Service milliseconds. */
  spendName(origin: string | null, now: number): void {
    const wait = origin === null ? 0 : this.#names.spend(origin, now);
    if (wait === 0) return;
    const limit = String(this.#settings.namesPerDay);
    throw new ProtocolError(
      'RATE_004',
      `${String(origin)} has bound ${limit} new names today, as many as one address may in a day; use your public key as provider id, or try again in ${String(wait)} s`,
      { retryAfterSeconds: wait },
    );
  }

  /** Refuses to verify for an address that was wrong too often. @param now Service milliseconds. */
  checkSignatures(origin: string | null, now: number): void {
    const wait = origin === null ? 0 : this.#invalid.wait(origin, now);
    if (wait === 0) return;
    const limit = String(this.#settings.invalidSignaturesPerMinute);
    throw new ProtocolError(
      'RATE_005',
      `${limit} signatures from ${String(origin)} were not valid within a minute; check what you sign, and try again in ${String(wait)} s`,
      { retryAfterSeconds: wait },
    );
  }

  /** Notes a signature that was not valid. @param now Service milliseconds. */
  noteInvalidSignature(origin: string | null, now: number): void {
    if (origin !== null) this.#invalid.spend(origin, now);
  }
}
