import { passed } from '../../lib/timers.js';
import type { CopiedSession } from '../local-copy.js';
import { ConflictError, PersistenceError } from '../log.js';
import type { EtcdClient } from './client/client.js';
import { EtcdError } from './client/endpoint.js';
import { type InnerTxn, type KeyValue, METHODS, RESULT, TARGET, type TxnAnswer } from './client/messages.js';
import type { Keys } from './keys.js';
import {
  decodeRecord,
  encodeRecord,
  type ProviderEntry,
  providerOf,
  type ProviderRecord,
  recordAfter,
} from './record.js';

/** What is known about a provider's record as of the last applied revision. */
export interface Known {
  /** The record's revision. */
  revision: number;
  /** The last revision at which another hub wrote it. */
  foreignRevision: number;
  /** The open session. */
  session: CopiedSession | null;
}

/** What a writer needs from the log. */
export interface WriterHost {
  /** The name of this run of the hub; empty while it is no member. */
  hub(): string;
  /** The last applied revision. */
  position(): number;
  known(providerId: string): Known | undefined;
  /** Whether a provider's record cannot be read. */
  isUnreadable(providerId: string): boolean;
  /** The store has a record of a provider at a revision that is applied, and this one was not. */
  missed(providerId: string, revision: number): void;
}

interface Proposal {
  entry: ProviderEntry;
  providerId: string;
  /** The last revision written by another hub, when it was proposed. */
  foreignRevision: number;
  writeId: string;
  since: number;
  isSettled: boolean;
  resolve: (position: number) => void;
  reject: (error: Error) => void;
}

interface Write {
  proposal: Proposal;
  revision: number;
  value: Buffer;
}

/** etcd accepts 128 operations per transaction, nested ones included. */
const MAX_BATCH = 100;
/** etcd accepts 1.5 MiB. */
const MAX_BATCH_BYTES = 1_400_000;
const MAX_UNDER_WAY = 2;
/** How many proposals may wait; further ones are refused. */
const MAX_WAITING = 50_000;
/** How long a proposal may take overall, in milliseconds. */
const DEADLINE_MS = 5000;
const NO_VALUE = Buffer.alloc(0);
const NOT_A_MEMBER = 'the other hubs declared this one dead; it is joining again';

/** Entries based on a decision by their proposer: if another hub writes in between, they have to be decided again. */
const DECIDED: ReadonlySet<ProviderEntry['kind']> = new Set(['advertise', 'withdraw', 'bind', 'expire']);

/** Whether an entry leaves most of the record as it is. Unsigned ones say nothing about the key. */
function isAmending(entry: ProviderEntry): boolean {
  return (entry.kind !== 'advertise' && entry.kind !== 'withdraw') || entry.identity === null;
}

/**
 * Writes entries to the store, many in one transaction: each only if its record still has the revision that was last applied, and all of
 * them only while this hub counts as running. Entries of one provider are written in sequence.
 */
export class Writer {
  readonly #client: EtcdClient;
  readonly #keys: Keys;
  readonly #host: WriterHost;
  readonly #queues = new Map<string, Proposal[]>();
  /** Providers whose first proposal is not in progress. */
  readonly #ready = new Set<string>();
  readonly #byWriteId = new Map<string, Proposal>();
  /** Called once a revision is applied. */
  #waiters: { revision: number; go: () => void }[] = [];
  #underWay = 0;
  #isStarting = false;
  #count = 0;
  #isClosing = false;
  /** Why the last transaction failed; null if it did not. */
  problem: string | null = null;
  /** How many transactions were made, records written, and writes prevented by those of others. */
  readonly counts = { transactions: 0, records: 0, conflicts: 0 };

  constructor(client: EtcdClient, keys: Keys, host: WriterHost) {
    this.#client = client;
    this.#keys = keys;
    this.#host = host;
  }

  /** How many proposals are not settled. */
  get pending(): number {
    return this.#byWriteId.size;
  }

  /** Age of the oldest of them, in milliseconds; 0 if there is none. */
  get lagMs(): number {
    const [oldest] = this.#byWriteId.values();
    return oldest === undefined ? 0 : this.#client.timers.now() - oldest.since;
  }

  /**
   * Writes an entry. Resolves with its revision once that is applied, or with the present one if it has no effect.
   * @throws PersistenceError (as a rejection) if it may not have been written; ConflictError if another hub has written meanwhile.
   */
  propose(entry: ProviderEntry): Promise<number> {
    if (this.#isClosing) return Promise.reject(new PersistenceError('the hub is shutting down'));
    if (this.pending >= MAX_WAITING) {
      const why = `overloaded: ${MAX_WAITING} writes are waiting for etcd; try again later`;
      return Promise.reject(new PersistenceError(why));
    }
    const providerId = providerOf(entry);
    if (this.#host.isUnreadable(providerId))
      return Promise.reject(new PersistenceError(unreadable(providerId)));
    this.#count += 1;
    const writeId = `${this.#host.hub()}/${this.#count}`;
    return new Promise((resolve, reject) => {
      const foreignRevision = this.#host.known(providerId)?.foreignRevision ?? 0;
      const base = { entry, providerId, foreignRevision, writeId, since: this.#client.timers.now() };
      const proposal: Proposal = { ...base, isSettled: false, resolve, reject };
      this.#byWriteId.set(writeId, proposal);
      const queue = this.#queues.get(providerId);
      if (queue !== undefined) {
        queue.push(proposal);
        return;
      }
      this.#queues.set(providerId, [proposal]);
      this.#ready.add(providerId);
      this.#start();
    });
  }

  /** The entry with a write id; undefined for one of another hub, or one that nobody is waiting for any more. */
  entryOf(writeId: string): ProviderEntry | undefined {
    return this.#byWriteId.get(writeId)?.entry;
  }

  /** A record was applied. @param error What applying it threw. */
  applied(writeId: string, revision: number, error: Error | null): void {
    const proposal = this.#byWriteId.get(writeId);
    if (proposal === undefined) return;
    this.#settle(proposal, () => {
      if (error === null) proposal.resolve(revision);
      else proposal.reject(error);
    });
  }

  /** Everything up to a revision is applied. */
  reached(revision: number): void {
    if (this.#waiters.length === 0) return;
    const due = this.#waiters.filter((waiter) => waiter.revision <= revision);
    this.#waiters = this.#waiters.filter((waiter) => waiter.revision > revision);
    for (const { go } of due) go();
  }

  /** Fails proposals that take too long. Called periodically. */
  tick(): void {
    const now = this.#client.timers.now();
    for (const proposal of this.#byWriteId.values()) {
      if (now - proposal.since < DEADLINE_MS + 1000) return;
      this.#fail(proposal, new PersistenceError('etcd did not confirm the write in time'));
    }
  }

  /** Accepts nothing more, and waits for what is in progress. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const end = this.#client.timers.now() + DEADLINE_MS;
    while (this.pending > 0 && this.#client.timers.now() < end) await passed(this.#client.timers, 20);
    for (const proposal of [...this.#byWriteId.values()])
      this.#fail(proposal, new PersistenceError('the hub is shutting down'));
  }

  /** Everything proposed in the present event-loop iteration shares the first transaction. */
  #start(): void {
    if (this.#isStarting) return;
    this.#isStarting = true;
    void this.#client.timers.turn().then(() => {
      this.#isStarting = false;
      while (this.#underWay < MAX_UNDER_WAY && this.#ready.size > 0) {
        this.#underWay += 1;
        void this.#work(this.#take()).finally(() => {
          this.#underWay -= 1;
          if (this.#ready.size > 0) this.#start();
        });
      }
    });
  }

  #take(): Proposal[] {
    const batch: Proposal[] = [];
    for (const providerId of this.#ready) {
      if (batch.length === MAX_BATCH) break;
      this.#ready.delete(providerId);
      batch.push(this.#queues.get(providerId)![0]!);
    }
    return batch;
  }

  async #work(batch: readonly Proposal[]): Promise<void> {
    try {
      const hub = this.#host.hub();
      if (hub === '') throw new PersistenceError(NOT_A_MEMBER);
      const read = await this.#read(batch.filter(({ entry }) => isAmending(entry)));
      const writes = this.#prepare(hub, batch, read);
      if (writes.length > 0) await this.#write(hub, writes);
      this.problem = null;
    } catch (error) {
      const failure =
        error instanceof EtcdError ? new PersistenceError(`etcd: ${error.advice}`) : (error as Error);
      if (error instanceof EtcdError) this.problem = failure.message;
      for (const proposal of batch) this.#fail(proposal, failure);
    }
  }

  /** The records that are about to be amended. */
  async #read(proposals: readonly Proposal[]): Promise<Map<string, KeyValue>> {
    const known = proposals.filter(({ providerId }) => this.#host.known(providerId) !== undefined);
    const read = new Map<string, KeyValue>();
    if (known.length === 0) return read;
    const success = known.map(({ providerId }) => ({ range: { key: this.#keys.provider(providerId) } }));
    const { responses } = await this.#client.call(METHODS.txn, { success }, DEADLINE_MS);
    for (const [index, { range }] of responses.entries()) {
      const [kv] = range?.kvs ?? [];
      if (kv !== undefined) read.set(known[index]!.providerId, kv);
    }
    return read;
  }

  /** Builds the records. What exceeds one transaction waits for the next. */
  #prepare(hub: string, batch: readonly Proposal[], read: ReadonlyMap<string, KeyValue>): Write[] {
    const writes: Write[] = [];
    let bytes = 0;
    for (const proposal of batch) {
      if (proposal.isSettled) continue;
      const { providerId, entry } = proposal;
      if (entry.kind === 'attach' && entry.hub !== hub) {
        // Nothing would ever end a session of a run that is over.
        this.#fail(proposal, new PersistenceError(NOT_A_MEMBER));
        continue;
      }
      const known = this.#host.known(providerId);
      if (DECIDED.has(entry.kind) && (known?.foreignRevision ?? 0) !== proposal.foreignRevision) {
        this.counts.conflicts += 1;
        this.#fail(proposal, new ConflictError());
        continue;
      }
      const kv = read.get(providerId);
      const revision = known?.revision ?? 0;
      if (isAmending(entry) && (kv?.modRevision ?? 0) !== revision) {
        this.#conflict(proposal, kv?.modRevision ?? 0);
        continue;
      }
      let record: ProviderRecord | null;
      try {
        record = recordAfter(stateOf(providerId, known, kv), entry, proposal.writeId);
      } catch (error) {
        // It must not take the rest of the batch with it.
        this.#fail(proposal, new PersistenceError((error as Error).message));
        continue;
      }
      if (record === null) {
        this.#settle(proposal, () => {
          proposal.resolve(this.#host.position());
        });
        continue;
      }
      const value = encodeRecord(record);
      if (writes.length > 0 && bytes + value.length > MAX_BATCH_BYTES) {
        this.#again(proposal);
        continue;
      }
      bytes += value.length;
      writes.push({ proposal, revision, value });
    }
    return writes;
  }

  async #write(hub: string, writes: readonly Write[]): Promise<void> {
    const fence = { target: TARGET.version, result: RESULT.greater, key: this.#keys.hub(hub), version: 0 };
    const answer = await this.#client.call(
      METHODS.txn,
      {
        compare: [fence],
        success: writes.map((write) => ({ txn: this.#txnOf(write) })),
        // etcd looks for puts in the outer transaction alone: without this one, a full quota would keep no record out.
        failure: [{ put: { key: this.#keys.refused, value: NO_VALUE } }],
      },
      DEADLINE_MS,
    );
    this.counts.transactions += 1;
    if (!answer.succeeded) throw new PersistenceError(NOT_A_MEMBER);
    this.#answered(writes, answer);
  }

  #txnOf({ proposal, revision, value }: Write): InnerTxn {
    const key = this.#keys.provider(proposal.providerId);
    return {
      compare: [{ target: TARGET.modRevision, result: RESULT.equal, key, modRevision: revision }],
      success: [{ put: { key, value } }],
      failure: [{ range: { key } }],
    };
  }

  #answered(writes: readonly Write[], { responses }: TxnAnswer): void {
    for (const [index, { proposal }] of writes.entries()) {
      const inner = responses[index]?.txn;
      if (inner === null || inner === undefined)
        throw new PersistenceError('etcd sent an unexpected response');
      // A write takes effect once the watch delivers it.
      if (inner.succeeded) this.counts.records += 1;
      else this.#conflict(proposal, inner.responses[0]?.range?.kvs[0]?.modRevision ?? 0);
    }
  }

  /** The record has changed up to a revision, possibly by this very proposal, if the response to it was lost. */
  #conflict(proposal: Proposal, revision: number): void {
    const go = (): void => {
      if (proposal.isSettled) return;
      const { providerId } = proposal;
      this.counts.conflicts += 1;
      const known = this.#host.known(providerId);
      if ((known?.revision ?? 0) < revision) {
        // A record of which nothing is known may also have been deleted since.
        if (known !== undefined) this.#host.missed(providerId, revision);
        this.#fail(proposal, new PersistenceError(unreadable(providerId)));
        return;
      }
      if (DECIDED.has(proposal.entry.kind)) this.#fail(proposal, new ConflictError());
      else if (this.#client.timers.now() - proposal.since < DEADLINE_MS) this.#again(proposal);
      else this.#fail(proposal, new PersistenceError('other hubs keep writing the same record'));
    };
    if (revision <= this.#host.position()) go();
    else this.#waiters.push({ revision, go });
  }

  #again({ providerId }: Proposal): void {
    this.#ready.add(providerId);
    this.#start();
  }

  #fail(proposal: Proposal, error: Error): void {
    this.#settle(proposal, () => {
      proposal.reject(error);
    });
  }

  #settle(proposal: Proposal, tell: () => void): void {
    if (proposal.isSettled) return;
    proposal.isSettled = true;
    this.#byWriteId.delete(proposal.writeId);
    const queue = this.#queues.get(proposal.providerId)!;
    const isFirst = queue[0] === proposal;
    queue.splice(queue.indexOf(proposal), 1);
    if (queue.length === 0) {
      this.#queues.delete(proposal.providerId);
      this.#ready.delete(proposal.providerId);
    } else if (isFirst) {
      this.#again(queue[0]!);
    }
    tell();
  }
}

const unreadable = (providerId: string): string => `the record of ${providerId} in etcd cannot be read`;

/** The state that an entry is based on: as read, with the session that is actually open. */
function stateOf(
  providerId: string,
  known: Known | undefined,
  kv: KeyValue | undefined,
): ProviderRecord | null {
  const session = known?.session ?? null;
  if (kv !== undefined) return { ...decodeRecord(kv.value, providerId), session };
  if (known === undefined) return null;
  // Signed advertisements and withdrawals replace everything but the session.
  return {
    writeId: '',
    made: { by: 'withdraw' },
    advertisement: null,
    needsSession: false,
    identity: null,
    session,
  };
}
