import { LIMITS } from '../protocol/limits.js';
import { providerIdKind } from '../protocol/provider-id.js';
import type { IdentityRecord } from './store/records.js';

/** How many records of key ids there may be; withdrawals of existing advertisements may exceed it. */
const MAX_KEYS = 100_000;

/**
 * Which key owns which provider id, and the newest signed time accepted from it. A binding outlives the advertisement and lapses after
 * 30 days without a heartbeat. A signed advertisement implies its own binding, so only ids without one, or with more to remember, have a
 * record here.
 */
export class Identities {
  readonly #isPresent: (providerId: string) => boolean;
  readonly #advertised: (providerId: string) => IdentityRecord | undefined;
  readonly #records = new Map<string, IdentityRecord>();
  /** How many records are of key ids. */
  #keys = 0;
  #sweep: Iterator<IdentityRecord, undefined> | null = null;

  /**
   * @param isPresent Whether an id's owner is connected or listed: its binding then cannot lapse, whatever the clock says.
   * @param advertised The binding that an id's present advertisement implies; undefined without a signed one.
   */
  constructor(
    isPresent: (providerId: string) => boolean = () => false,
    advertised: (providerId: string) => IdentityRecord | undefined = () => undefined,
  ) {
    this.#isPresent = isPresent;
    this.#advertised = advertised;
  }

  /** How many records there are besides the implied ones. */
  get size(): number {
    return this.#records.size;
  }

  /** Whether there are too many records of key ids to add one for an id that has nothing here. */
  get isFull(): boolean {
    return this.#keys >= MAX_KEYS;
  }

  /** Restores a record, unless the advertisement of its id implies the same. */
  load(record: IdentityRecord): void {
    const implied = this.#advertised(record.providerId);
    if (implied === undefined) this.#put(record);
    else if (!isSame(record, implied)) {
      this.#put({ ...record, seenAt: Math.max(record.seenAt, implied.seenAt) });
    }
  }

  /** What is known of an id at a time (steady Unix ms); undefined if no key is bound to it, or no longer. */
  get(providerId: string, now: number): IdentityRecord | undefined {
    const record = this.#records.get(providerId) ?? this.#advertised(providerId);
    return record === undefined || this.#lapsed(record, now) ? undefined : record;
  }

  /** The key that owns an id: a key id is its own key. Undefined for a name or an address that has not signed yet. */
  ownerOf(providerId: string, now: number): string | undefined {
    return providerIdKind(providerId) === 'key' ? providerId : this.get(providerId, now)?.publicKey;
  }

  save(record: IdentityRecord): void {
    this.#put(record);
  }

  /** Drops the record of an id if its advertisement implies the same. */
  settle(providerId: string): void {
    const record = this.#records.get(providerId);
    if (record === undefined) return;
    const implied = this.#advertised(providerId);
    if (implied !== undefined && isSame(record, implied)) this.#drop(record);
  }

  /** Keeps what an id's advertisement, which is about to go, implies. */
  retain(providerId: string): void {
    if (this.#records.has(providerId)) return;
    const implied = this.#advertised(providerId);
    if (implied !== undefined) this.#put(implied);
  }

  /** Notes a heartbeat in the id's record, if it has one; in memory only. */
  touch(providerId: string, now: number): void {
    const record = this.#records.get(providerId);
    if (record !== undefined) record.seenAt = Math.max(record.seenAt, now);
  }

  /** Checks the next `count` records, cyclically, and forgets those that have lapsed. */
  sweep(now: number, count: number): void {
    this.#sweep ??= this.#records.values();
    for (let looked = 0; looked < count; looked += 1) {
      const step = this.#sweep.next();
      if (step.done === true) {
        this.#sweep = null;
        return;
      }
      if (this.#lapsed(step.value, now)) this.#drop(step.value);
    }
  }

  #put(record: IdentityRecord): void {
    if (isKeyId(record) && !this.#records.has(record.providerId)) this.#keys += 1;
    this.#records.set(record.providerId, record);
  }

  #drop(record: IdentityRecord): void {
    if (this.#records.delete(record.providerId) && isKeyId(record)) this.#keys -= 1;
  }

  #lapsed(record: IdentityRecord, now: number): boolean {
    return now - record.seenAt > lifetimeOf(record) && !this.#isPresent(record.providerId);
  }
}

/** A key id needs no binding, only its newest signed time, and that not for long. */
function lifetimeOf(record: IdentityRecord): number {
  return isKeyId(record) ? LIMITS.keyMemoryMs : LIMITS.bindingLifetimeMs;
}

function isKeyId({ providerId, publicKey }: IdentityRecord): boolean {
  return providerId === publicKey;
}

/** Whether both accept the same signers and times; the advertisement's heartbeats are the newer ones. */
function isSame(record: IdentityRecord, implied: IdentityRecord): boolean {
  return record.publicKey === implied.publicKey && record.lastT === implied.lastT;
}
