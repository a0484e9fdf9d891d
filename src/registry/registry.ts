import { randomBytes } from 'node:crypto';
import type { Proof } from '../protocol/signing.js';
import type { PublishedAdvertisement } from '../protocol/advertisement.js';
import { formatCursor } from '../protocol/cursor.js';
import type { Filter } from '../protocol/filter.js';
import { LIMITS } from '../protocol/limits.js';
import type { ListQuery } from '../protocol/list-query.js';
import { type Change, ChangeLog, type GoneReason } from './change-log.js';
import { type Clock, ServiceClock } from '../lib/clock.js';
import { renderHead } from './store/advertisement-json.js';
import { Identities } from './identities.js';
import { type ListPage, ListReader } from './lists/list-reader.js';
import { nothingKept, type Persistence } from './persistence.js';
import type { AdvertisementRecord, IdentityRecord } from './store/records.js';
import { Origins } from './store/origins.js';
import { matchingSlots } from './lists/query.js';
import { Restore } from './restore.js';
import type { RowBatch } from './store/row-batch.js';
import { type Snapshot, Snapshots } from './store/snapshot.js';
import { type Lease, Store } from './store/store.js';

export interface RegistrySettings {
  /** How long an advertisement counts after its last heartbeat, in milliseconds. */
  expiryMs: number;
  /** What a restart leaves every advertisement at least, in milliseconds. */
  restartGraceMs: number;
  /** How many changes are kept for resuming. */
  replayEvents: number;
  /** How often expired rows leave the file, in milliseconds. */
  cleanupMs: number;
}

/** Heartbeats are written together, this often. */
const FLUSH_MS = 1000;
/** By so much the written heartbeat of an open session may lag behind the real one. */
const FLUSH_LAG_MS = 2 * FLUSH_MS;
const TOUCH_MS = 24 * 3_600_000;
/** More than these, e.g. after a crowd has come back, follow in the next ticks. */
const MAX_HEARTBEATS_PER_TICK = 4000;
const MAX_EXPIRIES_PER_TICK = 5000;
const MAX_SWEPT_PER_CLEANUP = 50_000;

/** A session's hold on its provider: void as soon as a newer session has one. */
export type SessionToken = number;

/** A page of a list, and where in the stream of changes it was true. */
export interface ListAnswer extends ListPage {
  /** `"<epoch>:<seq>"` */
  cursor: string;
}

/**
 * All that is known, in memory: every read is answered here. Advertisements only come in through `apply`, which
 * the write path calls once they are durable.
 */
export class Registry {
  readonly store = new Store();
  readonly identities = new Identities(
    (id) => this.#isOwnerHere(id),
    (id) => this.#advertisedIdentity(id),
  );
  readonly changes: ChangeLog;
  readonly origins = new Origins();
  readonly clock: ServiceClock;
  /** How many advertisements went, by reason. */
  readonly gone: Record<GoneReason, number> = { expired: 0, withdrawn: 0 };

  readonly #settings: RegistrySettings;
  readonly #restore: Restore;
  #persistence: Persistence = nothingKept;
  readonly #listeners: ((change: Change) => void)[] = [];
  readonly #sessions = new Map<string, SessionToken>();
  readonly #snapshots = new Snapshots(this.store);
  readonly #lists: ListReader;
  /** Providers whose heartbeat or session changed since the last flush. */
  readonly #touched = new Set<string>();
  /** Expired advertisements that are still in the file. */
  #expired = new Set<string>();
  /** Providers with a write under way: they do not expire in the middle of it. */
  readonly #writing = new Set<string>();
  #nextToken: SessionToken = 1;
  #nextFlush = 0;
  #nextCleanup = 0;

  constructor(settings: RegistrySettings, clock: Clock) {
    this.#settings = settings;
    this.clock = new ServiceClock(clock);
    this.#lists = new ListReader(this.store, this.#snapshots, this.clock);
    this.#restore = new Restore(
      this.store,
      this.identities,
      this.clock,
      { ...settings, lagMs: FLUSH_LAG_MS },
      (providerId) => this.#expired.add(providerId),
    );
    this.changes = new ChangeLog(randomBytes(6).toString('hex'), settings.replayEvents, this.store);
    this.#nextCleanup = settings.cleanupMs;
  }

  /** Has a listener called for each change, right after it was made; those that came first are called first. */
  onChange(listener: (change: Change) => void): void {
    this.#listeners.push(listener);
  }

  get cursor(): string {
    return formatCursor(this.changes.epoch, this.changes.seq);
  }

  // ---- restart ----------------------------------------------------------------------------------------------

  /** Says where changes are kept from now on. Until then nothing can be written. */
  persistTo(persistence: Persistence): void {
    this.#persistence = persistence;
  }

  /** Says how many advertisements are about to be taken back, at most. */
  expectRestore(advertisements: number): void {
    this.#restore.expect(advertisements);
  }

  /** Takes back a binding that was kept. */
  restoreIdentity(record: IdentityRecord): void {
    this.#restore.identity(record);
  }

  /**
   * Takes back an advertisement that was kept; `finishRestore` follows the last, before the hub serves anybody.
   * @returns Whether it was taken back.
   */
  restoreAdvertisement(record: AdvertisementRecord): boolean {
    return this.#restore.advertisement(record);
  }

  /** Takes back signed advertisements that another thread has made ready. */
  restoreRows(batch: RowBatch): void {
    this.#restore.rows(batch);
  }

  /** Whether what was taken back so far does not contradict itself. */
  get isRestoreConsistent(): boolean {
    return this.#restore.isConsistent;
  }

  finishRestore(): void {
    this.#restore.finish();
  }

  // ---- reads ------------------------------------------------------------------------------------------------

  /** A copy of one advertisement's JSON; null when there is none. */
  find(providerId: string): Buffer | null {
    const slot = this.store.find(providerId);
    return slot === undefined ? null : Buffer.from(this.store.fragment(slot));
  }

  advertisement(providerId: string): PublishedAdvertisement | null {
    const slot = this.store.find(providerId);
    return slot === undefined ? null : this.store.advertisement(slot);
  }

  /** What the provider signed: undefined when there is no advertisement, null when it was not signed. */
  proof(providerId: string): Proof | null | undefined {
    const slot = this.store.find(providerId);
    if (slot === undefined) return undefined;
    const proof = this.store.proof(slot);
    return proof === null
      ? null
      : {
          provider_id: providerId,
          public_key: proof.publicKey,
          t: proof.t,
          payload: Buffer.from(proof.payload).toString('utf8'),
          signature: proof.signature,
        };
  }

  /** @throws ProtocolError `ADV_003` when too many long lists are being read. */
  list(query: ListQuery): ListAnswer {
    return { ...this.#lists.read(query), cursor: this.cursor };
  }

  /** Opens the matches of this moment for reading at leisure. */
  openSnapshot(filter: Filter): Snapshot {
    return this.#snapshots.open(
      matchingSlots(this.store, this.store.predicates.of(filter)),
      this.changes.seq,
    );
  }

  // ---- sessions ---------------------------------------------------------------------------------------------

  /** A session begins: the provider is live from now on, and every older token is void. */
  attach(providerId: string): SessionToken {
    const token = this.#nextToken;
    this.#nextToken += 1;
    this.#sessions.set(providerId, token);
    this.heartbeat(providerId);
    const slot = this.store.find(providerId);
    if (slot !== undefined && !this.store.isLive(slot)) this.#setLive(slot, true);
    return token;
  }

  /** Whether any session of the provider is open. */
  isAttached(providerId: string): boolean {
    return this.#sessions.has(providerId);
  }

  /** Whether this is the provider's present session. */
  holds(providerId: string, token: SessionToken): boolean {
    return this.#sessions.get(providerId) === token;
  }

  /** A session ended. Without effect when a newer one has taken over. */
  detach(providerId: string, token: SessionToken): void {
    if (!this.holds(providerId, token)) return;
    this.#sessions.delete(providerId);
    this.#touched.add(providerId);
    const slot = this.store.find(providerId);
    if (slot !== undefined && this.store.isLive(slot)) this.#setLive(slot, false);
  }

  /** A sign of life of a provider. */
  heartbeat(providerId: string): void {
    const slot = this.store.find(providerId);
    if (slot !== undefined) {
      const lease = this.#leaseFrom(this.clock.wall());
      this.store.setLease(slot, lease);
      this.#touched.add(providerId);
      this.identities.touch(providerId, lease.updatedAt);
      return;
    }
    // A write that is under way writes the binding itself, and what is known here is older than that.
    if (this.#writing.has(providerId)) return;
    // Without an advertisement the only thing to keep alive is the binding: once a day is enough for 30 days.
    const wall = this.clock.wall();
    const identity = this.identities.get(providerId, wall);
    if (identity === undefined || wall - identity.seenAt < TOUCH_MS) return;
    identity.seenAt = wall;
    // Nobody waits for it: a failure shows in the state of the mirror, and tomorrow brings another.
    this.#persistence.saveIdentity({ ...identity }).catch(() => undefined);
  }

  // ---- the end of the write path ----------------------------------------------------------------------------

  /** Marks a write as under way, from before it is handed to the mirror until it was applied or has failed. */
  beginWrite(providerId: string): void {
    this.#writing.add(providerId);
  }

  endWrite(providerId: string): void {
    this.#writing.delete(providerId);
  }

  /**
   * Makes a durable advertisement visible.
   * @param overSession Whether it came over a session. Then it is live only while one is open.
   * @param origin The address that it came from; null for none.
   */
  applyAdvertise(
    record: AdvertisementRecord,
    identity: IdentityRecord | null,
    overSession: boolean,
    origin: string | null = null,
  ): void {
    if (identity !== null) this.identities.save(identity);
    const live = !overSession || this.#sessions.has(record.providerId);
    const head = renderHead(record);
    // The moment it was written, so that what is shown is what is kept.
    const lease = this.#leaseFrom(record.updatedAt);
    const slot = this.store.find(record.providerId);
    if (slot === undefined) {
      const { seq, beforeRow } = this.changes.append(record.providerId, null, null);
      const added = this.store.add(record, head, lease, live);
      this.changes.place(added);
      this.#tell({ seq, providerId: record.providerId, beforeRow, slot: added, reason: null });
    } else if (this.store.differs(slot, record, head, live)) {
      this.#preserve(slot);
      const { seq, beforeRow } = this.changes.append(record.providerId, this.#current(slot), null);
      this.store.replace(slot, record, head, lease, live);
      this.#tell({ seq, providerId: record.providerId, beforeRow, slot, reason: null });
    } else {
      this.store.renew(slot, record, head, lease, live);
    }
    this.identities.settle(record.providerId);
    this.origins.set(this.store.find(record.providerId)!, origin);
  }

  /** Makes a durable withdrawal visible. */
  applyWithdraw(providerId: string, identity: IdentityRecord | null): void {
    if (identity !== null) this.identities.save(identity);
    const slot = this.store.find(providerId);
    if (slot !== undefined) this.#remove(slot, 'withdrawn');
  }

  // ---- time -------------------------------------------------------------------------------------------------

  /** Moves time on: expires what is due, flushes heartbeats, cleans up. Called every `TICK_MS`. */
  tick(): void {
    this.clock.tick();
    const { now } = this.clock;
    this.store.wheel.advance(now, MAX_EXPIRIES_PER_TICK, (slot) => {
      const deadline = this.store.deadline(slot);
      if (deadline > now) this.store.wheel.schedule(slot, deadline);
      else if (this.#writing.has(this.store.ids[slot]!)) this.store.wheel.schedule(slot, now);
      else this.#expire(slot);
    });
    if (now >= this.#nextFlush) {
      this.flushHeartbeats(MAX_HEARTBEATS_PER_TICK);
      this.#nextFlush = this.#touched.size > 0 ? now : now + FLUSH_MS;
    }
    if (now >= this.#nextCleanup) {
      this.#nextCleanup = now + this.#settings.cleanupMs;
      this.#cleanUp();
    }
  }

  /** Hands the heartbeats since the last call to the mirror, those that wait longest first. */
  flushHeartbeats(limit = Number.POSITIVE_INFINITY): void {
    const providerIds: string[] = [];
    for (const providerId of this.#touched) {
      if (providerIds.length === limit) break;
      this.#touched.delete(providerId);
      if (this.store.find(providerId) !== undefined) providerIds.push(providerId);
    }
    if (providerIds.length === 0) return;
    this.#persistence.saveHeartbeats({
      providerIds,
      updatedAt: Float64Array.from(providerIds, (id) => this.store.updatedAt(this.store.find(id)!)),
      attached: Uint8Array.from(providerIds, (id) => (this.#sessions.has(id) ? 1 : 0)),
    });
  }

  #cleanUp(): void {
    const wall = this.clock.wall();
    const gone: string[] = [];
    const undecided = new Set<string>();
    for (const id of this.#expired) {
      // A write that is under way may already be queued ahead of this purge, which must not undo it.
      if (this.#writing.has(id)) undecided.add(id);
      else if (this.store.find(id) === undefined) gone.push(id);
    }
    this.#expired = undecided;
    this.#persistence.purge(gone, wall - LIMITS.bindingLifetimeMs);
    this.identities.sweep(wall, MAX_SWEPT_PER_CLEANUP);
  }

  /** Whether a provider has a session or an advertisement that it signed. What was not signed may be anybody's. */
  #isOwnerHere(providerId: string): boolean {
    const slot = this.store.find(providerId);
    return this.isAttached(providerId) || (slot !== undefined && this.store.isVerified(slot));
  }

  #advertisedIdentity(providerId: string): IdentityRecord | undefined {
    const slot = this.store.find(providerId);
    return slot === undefined ? undefined : this.store.identity(slot);
  }

  #expire(slot: number): void {
    const providerId = this.store.ids[slot]!;
    if (this.store.isVerified(slot)) this.identities.touch(providerId, this.store.updatedAt(slot));
    this.#expired.add(providerId);
    this.#remove(slot, 'expired');
  }

  // ---- changes ----------------------------------------------------------------------------------------------

  #setLive(slot: number, live: boolean): void {
    const providerId = this.store.ids[slot]!;
    this.#preserve(slot);
    const { seq, beforeRow } = this.changes.append(providerId, this.#current(slot), null);
    this.store.setLive(slot, live);
    this.#tell({ seq, providerId, beforeRow, slot, reason: null });
  }

  #remove(slot: number, reason: GoneReason): void {
    const providerId = this.store.ids[slot]!;
    this.#preserve(slot);
    const { seq, beforeRow } = this.changes.append(providerId, this.#current(slot), reason);
    this.identities.retain(providerId);
    this.store.remove(slot);
    this.origins.set(slot, null);
    this.gone[reason] += 1;
    this.#tell({ seq, providerId, beforeRow, slot: null, reason });
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }

  #current(slot: number): { columns: Store['attributes']; slot: number } {
    return { columns: this.store.attributes, slot };
  }

  #preserve(slot: number): void {
    this.#snapshots.preserve(slot);
  }

  #leaseFrom(wall: number): Lease {
    const { expiryMs } = this.#settings;
    return { updatedAt: wall, expiresAt: wall + expiryMs, deadline: this.clock.now + expiryMs };
  }
}
