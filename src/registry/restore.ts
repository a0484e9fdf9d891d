import { advertisementSchema } from '../protocol/advertisement.js';
import { readProviderId } from '../protocol/provider-id.js';
import type { ServiceClock } from '../lib/clock.js';
import { renderHead } from './store/advertisement-json.js';
import { renumberValues } from './store/columns.js';
import type { Identities } from './identities.js';
import { rowBytes, signerIn } from './store/packed-row.js';
import type { AdvertisementRecord, IdentityRecord } from './store/records.js';
import { type BatchedRow, factsIn, type RowBatch, rowIn } from './store/row-batch.js';
import type { Lease, Store } from './store/store.js';

/** How long restored advertisements live, in milliseconds. */
export interface RestoreSettings {
  /** After the last heartbeat. */
  expiryMs: number;
  /** From now on, at least. */
  restartGraceMs: number;
  /** How far the written heartbeat of an open session may lag behind the real one. */
  lagMs: number;
}

/**
 * Restores what the log kept, before the hub serves anybody. What expired during the downtime stays gone; the rest is suspect until its
 * provider is heard from again.
 */
export class Restore {
  readonly #store: Store;
  readonly #identities: Identities;
  readonly #clock: ServiceClock;
  readonly #settings: RestoreSettings;
  readonly #leaveOut: (providerId: string) => void;
  #slots: number[] = [];
  #isCopy = false;
  readonly #unacceptable: Record<string, number> = {};

  /** @param leaveOut Called for each advertisement that is not restored. */
  constructor(
    store: Store,
    identities: Identities,
    clock: ServiceClock,
    settings: RestoreSettings,
    leaveOut: (providerId: string) => void,
  ) {
    this.#store = store;
    this.#identities = identities;
    this.#clock = clock;
    this.#settings = settings;
    this.#leaveOut = leaveOut;
  }

  /** How many unsigned advertisements would not be accepted today, by their first invalid member. */
  get unacceptable(): Readonly<Record<string, number>> {
    return this.#unacceptable;
  }

  /** Reserves room for this many advertisements. */
  expect(advertisements: number): void {
    this.#store.reserve(advertisements);
  }

  /** Restores a binding. */
  identity(record: IdentityRecord): void {
    this.#identities.load(record);
  }

  /**
   * Restores an advertisement.
   * @returns Whether it was restored.
   */
  advertisement(record: AdvertisementRecord): boolean {
    const { providerId, proof, updatedAt } = record;
    const lease = this.#leaseOf(updatedAt, record.attached);
    // An unsigned one may come from the first generation, which checked less.
    const sound = proof === null ? this.#checked(record) : record;
    if (lease === null || sound === null) {
      if (proof !== null) this.#keepBinding(providerId, proof, updatedAt);
      this.#leaveOut(providerId);
      return false;
    }
    // A provider that does not sign has no session to lose.
    const live = proof === null && updatedAt + this.#settings.expiryMs > this.#clock.steady();
    this.#slots.push(this.#store.add(sound, renderHead(sound), lease, live, false));
    // An unsigned one implies no binding; an earlier one may have lapsed.
    if (proof !== null) this.#heartbeatOf(providerId, updatedAt);
    return true;
  }

  /** Restores signed advertisements that another thread has prepared. */
  rows(batch: RowBatch): void {
    this.#eachRow(batch, (row) => {
      const { providerId, updatedAt, headBytes, proofBytes } = row;
      const lease = this.#leaseOf(updatedAt, row.attached);
      if (lease !== null) {
        this.#adopt(batch, row, lease);
        this.#heartbeatOf(providerId, updatedAt);
        return;
      }
      const { arena } = this.#store;
      const bytes = rowBytes(headBytes, proofBytes);
      this.#keepBinding(
        providerId,
        signerIn(arena.view(row.address, bytes), headBytes, providerId),
        updatedAt,
      );
      arena.release(row.address, bytes);
      this.#leaveOut(providerId);
    });
  }

  /** Restores advertisements of a log that hubs share, as they stand there: see `KeptSink.copied`. */
  copied(batch: RowBatch): void {
    this.#isCopy = true;
    const { expiryMs } = this.#settings;
    const deadline = this.#clock.now + expiryMs;
    this.#eachRow(batch, (row) => {
      const { providerId, updatedAt } = row;
      const slot = this.#adopt(batch, row, { updatedAt, expiresAt: updatedAt + expiryMs, deadline });
      if (this.#store.isVerified(slot)) this.#heartbeatOf(providerId, updatedAt);
    });
  }

  #eachRow(batch: RowBatch, take: (row: BatchedRow) => void): void {
    const slab = Buffer.from(batch.slab.buffer, batch.slab.byteOffset, batch.slab.byteLength);
    const base = this.#store.arena.adopt(slab, batch.bytes);
    for (let index = 0; index < batch.ids.length; index += 1) {
      const row = rowIn(batch, index);
      row.address += base;
      take(row);
    }
  }

  #adopt(batch: RowBatch, row: BatchedRow, lease: Lease): number {
    const { numbers } = this.#store;
    renumberValues(
      batch.numbers,
      row.from,
      (place, text) => numbers.acquire(place, batch.texts[text]!),
      (place) => numbers.facts.put(factsIn(batch, place)),
    );
    const slot = this.#store.adopt(row.providerId, row, lease);
    this.#slots.push(slot);
    return slot;
  }

  /** Whether no provider was restored twice. */
  get isConsistent(): boolean {
    return this.#slots.length === this.#store.size;
  }

  /** Builds the indexes, and drops unsigned advertisements whose id turns out to belong to a key. */
  finish(): void {
    const slots = this.#slots;
    this.#slots = [];
    this.#store.loadIndexes(slots);
    // What hubs share is the same on all of them.
    if (this.#isCopy) return;
    for (const slot of slots) {
      const providerId = this.#store.ids[slot]!;
      if (this.#store.isVerified(slot) || this.#ownerOf(providerId) === undefined) continue;
      this.#store.remove(slot);
      this.#leaveOut(providerId);
    }
  }

  /** The advertisement has the newer heartbeats, and may imply the whole binding. */
  #heartbeatOf(providerId: string, updatedAt: number): void {
    this.#identities.touch(providerId, updatedAt);
    this.#identities.settle(providerId);
  }

  #ownerOf(providerId: string): string | undefined {
    return this.#identities.ownerOf(providerId, this.#clock.steady());
  }

  /** An unsigned advertisement as it would be stored today; null, and counted, if it would not be accepted. */
  #checked(record: AdvertisementRecord): AdvertisementRecord | null {
    const checked = asAcceptable(record);
    if (typeof checked === 'string') {
      this.#unacceptable[checked] = (this.#unacceptable[checked] ?? 0) + 1;
      return null;
    }
    return this.#ownerOf(record.providerId) === undefined ? checked : null;
  }

  /** Null if it has expired. */
  #leaseOf(updatedAt: number, attached: boolean): Lease | null {
    const now = this.#clock.steady();
    const { expiryMs, restartGraceMs, lagMs } = this.#settings;
    const left = Math.min(updatedAt + expiryMs - now, expiryMs);
    if (left + (attached ? lagMs : 0) <= 0) return null;
    const time = Math.max(left, restartGraceMs);
    return { updatedAt, expiresAt: now + time, deadline: this.#clock.now + time };
  }

  /** An expired advertisement may be the only record of its binding. */
  #keepBinding(providerId: string, signer: { publicKey: string; t: number }, updatedAt: number): void {
    if (this.#identities.get(providerId, this.#clock.steady()) !== undefined) return;
    const { publicKey, t } = signer;
    this.#identities.load({ providerId, publicKey, lastT: t, seenAt: updatedAt });
  }
}

/**
 * Validates an advertisement that may come from the first generation, which checked less, and converts it to what would be stored today,
 * e.g. its country to upper case.
 * @returns The first invalid member if it would not be accepted.
 */
function asAcceptable(record: AdvertisementRecord): AdvertisementRecord | string {
  if (readProviderId(record.providerId)?.id !== record.providerId) return 'provider_id';
  const { ipAddress, country, resources, platform, pricing, name, paymentsNetwork } = record;
  const { success, data, error } = advertisementSchema.safeParse({
    ip_address: ipAddress,
    country,
    resources,
    platform,
    pricing,
    name,
    payments_network: paymentsNetwork,
    attributes: record.attributes,
    endpoint: record.endpoint,
  });
  if (!success) return String(error.issues[0]?.path[0] ?? 'advertisement');
  return {
    ...record,
    country: data.country,
    resources: data.resources,
    pricing: data.pricing ?? null,
    attributes: data.attributes ?? null,
    endpoint: data.endpoint ?? null,
  };
}
