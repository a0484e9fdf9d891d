import { type CallOff, passed } from '../../lib/timers.js';
import type { Entry } from '../entry.js';
import {
  type Deliver,
  type Log,
  type LogFollower,
  NOT_FOLLOWED,
  type OpenLog,
  PersistenceError,
} from '../log.js';
import { Bindings } from './bindings.js';
import { EtcdClient } from './client/client.js';
import { EtcdError } from './client/endpoint.js';
import { DELETED, METHODS, RESULT, TARGET } from './client/messages.js';
import { Keys } from './keys.js';
import { Membership } from './membership.js';
import { decodeRecord, entriesOf, entryOf, type ProviderRecord } from './record.js';
import type { SharedLogLogger, SharedLogSettings } from './settings.js';
import { type Mark, StoreMark } from './store-mark.js';
import { checkVersion, findChange, readEpoch, readState, type StoreState } from './store-state.js';
import { Watch, type WatchEvent } from './watch.js';
import { type Known, Writer } from './writer.js';

/** Figures for monitoring. */
export interface SharedLogFigures {
  /** The name of this run of the hub in the store. */
  hub: string;
  epoch: string;
  revision: number;
  /** How often the whole store was read: at the start, and after compactions that were slept through. */
  loads: number;
  /** Time since the last renewal of the lease, in milliseconds. */
  leaseAgeMs: number;
  watchRestarts: Readonly<Record<string, number>>;
  transactions: number;
  records: number;
  conflicts: number;
}

const TICK_MS = 500;
/** After this much silence from etcd, writes count as failing, in milliseconds. */
const SILENCE_MS = 5000;
/** How long writes count as failing after a failed transaction, if no other follows, in milliseconds. */
const PROBLEM_MS = 10_000;
/** How often it is tried whether a problem has passed, in milliseconds. */
const PROBE_MS = 2000;
const RETRY_MS = 500;

/**
 * The log that several hubs share, in etcd: one record per provider, whose revisions are the positions. This hub's own entries and those of
 * others come back through one watch, in the store's order.
 */
export class SharedLog implements Log {
  readonly epoch: string;
  readonly #client: EtcdClient;
  readonly #keys: Keys;
  readonly #log: SharedLogLogger;
  readonly #membership: Membership;
  readonly #writer: Writer;
  readonly #mark: StoreMark;
  #loads = 1;
  /** What has become of the store where it is another than the one that was followed; null while it is the same. */
  #change: string | null = null;
  #watch: Watch | null = null;
  /** The initial state, to be delivered first; null once it is. */
  #start: StoreState | null;
  #position: number;
  readonly #known = new Map<string, Known>();
  /** The running hubs. */
  #hubs = new Set<string>();
  readonly #bindings = new Bindings();
  #deliver: Deliver = () => undefined;
  #follower: LogFollower = NOT_FOLLOWED;
  #problemAt = 0;
  #probedAt = 0;
  #endTicks: CallOff | null = null;
  #isClosing = false;

  private constructor(
    client: EtcdClient,
    keys: Keys,
    epoch: string,
    start: StoreState,
    membership: Membership,
    mark: StoreMark,
    log: SharedLogLogger,
  ) {
    this.#client = client;
    this.#keys = keys;
    this.epoch = epoch;
    this.#start = start;
    this.#position = start.revision;
    this.#membership = membership;
    this.#mark = mark;
    this.#log = log;
    this.#writer = new Writer(client, keys, {
      hub: () => this.hub,
      position: () => this.#position,
      known: (providerId) => this.#known.get(providerId),
    });
  }

  /** Opens the log of a store. Everything it keeps is delivered, as entries at one position. */
  static in(settings: SharedLogSettings, log: SharedLogLogger): OpenLog<SharedLog> {
    return async (sink) => SharedLog.over(await EtcdClient.open(settings), settings, log)(sink);
  }

  /** Like `in`, with an existing client, which the log will close. */
  static over(
    client: EtcdClient,
    {
      endpoints,
      prefix,
      hubName,
      markPath,
    }: Pick<SharedLogSettings, 'endpoints' | 'prefix' | 'hubName' | 'markPath'>,
    log: SharedLogLogger,
  ): OpenLog<SharedLog> {
    return async () => {
      const keys = new Keys(prefix);
      const membership = new Membership(client, keys, hubName);
      const mark = new StoreMark(markPath, log);
      try {
        await checkVersion(client);
        const found = await readEpoch(client, keys);
        await mark.check(found, String(keys.identity));
        const start = await readState(client, keys);
        await membership.join();
        return new SharedLog(client, keys, found.epoch, start, membership, mark, log);
      } catch (error) {
        client.close();
        if (!(error instanceof EtcdError)) throw error;
        throw new Error(
          `etcd at ${endpoints.join(', ')} cannot be used: ${error.advice}; check DISCOVERY_ETCD_…, and whether etcd is running`,
          { cause: error },
        );
      }
    };
  }

  get hub(): string {
    return this.#change === null ? this.#membership.hub : '';
  }

  get isShared(): boolean {
    return true;
  }

  get position(): number {
    return this.#position;
  }

  get pending(): number {
    return this.#writer.pending;
  }

  get lagMs(): number {
    return this.#writer.lagMs;
  }

  get silentMs(): number {
    return Math.max(this.#membership.ageMs, this.#watch?.silentMs ?? 0);
  }

  get problem(): string | null {
    if (this.#change !== null) return this.#change;
    const { silentMs } = this;
    if (silentMs > SILENCE_MS) return `etcd has not answered for ${Math.round(silentMs / 1000)} s`;
    const isRecent = this.#client.timers.now() - this.#problemAt < PROBLEM_MS;
    return isRecent ? this.#writer.problem : null;
  }

  get figures(): SharedLogFigures {
    return {
      hub: this.hub,
      epoch: this.epoch,
      revision: this.#position,
      loads: this.#loads,
      leaseAgeMs: this.#membership.ageMs,
      watchRestarts: this.#watch?.restarts ?? {},
      ...this.#writer.counts,
    };
  }

  deliverTo(deliver: Deliver, follower: LogFollower = NOT_FOLLOWED): void {
    this.#deliver = deliver;
    this.#follower = follower;
    if (this.#start === null) return;
    const start = this.#start;
    this.#start = null;
    this.#take(start);
    this.#follow();
    this.#endTicks = this.#client.timers.every(TICK_MS, () => {
      this.#writer.tick();
      void this.#probe();
      this.#mark.note(this.#followed, this.#client.timers.now());
    });
  }

  propose(entry: Entry): Promise<number> {
    if (entry.kind === 'end') return Promise.reject(new TypeError('a hub cannot propose an end'));
    if (this.#change !== null) return Promise.reject(new PersistenceError(this.#change));
    const proposal = this.#writer.propose(entry);
    proposal.then(
      // The watch may deliver a write before its response arrives.
      () => {
        this.#problemAt = Number.NEGATIVE_INFINITY;
      },
      () => {
        this.#problemAt = this.#client.timers.now();
      },
    );
    return proposal;
  }

  /** While the store refuses writes, tries whether it takes one again: nobody may write for as long as the hub says that it cannot. */
  async #probe(): Promise<void> {
    const { timers } = this.#client;
    if (this.problem === null || this.hub === '' || timers.now() - this.#probedAt < PROBE_MS) return;
    this.#probedAt = timers.now();
    try {
      await this.#membership.affirm();
      this.#writer.problem = null;
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      this.#problemAt = timers.now();
    }
  }

  /** Heartbeats are not shared: a hub vouches for its sessions as long as it runs. */
  saveHeartbeats(): void {
    return;
  }

  /** Each hub keeps its own per-address counts, which end with it. */
  saveCounts(): void {
    return;
  }

  /** Removes lapsed bindings. Expired advertisements are removed by entries. */
  purge(_expiredIds: string[], now: number): void {
    const lapsed = this.#bindings.lapsed(now);
    if (lapsed.length > 0) void this.#remove(lapsed);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#writer.close();
    await this.#membership.leave();
    this.#endTicks?.();
    this.#watch?.close();
    await this.#mark.close(this.#followed);
    this.#client.close();
  }

  // ---- what the watch delivers --------------------------------------------------------------------------------

  get #followed(): Mark {
    return { epoch: this.epoch, revision: this.#position };
  }

  /**
   * Whether the store is the one that was followed. Where it is not, the hub neither writes nor follows any more, and gives up its lease: to those
   * who ask it has lost the store.
   */
  async #isSame(): Promise<boolean> {
    const change = await findChange(this.#client, this.#keys, this.#followed);
    if (change === null || this.#change !== null) return change === null;
    this.#change = change;
    this.#log.error(change);
    void this.#membership.leave();
    return false;
  }

  #follow(): void {
    this.#watch = new Watch(this.#client, this.#keys.all, this.#position, {
      mayBegin: () => this.#isSame(),
      revision: (revision, events) => {
        this.#position = revision;
        for (const event of events) this.#apply(event, revision);
        this.#reached(revision);
      },
      reached: (revision) => {
        this.#position = revision;
        this.#reached(revision);
      },
      compacted: () => {
        void this.#beginAnew();
      },
    });
  }

  #reached(revision: number): void {
    this.#follower.reached(revision);
    this.#writer.reached(revision);
  }

  #apply({ type, kv }: WatchEvent, revision: number): void {
    const read = kv === null ? null : this.#keys.read(kv.key);
    if (kv === null || read === null) return;
    if (read.kind === 'hub') {
      if (type === DELETED) this.#hubEnded(read.id, revision);
      else this.#hubs.add(read.id);
    } else if (type === DELETED) {
      this.#known.delete(read.id);
      this.#bindings.delete(read.id);
    } else {
      this.#recordChanged(read.id, kv.value, revision);
    }
  }

  #recordChanged(providerId: string, value: Uint8Array, revision: number): void {
    let record: ProviderRecord;
    try {
      record = decodeRecord(value);
    } catch (error) {
      this.#log.error(
        `the record of ${providerId} at revision ${revision} cannot be read: ${(error as Error).message}`,
      );
      return;
    }
    const own = this.#writer.entryOf(record.writeId);
    this.#know(providerId, record, revision, own !== undefined);
    const origin = own?.kind === 'advertise' ? own.origin : null;
    const entry = entryOf(providerId, record, origin);
    const error = entry === null ? null : this.#tell(entry, revision);
    this.#writer.applied(record.writeId, revision, error);
  }

  #know(
    providerId: string,
    { session, advertisement, identity }: ProviderRecord,
    revision: number,
    isOwn: boolean,
  ): void {
    const before = this.#known.get(providerId);
    const foreignRevision = isOwn ? (before?.foreignRevision ?? 0) : revision;
    // A late write may name a session whose hub has ended meanwhile.
    const open = session !== null && this.#hubs.has(session.hub) ? session : null;
    this.#known.set(providerId, { revision, foreignRevision, session: open });
    if (advertisement === null && open === null && identity !== null)
      this.#bindings.set(providerId, identity.publicKey, identity.seenAt);
    else this.#bindings.delete(providerId);
  }

  #hubEnded(hub: string, revision: number): void {
    this.#hubs.delete(hub);
    for (const known of this.#known.values()) if (known.session?.hub === hub) known.session = null;
    this.#tell({ kind: 'end', hub }, revision);
    if (hub !== this.#membership.hub || this.#isClosing) return;
    this.#log.warn(
      'the other hubs declared this one dead, because it was silent for too long; it is joining again',
    );
    void this.#membership.rejoin();
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

  /** etcd has compacted the revisions this hub needs, because it stalled for too long. */
  async #beginAnew(): Promise<void> {
    this.#log.warn(
      'etcd has compacted changes that this hub had not seen yet; it is reading everything again',
    );
    while (!this.#isClosing) {
      try {
        if (!(await this.#isSame())) return;
        const state = await readState(this.#client, this.#keys);
        this.#loads += 1;
        this.#follower.leapt(state.revision);
        this.#take(state);
        this.#follow();
        return;
      } catch (error) {
        if (!(error instanceof EtcdError)) throw error;
        await passed(this.#client.timers, RETRY_MS);
      }
    }
  }

  /** Turns the known state into that of the store at a revision, in one step. */
  #take({ revision, hubs, providers }: StoreState): void {
    this.#position = revision;
    this.#hubs = hubs;
    const ended = new Set<string>();
    for (const [providerId, { session }] of this.#known) {
      if (session !== null && !hubs.has(session.hub)) ended.add(session.hub);
      if (providers.has(providerId)) continue;
      this.#tell({ kind: 'withdraw', providerId, identity: null }, revision);
      this.#known.delete(providerId);
    }
    if (this.#membership.isDueAt(revision) && !hubs.has(this.hub)) ended.add(this.hub);
    for (const hub of ended) this.#hubEnded(hub, revision);
    for (const [providerId, { revision: written, record }] of providers) {
      const known = this.#known.get(providerId);
      if (known?.revision === written) continue;
      const session = record.session !== null && hubs.has(record.session.hub) ? record.session : null;
      this.#know(providerId, { ...record, session }, written, false);
      if (known !== undefined && record.advertisement === null)
        this.#tell({ kind: 'withdraw', providerId, identity: record.identity }, revision);
      // A session that goes on, or has moved, is none that ends: nobody is told that the provider was suspect.
      if (known?.session && session === null)
        this.#tell({ kind: 'detach', providerId, ...known.session }, revision);
      for (const entry of entriesOf(providerId, { ...record, session })) this.#tell(entry, revision);
      this.#writer.applied(record.writeId, revision, null);
    }
    this.#reached(revision);
  }

  /** Removes obsolete records, unless they have changed meanwhile. */
  async #remove(providerIds: readonly string[]): Promise<void> {
    const { hub } = this;
    if (hub === '') return;
    const fence = { target: TARGET.version, result: RESULT.greater, key: this.#keys.hub(hub), version: 0 };
    const success = providerIds.map((providerId) => {
      const key = this.#keys.provider(providerId);
      const modRevision = this.#known.get(providerId)?.revision ?? 0;
      const compare = [{ target: TARGET.modRevision, result: RESULT.equal, key, modRevision }];
      return { txn: { compare, success: [{ delete: { key } }] } };
    });
    try {
      await this.#client.call(METHODS.txn, { compare: [fence], success });
    } catch (error) {
      if (!(error instanceof EtcdError)) throw new PersistenceError(String(error));
      // The next purge will find them again.
    }
  }
}
