import { EtcdError } from '../../src/registry/etcd/client/endpoint.js';
import {
  DELETED,
  type InnerTxn,
  type KeyValue,
  METHODS,
  RESULT,
  TARGET,
  type Txn,
  type TxnAnswer,
  type WatchAnswer,
} from '../../src/registry/etcd/client/messages.js';

export type StoreEvent = WatchAnswer['events'][number];

type Compare = NonNullable<Txn['compare']>[number];
type Operation = NonNullable<Txn['success']>[number];
type OperationAnswer = TxnAnswer['responses'][number];
type InnerOperation = NonNullable<InnerTxn['success']>[number];
type RangeAnswer = NonNullable<OperationAnswer['range']>;
interface Range {
  key?: Uint8Array;
  rangeEnd?: Uint8Array;
  /** 0 for the present. */
  revision?: number;
}

const NOT_FOUND = 5;
const FAILED_PRECONDITION = 9;
const OUT_OF_RANGE = 11;
/** The id of the cluster, which stays the same when the content is lost. */
export const CLUSTER = 1n;
const NOTHING = Buffer.alloc(0);
/** Of each hub. */
const LEASE_MS = 15_000;
const NO_ANSWER: OperationAnswer = { range: null, put: null, delete: null, txn: null };

/** What a store leaves out that is wrong. */
export interface StoreFaults {
  /** Writes whatever was written meanwhile. */
  ignoresRevisions?: boolean;
  /** Writes for hubs that were declared dead, too. */
  ignoresFences?: boolean;
  /** Says that it is the same as ever after its content was lost. */
  hidesLosses?: boolean;
}

interface Lease {
  ttlMs: number;
  endsAt: number;
  keys: Set<string>;
}

/** What an etcd is to whoever asks it: keys, revisions, transactions, leases. Each request is one step. */
export class Store {
  revision = 1;
  /** How often its content was lost. Requests and watches do not outlive that. */
  losses = 0;
  /** Revisions up to this one are forgotten. */
  compacted = 0;
  /** What happened at each revision, by revision. */
  readonly history = new Map<number, StoreEvent[]>();
  readonly #keys = new Map<string, KeyValue>();
  /** All keys at each revision: backups have those that are forgotten. */
  readonly #past = new Map<number, ReadonlyMap<string, KeyValue>>();
  /** What there was before the first loss, for a store that hides it. */
  #lostKeys: ReadonlyMap<string, KeyValue> | null = null;
  #lostHeader: RangeAnswer['header'] = null;
  readonly #leases = new Map<bigint, Lease>();
  readonly #faults: StoreFaults;
  readonly #now: () => number;
  readonly #onRevision: (events: readonly StoreEvent[]) => void;
  /** Of the request that is being worked on. */
  #events: StoreEvent[] = [];

  /** @param onRevision Told of each revision, when it is made. */
  constructor(faults: StoreFaults, now: () => number, onRevision: (events: readonly StoreEvent[]) => void) {
    this.#faults = faults;
    this.#now = now;
    this.#onRevision = onRevision;
  }

  /**
   * Answers what a client asks.
   * @throws EtcdError as an etcd would.
   */
  answer(path: string, message: unknown): unknown {
    switch (path) {
      case METHODS.status.path:
        return { header: this.#header, version: '3.5.99' };
      case METHODS.range.path:
        return this.#range(message as Range);
      case METHODS.txn.path:
        return this.#txn(message as Txn);
      case METHODS.leaseGrant.path:
        return this.#grant(message as { ttl: number; id: bigint });
      case METHODS.leaseKeepAlive.path:
        return this.#keepAlive(message as { id: bigint });
      case METHODS.leaseRevoke.path:
        this.#revoke((message as { id: bigint }).id);
        return { header: this.#header };
      default:
        throw new Error(`the simulation has no ${path}`);
    }
  }

  /** Ends the leases that are over. */
  tick(): void {
    for (const [id, { endsAt }] of this.#leases) if (this.#now() >= endsAt) this.#revoke(id);
  }

  /** A new leader starts all leases anew. */
  changeLeader(): void {
    for (const lease of this.#leases.values()) lease.endsAt = this.#now() + lease.ttlMs + 1000;
  }

  /** A leader that was deposed meanwhile ends a lease that is not over. @param which From 0 to 1. */
  endLeaseWrongly(which: number): void {
    const ids = [...this.#leases.keys()];
    const id = ids[Math.floor(which * ids.length)];
    if (id !== undefined) this.#revoke(id);
  }

  compact(revision: number): void {
    for (let forgotten = this.compacted + 1; forgotten <= revision; forgotten += 1)
      this.history.delete(forgotten);
    this.compacted = Math.max(this.compacted, revision);
  }

  /** All is lost; what comes next is a store made anew. */
  wipe(): void {
    this.#lose(1, new Map());
  }

  /** An older backup takes the place of what there is: all after a revision is lost. @returns Whether there is one. */
  rollBack(revision: number): boolean {
    const keys = this.#past.get(revision);
    if (keys === undefined) return false;
    this.#lose(revision, keys);
    return true;
  }

  /** What an operator does after that: the next hub that starts makes another epoch. */
  renewEpoch(identity: Uint8Array): void {
    this.#delete(textOf(identity));
    this.#commit();
  }

  /** All keys that there are. */
  get content(): readonly KeyValue[] {
    return [...this.#keys.values()];
  }

  #lose(revision: number, keys: ReadonlyMap<string, KeyValue>): void {
    this.losses += 1;
    this.#lostHeader ??= this.#header;
    this.#lostKeys ??= new Map(this.#keys);
    for (let lost = revision + 1; lost <= this.revision; lost += 1) {
      this.history.delete(lost);
      this.#past.delete(lost);
    }
    this.revision = revision;
    this.compacted = Math.min(this.compacted, revision);
    this.#keys.clear();
    this.#leases.clear();
    for (const [name, kv] of keys) {
      this.#keys.set(name, kv);
      if (kv.lease === 0n) continue;
      const lease = this.#leases.get(kv.lease) ?? { ttlMs: LEASE_MS, endsAt: 0, keys: new Set() };
      lease.endsAt = this.#now() + lease.ttlMs;
      lease.keys.add(name);
      this.#leases.set(kv.lease, lease);
    }
  }

  get #header(): { clusterId: bigint; memberId: bigint; revision: number } {
    return { clusterId: CLUSTER, memberId: 1n, revision: this.revision };
  }

  #range({ key = NOTHING, rangeEnd = NOTHING, revision = 0 }: Range): RangeAnswer {
    const from = textOf(key);
    const lost = this.#lostKeys?.get(from);
    if (this.#faults.hidesLosses === true && from.endsWith('/e') && lost !== undefined)
      return {
        header: { ...this.#lostHeader!, revision: Number.MAX_SAFE_INTEGER },
        kvs: [lost],
        more: false,
        count: 1,
      };
    const to = textOf(rangeEnd);
    if (revision !== 0 && revision < this.compacted)
      throw new EtcdError('etcdserver: mvcc: required revision has been compacted', OUT_OF_RANGE);
    const keys = (revision === 0 ? undefined : this.#past.get(revision)) ?? this.#keys;
    const found = [...keys].filter(([name]) => (to === '' ? name === from : name >= from && name < to));
    const kvs = found.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, kv]) => ({ ...kv }));
    return { header: this.#header, kvs, more: false, count: kvs.length };
  }

  #txn(txn: Txn): TxnAnswer {
    const succeeded = this.#hold(txn.compare ?? []);
    const operations = (succeeded ? txn.success : txn.failure) ?? [];
    const responses = operations.map((operation) => this.#operate(operation));
    this.#commit();
    return { header: this.#header, succeeded, responses };
  }

  #operate(operation: Operation): OperationAnswer {
    const { txn } = operation;
    if (txn === undefined) return this.#operateSimply(operation);
    const succeeded = this.#hold(txn.compare ?? []);
    const operations = (succeeded ? txn.success : txn.failure) ?? [];
    const responses = operations.map((inner) => this.#operateSimply(inner));
    return { ...NO_ANSWER, txn: { header: this.#header, succeeded, responses } };
  }

  #operateSimply({ range, put, delete: removal }: InnerOperation): OperationAnswer {
    if (range !== undefined) return { ...NO_ANSWER, range: this.#range(range) };
    if (put !== undefined) {
      this.#put(put.key ?? NOTHING, put.value ?? NOTHING, put.lease ?? 0n);
      return { ...NO_ANSWER, put: { header: this.#header } };
    }
    this.#delete(textOf(removal?.key ?? NOTHING));
    return { ...NO_ANSWER, delete: { header: this.#header } };
  }

  #hold(compares: readonly Compare[]): boolean {
    return compares.every(({ target, result, key = NOTHING, version = 0, modRevision = 0 }) => {
      const kv = this.#keys.get(textOf(key));
      if (target === TARGET.modRevision)
        return this.#faults.ignoresRevisions === true || (kv?.modRevision ?? 0) === modRevision;
      if (result === RESULT.equal) return (kv?.version ?? 0) === version;
      return this.#faults.ignoresFences === true || (kv?.version ?? 0) > version;
    });
  }

  #put(key: Uint8Array, value: Uint8Array, lease: bigint): void {
    const held = this.#leases.get(lease);
    if (lease !== 0n && held === undefined) throw new EtcdError('etcdserver: lease not found', NOT_FOUND);
    const name = textOf(key);
    held?.keys.add(name);
    const before = this.#keys.get(name);
    const modRevision = this.revision + 1;
    const kv: KeyValue = {
      key,
      value,
      lease,
      modRevision,
      createRevision: before?.createRevision ?? modRevision,
      version: (before?.version ?? 0) + 1,
    };
    this.#keys.set(name, kv);
    this.#events.push({ type: 0, kv });
  }

  #delete(name: string): void {
    if (!this.#keys.delete(name)) return;
    const gone = { key: Buffer.from(name), value: NOTHING, lease: 0n, createRevision: 0, version: 0 };
    this.#events.push({ type: DELETED, kv: { ...gone, modRevision: this.revision + 1 } });
  }

  #commit(): void {
    const events = this.#events;
    if (events.length === 0) return;
    this.#events = [];
    this.revision += 1;
    this.history.set(this.revision, events);
    this.#past.set(this.revision, new Map(this.#keys));
    this.#onRevision(events);
  }

  #grant({ ttl, id }: { ttl: number; id: bigint }): unknown {
    if (this.#leases.has(id)) throw new EtcdError('lease already exists', FAILED_PRECONDITION);
    this.#leases.set(id, { ttlMs: ttl * 1000, endsAt: this.#now() + ttl * 1000, keys: new Set() });
    return { header: this.#header, id, ttl };
  }

  #keepAlive({ id }: { id: bigint }): unknown {
    const lease = this.#leases.get(id);
    if (lease !== undefined) lease.endsAt = this.#now() + lease.ttlMs;
    return { header: this.#header, id, ttl: lease === undefined ? 0 : lease.ttlMs / 1000 };
  }

  #revoke(id: bigint): void {
    const lease = this.#leases.get(id);
    if (lease === undefined) return;
    this.#leases.delete(id);
    for (const name of lease.keys) this.#delete(name);
    this.#commit();
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
