import type { Entry } from '../../entry.js';
import type { Copied, CopiedSession, CopyMark } from '../../local-copy.js';
import { type Deliver, type LogFollower, NOT_FOLLOWED } from '../../log.js';
import { Bindings } from './bindings.js';
import { DELETED } from '../client/messages.js';
import type { Keys } from '../keys.js';
import { decodeRecord, entriesOf, entryOf, type ProviderEntry, type ProviderRecord } from '../record.js';
import type { IdentityRecord } from '../../store/records.js';
import type { SharedLogLogger } from '../settings.js';
import type { StoreState } from '../store-state.js';
import type { WatchEvent } from './watch.js';
import type { Known } from '../writer.js';

/** What `Applied` needs to know of this hub, and tells it. */
export interface AppliedHost {
  /** Whether this run of the hub should be among the running ones at a revision, but may not be: see `Membership.isDueAt`. */
  isDueAt(revision: number): boolean;
  /** The name of this run of the hub. */
  hub(): string;
  /** The others have declared this hub dead. */
  declaredDead(): void;
  /** This hub's own entry with a write id, while somebody waits for it. */
  entryOf(writeId: string): ProviderEntry | undefined;
  /** A record was applied. @param error What applying it threw. */
  applied(writeId: string, revision: number, error: Error | null): void;
  /** Everything up to a revision is applied. */
  reached(revision: number): void;
}

/** Keeps a copy of what is applied. */
export interface AppliedCopy {
  /** A record was written. */
  changed(providerId: string, record: ProviderRecord, revision: number): void;
  /** A record was deleted. */
  gone(providerId: string): void;
  /** A hub begins or has ended. */
  hub(hub: string, isRunning: boolean): void;
  /** Everything at one revision was told. */
  reached(): void;
  /** What is applied now has not been told. */
  makeAnew(): void;
  /** What is applied is what the copy contains. */
  goOn(): void;
}

/** How far this hub has applied the store, and what it knows of the records as of there. Turns records into entries, and delivers these. */
export class Applied {
  readonly #keys: Keys;
  readonly #host: AppliedHost;
  readonly #log: SharedLogLogger;
  readonly #known = new Map<string, Known>();
  /** Providers whose present record cannot be read. */
  readonly #unreadable = new Set<string>();
  /** The running hubs. */
  #hubs = new Set<string>();
  readonly #bindings = new Bindings();
  #position: number;
  #deliver: Deliver = () => undefined;
  #follower: LogFollower = NOT_FOLLOWED;
  #copy: AppliedCopy | null = null;

  /** @param position The revision that will be applied first. */
  constructor(keys: Keys, position: number, host: AppliedHost, log: SharedLogLogger) {
    this.#keys = keys;
    this.#position = position;
    this.#host = host;
    this.#log = log;
  }

  /** The last applied revision. */
  get position(): number {
    return this.#position;
  }

  /** The running hubs. */
  get hubs(): ReadonlySet<string> {
    return this.#hubs;
  }

  /** The ids of all providers with a record. */
  providers(): Iterator<string, undefined> {
    return this.#known.keys();
  }

  /** A revision after which nothing that clients see has changed so far. */
  get unchangedSince(): number {
    return this.#follower.unchangedSince();
  }

  /** What is known of a provider's record; undefined if there is none. */
  known(providerId: string): Known | undefined {
    return this.#known.get(providerId);
  }

  /** The store has a record that should have been applied, and was not: it could not be read before the local copy was made. */
  missed(providerId: string, revision: number): void {
    if (this.#unreadable.has(providerId)) return;
    this.#log.error(
      `the record of ${providerId} at revision ${revision} was never applied, because it cannot be read; the writes of this provider are refused`,
    );
    this.#unreadable.add(providerId);
  }

  /** Whether a provider's present record cannot be read, so that what is known of it is out of date. */
  isUnreadable(providerId: string): boolean {
    return this.#unreadable.has(providerId);
  }

  /** Some providers whose bindings have lapsed at a steady time (Unix ms). */
  lapsed(now: number): string[] {
    return this.#bindings.lapsed(now);
  }

  /** Tells a copy of all that is applied from now on. */
  copyTo(copy: AppliedCopy): void {
    this.#copy = copy;
  }

  deliverTo(deliver: Deliver, follower: LogFollower): void {
    this.#deliver = deliver;
    this.#follower = follower;
  }

  /** Applies all changes at one revision. */
  revision(revision: number, events: readonly WatchEvent[]): void {
    this.#position = revision;
    for (const event of events) this.#apply(event, revision);
    this.#reached(revision);
    this.#copy?.reached();
  }

  /** Nothing else happened up to a revision. */
  reached(revision: number): void {
    this.#position = revision;
    this.#reached(revision);
  }

  /** Turns what is known into the state of the store at a revision, in one step, where the changes up to it are missing. */
  leap(state: StoreState): void {
    this.#follower.leapt(state.revision);
    this.take(state);
  }

  /** Takes what a copy has handed over besides rows, which are restored already, bindings among them. */
  restore({ hubs, standings, bindings }: Copied, { revision, since }: CopyMark): void {
    this.#hubs = hubs;
    for (const { providerId, session, seenAt, ...standing } of standings) {
      const identity = standing.isAdvertised ? null : (bindings.get(providerId) ?? null);
      const known = this.#know(providerId, session, identity, standing.revision, false);
      // Clients see what they saw at the end.
      if (known !== null)
        this.#tell({ kind: 'attach', providerId, ...known, at: seenAt, again: false }, since);
    }
    this.#copy?.goOn();
    this.reached(revision);
  }

  /** Turns the known state into that of the store at a revision, in one step. */
  take({ revision, hubs, providers }: StoreState): void {
    this.#position = revision;
    this.#hubs = hubs;
    this.#copy?.makeAnew();
    // All that was read could be read.
    this.#unreadable.clear();
    const ended = new Set<string>();
    for (const [providerId, { session }] of this.#known) {
      if (session !== null && !hubs.has(session.hub)) ended.add(session.hub);
      if (!providers.has(providerId)) this.#forget(providerId, revision);
    }
    if (this.#host.isDueAt(revision) && !hubs.has(this.#host.hub())) ended.add(this.#host.hub());
    for (const hub of ended) this.#hubEnded(hub, revision);
    for (const [providerId, { revision: written, record }] of providers) {
      const known = this.#known.get(providerId);
      if (known?.revision === written) continue;
      const session = record.session !== null && hubs.has(record.session.hub) ? record.session : null;
      this.#knowRecord(providerId, { ...record, session }, written, false);
      if (known !== undefined && record.advertisement === null)
        this.#tell({ kind: 'withdraw', providerId, identity: record.identity }, revision);
      // A session that goes on, or has moved, is none that ends: nobody is told that the provider was suspect.
      if (known?.session && session === null)
        this.#tell({ kind: 'detach', providerId, ...known.session, heartbeatAgeMs: 0 }, revision);
      for (const entry of entriesOf(providerId, { ...record, session })) this.#tell(entry, revision);
      this.#host.applied(record.writeId, revision, null);
    }
    this.#reached(revision);
  }

  #reached(revision: number): void {
    this.#follower.reached(revision);
    this.#host.reached(revision);
  }

  #apply({ type, kv }: WatchEvent, revision: number): void {
    const read = kv === null ? null : this.#keys.read(kv.key);
    if (kv === null || read === null) return;
    if (read.kind === 'hub') {
      if (type === DELETED) this.#hubEnded(read.id, revision);
      else this.#hubs.add(read.id);
      this.#copy?.hub(read.id, type !== DELETED);
    } else if (type === DELETED) {
      this.#forget(read.id, revision);
      this.#copy?.gone(read.id);
    } else {
      this.#recordChanged(read.id, kv.value, revision);
    }
  }

  #recordChanged(providerId: string, value: Uint8Array, revision: number): void {
    let record: ProviderRecord;
    try {
      record = decodeRecord(value, providerId);
    } catch (error) {
      this.#log.error(
        `the record of ${providerId} at revision ${revision} cannot be read, so this provider stays as it was, and its writes are refused: ${(error as Error).message}`,
      );
      this.#unreadable.add(providerId);
      return;
    }
    this.#unreadable.delete(providerId);
    const own = this.#host.entryOf(record.writeId);
    this.#knowRecord(providerId, record, revision, own !== undefined);
    this.#copy?.changed(providerId, record, revision);
    const origin = own?.kind === 'advertise' ? own.origin : null;
    const entry = entryOf(providerId, record, origin);
    const error = entry === null ? null : this.#tell(entry, revision);
    if (error !== null && own === undefined)
      this.#log.error(
        `the record of ${providerId} at revision ${revision} could not be applied: ${error.message}`,
      );
    this.#host.applied(record.writeId, revision, error);
  }

  #knowRecord(
    providerId: string,
    { session, advertisement, identity }: ProviderRecord,
    revision: number,
    isOwn: boolean,
  ): void {
    this.#know(providerId, session, advertisement === null ? identity : null, revision, isOwn);
  }

  /**
   * @param binding What is remembered of the owner if there is no advertisement.
   * @returns The session, if it is open.
   */
  #know(
    providerId: string,
    session: CopiedSession | null,
    binding: IdentityRecord | null,
    revision: number,
    isOwn: boolean,
  ): CopiedSession | null {
    const before = this.#known.get(providerId);
    const foreignRevision = isOwn ? (before?.foreignRevision ?? 0) : revision;
    // A late write may name a session whose hub has ended meanwhile.
    const open = session !== null && this.#hubs.has(session.hub) ? session : null;
    this.#known.set(providerId, { revision, foreignRevision, session: open });
    if (open === null && binding !== null) this.#bindings.set(providerId, binding.publicKey, binding.seenAt);
    else this.#bindings.delete(providerId);
    return open;
  }

  /** A provider's record is gone. Hubs only delete what has lapsed; an operator may delete anything. */
  #forget(providerId: string, revision: number): void {
    this.#unreadable.delete(providerId);
    this.#bindings.delete(providerId);
    const known = this.#known.get(providerId);
    if (known === undefined) return;
    this.#tell({ kind: 'withdraw', providerId, identity: null }, revision);
    if (known.session !== null)
      this.#tell({ kind: 'detach', providerId, ...known.session, heartbeatAgeMs: 0 }, revision);
    this.#known.delete(providerId);
  }

  #hubEnded(hub: string, revision: number): void {
    this.#hubs.delete(hub);
    for (const known of this.#known.values()) if (known.session?.hub === hub) known.session = null;
    this.#tell({ kind: 'end', hub }, revision);
    if (hub === this.#host.hub()) this.#host.declaredDead();
  }

  /** @returns The error that the receiver threw. */
  #tell(entry: Entry, position: number): Error | null {
    try {
      this.#deliver(entry, position);
      return null;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}
