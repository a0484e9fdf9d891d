import { ProtocolError } from '../../protocol/errors.js';
import type { ServiceClock } from '../../lib/clock.js';
import { type Count, RateLimiter } from '../../lib/limits/rate-limiter.js';
import type { Origins } from '../store/origins.js';
import type { CountRecord } from '../store/records.js';

const MINUTE_MS = 60_000;

const DAY_MS = 24 * 60 * MINUTE_MS;

/** How long an address with too many invalid signatures is blocked: longer each time it happens again within a day. */
const FIRST_BLOCK_MS = MINUTE_MS;
const LONGEST_BLOCK_MS = 15 * MINUTE_MS;

/** Limits on what one client address may do to the registry; 0 for no limit. */
export interface QuotaSettings {
  /** Advertisements at a time. */
  advertisements: number;
  /** Names bound to keys per day. */
  namesPerDay: number;
  /** Invalid signatures per minute. */
  invalidSignaturesPerMinute: number;
}

export const NO_QUOTAS: QuotaSettings = { advertisements: 0, namesPerDay: 0, invalidSignaturesPerMinute: 0 };

/**
 * Keeps any one client address from taking more than its share. `null` instead of an address is never limited.
 * The checks throw ProtocolErrors, `RATE_003` to `RATE_005`.
 */
export class Quotas {
  readonly #settings: QuotaSettings;
  readonly #origins: Origins;
  readonly #clock: ServiceClock;
  /** Names bound today. */
  readonly #names: RateLimiter;
  /** Invalid signatures; stays at the limit for as long as a block lasts. */
  readonly #invalid: RateLimiter;
  /** Blocks in a day. */
  readonly #blocks: RateLimiter;
  /** New advertisements in progress, by address. */
  readonly #underWay = new Map<string, number>();

  constructor(settings: QuotaSettings, origins: Origins, clock: ServiceClock) {
    this.#settings = settings;
    this.#origins = origins;
    this.#clock = clock;
    const now = (): number => clock.now;
    this.#names = new RateLimiter(settings.namesPerDay, DAY_MS, now);
    this.#invalid = new RateLimiter(settings.invalidSignaturesPerMinute, MINUTE_MS, now);
    this.#blocks = new RateLimiter(0, DAY_MS, now);
  }

  /**
   * Makes sure that there is room for one more advertisement from an address.
   * @param slot The slot of the provider's present advertisement.
   * @returns Call it once the advertisement is stored, or has failed.
   */
  admitAdvertisement(origin: string | null, slot: number | undefined): () => void {
    const { advertisements: limit } = this.#settings;
    if (origin === null || limit === 0) return () => undefined;
    if (slot !== undefined && this.#origins.isFrom(slot, origin)) return () => undefined;
    const underWay = this.#underWay.get(origin) ?? 0;
    if (this.#origins.count(origin) + underWay >= limit) {
      throw new ProtocolError(
        'RATE_003',
        `${origin} has ${String(limit)} advertisements already, the most one address may have; withdraw one, or ask the hub's operator to allow more`,
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

  /** Counts a name that is about to be bound. */
  async spendName(origin: string | null): Promise<void> {
    const { namesPerDay: limit } = this.#settings;
    if (origin === null || limit === 0) return;
    const wait = await this.#names.spend(origin);
    if (wait === 0) return;
    throw new ProtocolError(
      'RATE_004',
      `${origin} has bound ${String(limit)} new names today, the most one address may in a day; use your public key as provider id, or try again in ${String(wait)} s`,
      { retryAfterSeconds: wait },
    );
  }

  /** Refuses to verify for a blocked address. */
  async checkSignatures(origin: string | null): Promise<void> {
    const { invalidSignaturesPerMinute: limit } = this.#settings;
    if (origin === null || limit === 0) return;
    const wait = await this.#invalid.wait(origin);
    if (wait === 0) return;
    throw new ProtocolError(
      'RATE_005',
      `${String(limit)} signatures from ${origin} were not valid within a minute; check what you sign, and try again in ${String(wait)} s`,
      { retryAfterSeconds: wait },
    );
  }

  /** Counts an invalid signature. */
  async noteInvalidSignature(origin: string | null): Promise<void> {
    const { invalidSignaturesPerMinute: limit } = this.#settings;
    if (origin === null || limit === 0) return;
    const { consumedPoints } = await this.#invalid.penalty(origin);
    // Later ones were in progress when the block began.
    if (consumedPoints !== limit) return;
    const { consumedPoints: blocks } = await this.#blocks.penalty(origin);
    const block = Math.min(FIRST_BLOCK_MS * 2 ** (blocks - 1), LONGEST_BLOCK_MS);
    await this.#invalid.block(origin, block / 1000);
  }

  /** The counts that changed since the last call and must survive a restart, up to a number of each kind. */
  takeChanges(limit: number): CountRecord[] {
    const now = this.#clock.steady();
    const recordOf =
      (kind: CountRecord['kind']) =>
      ({ key, count, msLeft }: Count): CountRecord => ({ kind, key, count, endsAt: now + msLeft });
    const isBlock = ({ count }: Count): boolean => count >= this.#settings.invalidSignaturesPerMinute;
    return [
      ...this.#names.takeChanges(limit).map(recordOf('names')),
      ...this.#invalid.takeChanges(limit).filter(isBlock).map(recordOf('invalid')),
      ...this.#blocks.takeChanges(limit).map(recordOf('blocks')),
    ];
  }

  /** Restores counts from `takeChanges`. However the wall clock has moved meanwhile, none outlasts its window. */
  restore({ kind, key, count, endsAt }: CountRecord): void {
    const [limiter, longest] = {
      names: [this.#names, DAY_MS] as const,
      invalid: [this.#invalid, LONGEST_BLOCK_MS] as const,
      blocks: [this.#blocks, DAY_MS] as const,
    }[kind];
    const msLeft = Math.min(endsAt - this.#clock.steady(), longest);
    if (msLeft > 0) limiter.restore({ key, count, msLeft });
  }
}
