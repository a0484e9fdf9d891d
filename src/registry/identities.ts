import { LIMITS } from '../protocol/limits.js';
import { providerIdKind } from '../protocol/provider-id.js';
import type { IdentityRecord } from './persistence.js';

/**
 * Which key owns which provider id, and the newest signed time accepted from it. A binding outlives the
 * advertisement and lapses after 30 days without a heartbeat.
 */
export class Identities {
  readonly #isPresent: (providerId: string) => boolean;
  readonly #records = new Map<string, IdentityRecord>();
  #sweep: Iterator<IdentityRecord, undefined> | null = null;

  /** @param isPresent Whether an id's owner is here now: then its binding cannot lapse, whatever the clock says. */
  constructor(isPresent: (providerId: string) => boolean = () => false) {
    this.#isPresent = isPresent;
  }

  get size(): number {
    return this.#records.size;
  }

  load(record: IdentityRecord): void {
    this.#records.set(record.providerId, record);
  }

  /** What is known of an id at a time (Unix ms); undefined when no key is bound to it, or no longer. */
  get(providerId: string, wall: number): IdentityRecord | undefined {
    const record = this.#records.get(providerId);
    return record === undefined || this.#lapsed(record, wall) ? undefined : record;
  }

  /** The key that owns an id: a key id is its own key. Undefined for a name that is still free. */
  ownerOf(providerId: string, wall: number): string | undefined {
    return providerIdKind(providerId) === 'key' ? providerId : this.get(providerId, wall)?.publicKey;
  }

  save(record: IdentityRecord): void {
    this.#records.set(record.providerId, record);
  }

  /** Notes a heartbeat, in memory only, and returns the record; undefined when no key is bound to the id. */
  touch(providerId: string, wall: number): IdentityRecord | undefined {
    const record = this.#records.get(providerId);
    if (record !== undefined) record.seenAt = Math.max(record.seenAt, wall);
    return record;
  }

  /** Looks at the next `count` records and forgets those that have lapsed, going round and round. */
  sweep(wall: number, count: number): void {
    this.#sweep ??= this.#records.values();
    for (let looked = 0; looked < count; looked += 1) {
      const step = this.#sweep.next();
      if (step.done === true) {
        this.#sweep = null;
        return;
      }
      if (this.#lapsed(step.value, wall)) this.#records.delete(step.value.providerId);
    }
  }

  #lapsed(record: IdentityRecord, wall: number): boolean {
    return wall - record.seenAt > LIMITS.bindingLifetimeMs && !this.#isPresent(record.providerId);
  }
}
