import { type Change, ChangeLog, type GoneReason } from './change-log.js';
import { type Entry, REASONS, type Session } from './entry.js';
import { Identities } from './identities.js';
import { isSameAddress } from '../lib/limits/ip-address.js';
import { Moments } from './moments.js';
import { renderHead } from './store/advertisement-json.js';
import { Origins } from './store/origins.js';
import type { IdentityRecord } from './store/records.js';
import { RowWatchers } from './store/row-watchers.js';
import { type Lease, Store } from './store/store.js';

interface OpenSession extends Session {
  /** The client address it comes from; null if unknown. */
  from: string | null;
}

/** The lease of an advertisement whose last heartbeat was at a steady time (Unix ms). Its deadline is in this hub's service time. */
export type LeaseFrom = (at: number) => Lease;

/**
 * The hub's whole state, changed only by `apply`: the same entries in the same order produce the same advertisements, sequence numbers and
 * events, whoever applies them and whenever. Heartbeats are not entries; they only move times.
 */
export class State {
  readonly store = new Store();
  readonly identities = new Identities(
    (id) => this.#isOwnerHere(id),
    (id) => this.#advertisedIdentity(id),
  );
  readonly changes: ChangeLog;
  readonly origins = new Origins();
  readonly watchers = new RowWatchers();
  readonly moments: Moments;
  /** How many advertisements were removed, by reason. */
  readonly gone: Record<GoneReason, number> = { expired: 0, withdrawn: 0 };
  readonly #leaseFrom: LeaseFrom;
  readonly #sessions = new Map<string, OpenSession>();
  /** Providers whose address is confirmed only by their session. */
  readonly #confirmedBySession = new Set<string>();
  /** The position of the entry being applied. */
  #position = 0;
  readonly #listeners: ((change: Change) => void)[] = [];

  /**
   * @param epoch Identifies the log, until another is followed.
   * @param replayEvents How many changes are kept for resuming.
   */
  constructor(epoch: string, replayEvents: number, leaseFrom: LeaseFrom) {
    this.changes = new ChangeLog(epoch, replayEvents, this.store.numbers);
    this.moments = new Moments(this.store, this.changes);
    this.#leaseFrom = leaseFrom;
  }

  /** Calls a listener right after each change. Listeners are called in the order in which they registered. */
  onChange(listener: (change: Change) => void): void {
    this.#listeners.push(listener);
  }

  /** How many providers have a session. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** The provider's session; undefined when none is open. */
  sessionOf(providerId: string): Session | undefined {
    return this.#sessions.get(providerId);
  }

  /** All providers that have a session, and where it is open. */
  allSessions(): IterableIterator<[string, Session]> {
    return this.#sessions.entries();
  }

  /** Applies one entry. Entries come in the order of the log; several may share a position and are then one step. */
  apply(entry: Entry, position: number): void {
    this.#position = position;
    switch (entry.kind) {
      case 'advertise':
        this.#advertise(entry);
        return;
      case 'withdraw':
        if (entry.identity !== null) this.identities.save(entry.identity);
        this.#remove(entry.providerId, REASONS.withdraw);
        return;
      case 'bind':
        this.identities.save(entry.identity);
        return;
      case 'attach':
        if (entry.again && this.#sessions.has(entry.providerId)) return;
        this.#sessions.set(entry.providerId, { hub: entry.hub, token: entry.token, from: entry.from });
        this.#attach(entry.providerId, entry.at);
        return;
      case 'detach':
        this.#detach(entry);
        return;
      case 'end':
        for (const [providerId, { hub, token }] of this.#sessions)
          if (hub === entry.hub) this.#detach({ providerId, hub, token });
        return;
      case 'expire':
        this.#expire(entry.providerId, entry.seenAt);
        return;
    }
  }

  #advertise({ record: sent, identity, overSession, origin }: Extract<Entry, { kind: 'advertise' }>): void {
    const { providerId, ipAddress } = sent;
    const record = this.#noteConfirmation(providerId, ipAddress, sent.ipConfirmed)
      ? { ...sent, ipConfirmed: true }
      : sent;
    if (identity !== null) this.identities.save(identity);
    const live = !overSession || this.#sessions.has(providerId);
    const head = renderHead(record);
    // The time it was written, so that what is shown is what is kept.
    const lease = this.#leaseFrom(record.updatedAt);
    const slot = this.store.find(providerId);
    if (slot === undefined) {
      this.#change(providerId, undefined, null, () => this.store.add(record, head, lease, live));
    } else if (this.store.differs(slot, record, head, live)) {
      this.#change(providerId, slot, null, () => {
        this.store.replace(slot, record, head, lease, live);
        return slot;
      });
    } else {
      this.store.renew(slot, record, head, lease, live);
    }
    this.identities.settle(providerId);
    this.origins.set(this.store.find(providerId)!, origin);
  }

  #attach(providerId: string, at: number): void {
    const slot = this.store.find(providerId);
    if (slot === undefined) return;
    this.store.setLease(slot, this.#leaseFrom(at));
    this.identities.touch(providerId, at);
    this.#stand(providerId, true);
  }

  #detach({ providerId, hub, token }: Session & { providerId: string }): void {
    const session = this.#sessions.get(providerId);
    if (session?.hub !== hub || session.token !== token) return;
    this.#sessions.delete(providerId);
    this.#stand(providerId, false);
  }

  /** A session began or ended. */
  #stand(providerId: string, live: boolean): void {
    const { store } = this;
    const slot = store.find(providerId);
    if (slot === undefined) return;
    const isOwn = store.isIpConfirmed(slot) && !this.#confirmedBySession.has(providerId);
    const ipConfirmed = this.#noteConfirmation(providerId, store.ipAddress(slot), isOwn);
    if (store.isLive(slot) === live && store.isIpConfirmed(slot) === ipConfirmed) return;
    this.#change(providerId, slot, null, () => {
      store.setStanding(slot, live, ipConfirmed);
      return slot;
    });
  }

  /**
   * Determines whether an advertisement's address is confirmed, and remembers whether only the session confirms it.
   * @param isOwn Whether the advertisement itself came from there.
   */
  #noteConfirmation(providerId: string, ipAddress: string, isOwn: boolean): boolean {
    const from = this.#sessions.get(providerId)?.from ?? null;
    const isBySession = !isOwn && from !== null && isSameAddress(from, ipAddress);
    if (isBySession) this.#confirmedBySession.add(providerId);
    else this.#confirmedBySession.delete(providerId);
    return isOwn || isBySession;
  }

  #expire(providerId: string, silentSince: number | null): void {
    const slot = this.store.find(providerId);
    if (slot === undefined) return;
    const seenAt = silentSince ?? this.store.updatedAt(slot);
    if (this.store.updatedAt(slot) > seenAt) return;
    if (this.store.isVerified(slot)) this.identities.touch(providerId, seenAt);
    this.#remove(providerId, REASONS.expire);
  }

  #remove(providerId: string, reason: GoneReason): void {
    const slot = this.store.find(providerId);
    if (slot === undefined) return;
    this.#change(providerId, slot, reason, () => {
      this.identities.retain(providerId);
      this.store.remove(slot);
      this.#confirmedBySession.delete(providerId);
      this.origins.set(slot, null);
      this.gone[reason] += 1;
      return null;
    });
  }

  /**
   * The steps of every visible change: preserve the row for readers of an earlier moment, append to the change log, change the store,
   * notify the listeners.
   * @param slot The advertisement's slot; undefined for a new one.
   * @param mutate Changes the store. Returns the advertisement's slot afterwards; null if it is gone.
   */
  #change(
    providerId: string,
    slot: number | undefined,
    reason: GoneReason | null,
    mutate: () => number | null,
  ): void {
    if (slot !== undefined) {
      this.watchers.preserve(slot);
      this.moments.preserve(slot);
    }
    const current = slot === undefined ? null : { columns: this.store.attributes, slot };
    const beforeRow = this.changes.append(this.#position, providerId, current, reason);
    const after = mutate();
    if (slot === undefined && after !== null) {
      this.changes.place(after);
      this.watchers.added(after);
    }
    const change: Change = { seq: this.#position, providerId, beforeRow, slot: after, reason };
    for (const listener of this.#listeners) listener(change);
  }

  /** Whether a provider has a session or a signed advertisement. An unsigned one may be anybody's. */
  #isOwnerHere(providerId: string): boolean {
    const slot = this.store.find(providerId);
    return this.#sessions.has(providerId) || (slot !== undefined && this.store.isVerified(slot));
  }

  #advertisedIdentity(providerId: string): IdentityRecord | undefined {
    const slot = this.store.find(providerId);
    return slot === undefined ? undefined : this.store.identity(slot);
  }
}
