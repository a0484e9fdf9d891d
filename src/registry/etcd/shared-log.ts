import type { CallOff } from '../../lib/timers.js';
import type { Entry } from '../entry.js';
import type { LocalCopy } from '../local-copy.js';
import {
  type Deliver,
  type Log,
  type LogFollower,
  NOT_FOLLOWED,
  type OpenLog,
  PersistenceError,
} from '../log.js';
import { Applied } from './following/applied.js';
import { EtcdClient } from './client/client.js';
import { CopyKeeper, type KeeperHost } from './following/copy-keeper.js';
import { EtcdError } from './client/endpoint.js';
import { METHODS, RESULT, TARGET } from './client/messages.js';
import { Following } from './following/following.js';
import { Keys } from './keys.js';
import { Membership } from './membership.js';
import type { SharedLogLogger, SharedLogSettings } from './settings.js';
import { StoreMark } from './store-mark.js';
import { readStart, type Start } from './following/start.js';
import { checkVersion, isImporting, readEpoch, readRecords } from './store-state.js';
import { Writer } from './writer.js';

/** Where to keep a copy of the store for a quick start. */
export interface Copying {
  copy: LocalCopy;
  /** How old changes are when they are written, in milliseconds; 30 s if omitted. */
  lagMs?: number;
}

/** Figures for monitoring. */
export interface SharedLogFigures {
  /** The name of this run of the hub in the store. */
  hub: string;
  epoch: string;
  revision: number;
  /** How often the whole store was read: at a start without a local copy, and after compactions that were slept through. */
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

/**
 * The log that several hubs share, in etcd: one record per provider, whose revisions are the positions. This hub's own entries and those of
 * others come back through one watch, in the store's order.
 */
export class SharedLog implements Log {
  readonly epoch: string;
  readonly #client: EtcdClient;
  readonly #keys: Keys;
  readonly #membership: Membership;
  readonly #writer: Writer;
  readonly #mark: StoreMark;
  readonly #applied: Applied;
  readonly #following: Following;
  /** The initial state, to be delivered first; null once it is. */
  #start: Start | null;
  readonly #keeper: CopyKeeper | null;
  #problemAt = 0;
  #hasProblem = false;
  #probedAt = 0;
  readonly #log: SharedLogLogger;
  #endTicks: CallOff | null = null;
  #isClosing = false;

  private constructor(
    client: EtcdClient,
    keys: Keys,
    epoch: string,
    start: Start,
    membership: Membership,
    mark: StoreMark,
    copying: Copying | null,
    log: SharedLogLogger,
  ) {
    this.#client = client;
    this.#keys = keys;
    this.epoch = epoch;
    this.#start = start;
    this.#membership = membership;
    this.#log = log;
    this.#mark = mark;
    this.#writer = new Writer(client, keys, {
      hub: () => this.hub,
      position: () => this.position,
      known: (providerId) => this.#applied.known(providerId),
      isUnreadable: (providerId) => this.#applied.isUnreadable(providerId),
      missed: (providerId, revision) => {
        this.#applied.missed(providerId, revision);
      },
    });
    const host = {
      isDueAt: (revision: number) => membership.isDueAt(revision),
      hub: () => membership.hub,
      declaredDead: () => {
        if (this.#isClosing) return;
        log.warn(
          'the other hubs declared this one dead, because it was silent for too long; it is joining again',
        );
        void membership.rejoin();
      },
      entryOf: (writeId: string) => this.#writer.entryOf(writeId),
      applied: (writeId: string, revision: number, error: Error | null) => {
        this.#writer.applied(writeId, revision, error);
      },
      reached: (revision: number) => {
        this.#writer.reached(revision);
      },
    };
    const position = start.from === 'copy' ? start.mark.since : start.state.revision;
    this.#applied = new Applied(keys, position, host, log);
    const loads = start.from === 'copy' ? 0 : 1;
    this.#following = new Following(client, keys, epoch, this.#applied, loads, log, () => {
      void membership.leave();
    });
    this.#keeper = copying === null ? null : this.#keep(copying, log);
  }

  /**
   * Opens the log of a store. What the store keeps is delivered as entries at one position, but for what a local copy hands over.
   * @param copying Where to keep a copy; null for nowhere.
   */
  static in(
    settings: SharedLogSettings,
    log: SharedLogLogger,
    copying: Copying | null = null,
  ): OpenLog<SharedLog> {
    return async (sink) => SharedLog.over(await EtcdClient.open(settings), settings, log, copying)(sink);
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
    copying: Copying | null = null,
  ): OpenLog<SharedLog> {
    return async (sink) => {
      const keys = new Keys(prefix);
      const membership = new Membership(client, keys, hubName);
      const mark = new StoreMark(markPath, log);
      let start: Start | null = null;
      try {
        await checkVersion(client);
        const found = await readEpoch(client, keys);
        await mark.check(found, String(keys.identity));
        if (await isImporting(client, keys))
          log.warn(
            'an import into this store was interrupted, or goes on: this hub ends it, and has only the providers imported so far',
          );
        start = await readStart(client, keys, found, copying?.copy ?? null, sink, log);
        await membership.join();
        return new SharedLog(client, keys, found.epoch, start, membership, mark, copying, log);
      } catch (error) {
        if (start?.from === 'copy') start.watch.watch.close();
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
    return this.#following.change === null ? this.#membership.hub : '';
  }

  get isShared(): boolean {
    return true;
  }

  get position(): number {
    return this.#applied.position;
  }

  get pending(): number {
    return this.#writer.pending;
  }

  get lagMs(): number {
    return this.#writer.lagMs;
  }

  get silentMs(): number {
    return Math.max(this.#membership.ageMs, this.#following.silentMs);
  }

  get problem(): string | null {
    const { change } = this.#following;
    if (change !== null) return change;
    const { silentMs } = this;
    if (silentMs > SILENCE_MS) return `etcd has not answered for ${Math.round(silentMs / 1000)} s`;
    const isRecent = this.#client.timers.now() - this.#problemAt < PROBLEM_MS;
    return isRecent ? this.#writer.problem : null;
  }

  get figures(): SharedLogFigures {
    return {
      hub: this.hub,
      epoch: this.epoch,
      revision: this.position,
      loads: this.#following.loads,
      leaseAgeMs: this.#membership.ageMs,
      watchRestarts: this.#following.restarts,
      ...this.#writer.counts,
    };
  }

  deliverTo(deliver: Deliver, follower: LogFollower = NOT_FOLLOWED): void {
    this.#applied.deliverTo(deliver, follower);
    if (this.#start === null) return;
    const start = this.#start;
    this.#start = null;
    if (start.from === 'copy') {
      this.#applied.restore(start.copied, start.mark);
      this.#following.goOnWith(start.watch);
    } else {
      this.#applied.take(start.state);
      this.#following.begin();
    }
    this.#endTicks = this.#client.timers.every(TICK_MS, () => {
      this.#writer.tick();
      void this.#probe();
      this.#reportProblem();
      this.#keeper?.tick();
      this.#mark.note(this.#following.mark, this.#client.timers.now());
    });
  }

  propose(entry: Entry): Promise<number> {
    if (entry.kind === 'end') return Promise.reject(new TypeError('a hub cannot propose an end'));
    const { change } = this.#following;
    if (change !== null) return Promise.reject(new PersistenceError(change));
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

  /** Logs why the store cannot be written, once, and that it can be again. What has become of another store is logged already. */
  #reportProblem(): void {
    const { problem } = this;
    if ((problem !== null) === this.#hasProblem || this.#following.change !== null) return;
    this.#hasProblem = problem !== null;
    if (problem !== null) this.#log.error(`the store of the hubs cannot be written: ${problem}`);
    else this.#log.info('the store of the hubs can be written again');
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
    const lapsed = this.#applied.lapsed(now);
    if (lapsed.length > 0) void this.#remove(lapsed);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#writer.close();
    await this.#membership.leave();
    this.#endTicks?.();
    this.#following.close();
    await Promise.all([this.#mark.close(this.#following.mark), this.#keeper?.close()]);
    this.#client.close();
  }

  /** Has a copy kept of what is applied. */
  #keep({ copy, lagMs }: Copying, log: SharedLogLogger): CopyKeeper {
    const applied = this.#applied;
    const host: KeeperHost = {
      epoch: () => this.epoch,
      position: () => applied.position,
      unchangedSince: () => applied.unchangedSince,
      providers: () => applied.providers(),
      revisionOf: (providerId) => applied.known(providerId)?.revision,
      hubs: () => applied.hubs,
      read: (providerIds) => readRecords(this.#client, this.#keys, providerIds),
    };
    const keeper = new CopyKeeper(copy, this.#client.timers, host, log, lagMs);
    applied.copyTo(keeper);
    return keeper;
  }

  /** Removes obsolete records, unless they have changed meanwhile. */
  async #remove(providerIds: readonly string[]): Promise<void> {
    const { hub } = this;
    if (hub === '') return;
    const fence = { target: TARGET.version, result: RESULT.greater, key: this.#keys.hub(hub), version: 0 };
    const success = providerIds.map((providerId) => {
      const key = this.#keys.provider(providerId);
      const modRevision = this.#applied.known(providerId)?.revision ?? 0;
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
