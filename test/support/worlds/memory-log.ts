import type { DurableEntry, Entry } from '../../../src/registry/entry.js';
import { LocalOrder } from '../../../src/registry/local-order.js';
import {
  type Deliver,
  type HeartbeatBatch,
  type Log,
  type OpenLog,
  PersistenceError,
} from '../../../src/registry/log.js';
import type { ClockAnchor } from '../../../src/lib/clock.js';
import type {
  AdvertisementRecord,
  CountRecord,
  IdentityRecord,
} from '../../../src/registry/store/records.js';

/** One write that was asked for, in the order in which they were. */
export type Write =
  | { kind: 'advertise'; record: AdvertisementRecord; identity: IdentityRecord | null }
  | { kind: 'withdraw'; providerId: string; identity: IdentityRecord | null }
  | { kind: 'identity'; identity: IdentityRecord }
  | { kind: 'heartbeats'; batch: HeartbeatBatch }
  | { kind: 'counts'; records: CountRecord[] }
  | { kind: 'purge'; expiredIds: string[]; wall: number };

interface Waiting {
  since: number;
  resolve: () => void;
  reject: (error: Error) => void;
}

/** A copy, because what travels to a disk is what was there when it was asked for. */
function writeOf(entry: DurableEntry): Write {
  const identity = entry.identity && { ...entry.identity };
  if (entry.kind === 'advertise') return { kind: 'advertise', record: { ...entry.record }, identity };
  if (entry.kind === 'withdraw') return { kind: 'withdraw', providerId: entry.providerId, identity };
  return { kind: 'identity', identity: { ...entry.identity } };
}

/** What outlives a log in memory, as a file outlives the process. */
export class MemoryDisk {
  readonly rows = new Map<string, AdvertisementRecord>();
  readonly identities = new Map<string, IdentityRecord>();
  anchor: ClockAnchor | null = null;
  readonly counts = new Map<string, CountRecord>();
}

/**
 * The log in memory. It keeps rows as a disk would. Writes are durable at once, unless they are held back: then the test says when each
 * becomes durable, or that it fails, in order. After `crash` another log may be opened on the same disk.
 */
export class MemoryLog implements Log {
  readonly writes: Write[] = [];
  readonly disk: MemoryDisk;
  problem: string | null = null;
  readonly #order = new LocalOrder();
  #held = false;
  #crashed = false;
  #closed = false;
  readonly #waiting: { write: Write; waiting: Waiting | null }[] = [];

  constructor(disk = new MemoryDisk()) {
    this.disk = disk;
  }

  /** Opens a log on what a disk has kept. */
  static in(disk: MemoryDisk): OpenLog<MemoryLog> {
    return (sink) => {
      if (disk.anchor !== null) sink.clock(disk.anchor);
      sink.expect(disk.rows.size);
      for (const identity of disk.identities.values()) sink.identity({ ...identity });
      for (const record of disk.rows.values()) {
        if (record.attached && disk.anchor !== null)
          record.updatedAt = Math.max(record.updatedAt, disk.anchor.steady);
        // The next log asks who was attached in this one.
        record.attached = false;
        sink.advertisement({ ...record });
      }
      for (const record of disk.counts.values()) sink.count(record);
      return Promise.resolve(new MemoryLog(disk));
    };
  }

  get epoch(): string {
    return this.#order.epoch;
  }

  get position(): number {
    return this.#order.position;
  }

  get hub(): string {
    return this.#order.hub;
  }

  get isShared(): boolean {
    return false;
  }

  get silentMs(): number {
    return 0;
  }

  get rows(): Map<string, AdvertisementRecord> {
    return this.disk.rows;
  }

  get identities(): Map<string, IdentityRecord> {
    return this.disk.identities;
  }

  get pending(): number {
    return this.#waiting.length;
  }

  get lagMs(): number {
    const oldest = this.#waiting.find(({ waiting }) => waiting !== null)?.waiting;
    return oldest ? performance.now() - oldest.since : 0;
  }

  /** Nothing more gets to the disk, and nobody hears what became of their writes. */
  crash(): void {
    this.#crashed = true;
    this.#waiting.length = 0;
  }

  /** From now on writes wait for `succeed` or `fail`. */
  hold(): void {
    this.#held = true;
  }

  /** How many writes wait that somebody waits for. */
  get waiting(): number {
    return this.#waiting.filter(({ waiting }) => waiting !== null).length;
  }

  /** The next write becomes durable, and those before it that nobody waits for. */
  async succeed(): Promise<void> {
    this.#take()?.resolve();
    await new Promise(setImmediate);
  }

  /** The next write fails: the disk is full, or the program has a bug. */
  async fail(error: Error = new PersistenceError('the disk is full')): Promise<void> {
    this.#take(false)?.reject(error);
    await new Promise(setImmediate);
  }

  /** All that waits becomes durable. */
  async release(): Promise<void> {
    this.#held = false;
    while (this.#waiting.length > 0) await this.succeed();
  }

  deliverTo(deliver: Deliver): void {
    this.#order.deliverTo(deliver);
  }

  propose(entry: Entry): Promise<number> {
    return this.#order.propose(entry, (durable) => this.#write(writeOf(durable), durable));
  }

  saveHeartbeats(batch: HeartbeatBatch): void {
    if (batch.providerIds.length === 0 && !this.#held && !this.#crashed) {
      this.disk.anchor = batch.anchor ?? this.disk.anchor;
      return;
    }
    void this.#write({ kind: 'heartbeats', batch }, null);
  }

  saveCounts(records: readonly CountRecord[]): void {
    void this.#write({ kind: 'counts', records: [...records] }, null);
  }

  purge(expiredIds: string[], wall: number): void {
    void this.#write({ kind: 'purge', expiredIds, wall }, null);
  }

  close(): Promise<void> {
    this.#closed = true;
    return this.release();
  }

  /** @param entry What to deliver once it is written; null where nobody waits for it. */
  #write(write: Write, entry: DurableEntry | null): Promise<number> {
    this.writes.push(write);
    if (this.#closed && entry !== null) {
      return Promise.reject(new PersistenceError('the hub is shutting down'));
    }
    if (this.#crashed) return new Promise(() => undefined);
    if (!this.#held && this.#waiting.length === 0) {
      this.#apply(write);
      return new Promise((resolve) => {
        resolve(entry === null ? this.position : this.#order.deliver(entry));
      });
    }
    return new Promise((resolve, reject) => {
      const deliver = (): void => {
        try {
          resolve(this.#order.deliver(entry!));
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      const waiting = entry === null ? null : { since: performance.now(), resolve: deliver, reject };
      this.#waiting.push({ write, waiting });
    });
  }

  #take(successful = true): Waiting | null {
    for (;;) {
      const next = this.#waiting.shift();
      if (next === undefined) return null;
      if (successful || next.waiting === null) this.#apply(next.write);
      if (next.waiting !== null) return next.waiting;
    }
  }

  #apply(write: Write): void {
    switch (write.kind) {
      case 'advertise':
        this.rows.set(write.record.providerId, write.record);
        if (write.identity !== null) this.identities.set(write.identity.providerId, write.identity);
        return;
      case 'withdraw':
        this.rows.delete(write.providerId);
        if (write.identity !== null) this.identities.set(write.identity.providerId, write.identity);
        return;
      case 'identity':
        this.identities.set(write.identity.providerId, write.identity);
        return;
      case 'heartbeats':
        this.disk.anchor = write.batch.anchor ?? this.disk.anchor;
        write.batch.providerIds.forEach((id, index) => {
          const row = this.rows.get(id);
          if (row === undefined) return;
          const { updatedAt, attached } = write.batch;
          this.rows.set(id, { ...row, updatedAt: updatedAt[index]!, attached: attached[index] === 1 });
        });
        return;
      case 'counts':
        for (const record of write.records) this.disk.counts.set(`${record.kind} ${record.key}`, record);
        return;
      case 'purge':
        for (const id of write.expiredIds) this.rows.delete(id);
        for (const [id, { endsAt }] of this.disk.counts)
          if (endsAt <= write.wall) this.disk.counts.delete(id);
    }
  }
}
