import { ProtocolError } from '../../protocol/errors.js';
import type { ServiceClock } from '../../lib/clock.js';
import { type Count, RateLimiter } from '../../lib/limits/rate-limiter.js';
import type { Origins } from '../store/origins.js';
import type { CountRecord } from '../store/records.js';

const MINUTE_MS = 60_000;

const DAY_MS = 24 * 60 * MINUTE_MS;

/** How long an address is blocked that was wrong too often: doubled each time it goes on within a day, up to the last. */
const FIRST_BLOCK_MS = MINUTE_MS;
const LONGEST_BLOCK_MS = 15 * MINUTE_MS;

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
  readonly #clock: ServiceClock;
  /** Names bound today. */
  readonly #names: RateLimiter;
  /** Signatures that were not valid; at the limit, for as long as the block lasts. */
  readonly #invalid: RateLimiter;
  /** Blocks in a day. */
  readonly #blocks: RateLimiter;
  /** New advertisements under way, by address. */
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

  /** Counts a name that is about to be bound. */
  async spendName(origin: string | null): Promise<void> {
    const { namesPerDay: limit } = this.#settings;
    if (origin === null || limit === 0) return;
    const wait = await this.#names.spend(origin);
    if (wait === 0) return;
    throw new ProtocolError(
      'RATE_004',
      `${origin} has bound ${String(limit)} new names today, as many as one address may in a day; use your public key as provider id, or try again in ${String(wait)} s`,
      { retryAfterSeconds: wait },
    );
  }

  /** Refuses to verify for an address that was wrong too often. */
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

  /** Notes a signature that was not valid. */
  async noteInvalidSignature(origin: string | null): Promise<void> {
    const { invalidSignaturesPerMinute: limit } = this.#settings;
    if (origin === null || limit === 0) return;
    const { consumedPoints } = await this.#invalid.penalty(origin);
    // Those behind were under way when the block began.
    if (consumedPoints !== limit) return;
    const { consumedPoints: blocks } = await this.#blocks.penalty(origin);
    const block = Math.min(FIRST_BLOCK_MS * 2 ** (blocks - 1), LONGEST_BLOCK_MS);
    await this.#invalid.block(origin, block / 1000);
  }

  /** What changed since the last call and has to outlive the hub, at most so much of each kind. */
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

  /** Takes back what `takeChanges` told of. However the wall clock has moved meanwhile, nothing lasts longer than it could. */
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
