import type { HeartbeatBatch } from '../log.js';
import type { CountRow, Operation } from './messages.js';

/** A write that somebody is waiting for. */
export interface AwaitedWrite {
  operation: Operation;
  /** `performance.now()` when it was requested. */
  since: number;
  resolve(): void;
  reject(reason: Error): void;
}

/** A write that nobody is waiting for, and what it has to come after. */
interface LazyWrite {
  operation: Operation;
  /** How many awaited writes were requested before it. */
  after: number;
}

/** The content of one transaction, in this order. */
export interface Batch {
  awaited: readonly AwaitedWrite[];
  lazy: ReadonlyMap<string, LazyWrite>;
  /** Operations that concern no provider. */
  rest: readonly Operation[];
}

/** All operations of a batch; awaited ones come first, at the same indices. */
export function operationsOf({ awaited, lazy, rest }: Batch): Operation[] {
  const operations = awaited.map((write) => write.operation);
  for (const write of lazy.values()) operations.push(write.operation);
  operations.push(...rest);
  return operations;
}

/** The share of a batch reserved for lazy writes, even if more awaited writes are waiting than fit. */
const LAZY_SHARE = 0.25;

/**
 * The queue of writes. Awaited writes leave in order of arrival. Lazy writes yield to them, and only the last one per provider (and per count)
 * is kept. They never overtake or undo another write of the same provider: they wait for those before them, and are void once a newer
 * `advertise` or `remove` is queued that replaces the whole row. If that fails, the next heartbeat or purge makes up for it.
 */
export class WriteQueue {
  #awaited: AwaitedWrite[] = [];
  #head = 0;
  /** How many awaited writes have ever been added, and taken. */
  #arrived = 0;
  #taken = 0;
  readonly #lazy = new Map<string, LazyWrite>();
  #forget: Operation | null = null;
  #clock: Operation | null = null;
  /** `performance.now()` when lazy writes began to wait; meaningless while none is waiting. */
  #lazySince = 0;

  get awaitedCount(): number {
    return this.#awaited.length - this.#head;
  }

  get lazyCount(): number {
    return this.#lazy.size + this.#rest.length;
  }

  /** `performance.now()` of the oldest waiting write; null if there is none. */
  get oldestSince(): number | null {
    const awaited = this.#awaited[this.#head]?.since ?? Infinity;
    const oldest = Math.min(awaited, this.lazyCount > 0 ? this.#lazySince : Infinity);
    return oldest === Infinity ? null : oldest;
  }

  add(write: AwaitedWrite): void {
    const { operation } = write;
    if (operation[0] === 'advertise') this.#lazy.delete(operation[1][0]);
    if (operation[0] === 'remove') this.#lazy.delete(operation[1]);
    this.#awaited.push(write);
    this.#arrived += 1;
  }

  addHeartbeats({ anchor, providerIds, updatedAt, attached }: HeartbeatBatch): void {
    if (anchor !== null) {
      if (this.lazyCount === 0) this.#lazySince = performance.now();
      this.#clock = ['clock', anchor];
    }
    providerIds.forEach((providerId, index) => {
      // Only an advertisement brings back a row that is about to be removed, not a heartbeat.
      if (this.#lazy.get(providerId)?.operation[0] === 'remove') return;
      const time = updatedAt[index];
      if (time === undefined) return;
      this.#addLazy(providerId, ['heartbeat', providerId, time, attached[index] === 1 ? 1 : 0]);
    });
  }

  addCounts(rows: readonly CountRow[]): void {
    // Provider ids contain no spaces.
    for (const row of rows) this.#addLazy(`count ${row[0]} ${row[1]}`, ['count', row]);
  }

  addPurge(expiredIds: readonly string[], wall: number): void {
    for (const providerId of expiredIds) this.#addLazy(providerId, ['remove', providerId, null]);
    if (this.lazyCount === 0) this.#lazySince = performance.now();
    this.#forget = ['forget', wall];
  }

  /** Takes the next batch of at most `limit` operations, which may be empty. */
  take(limit: number, withLazy: boolean): Batch {
    const lazyRoom = withLazy ? Math.min(this.lazyCount, Math.floor(limit * LAZY_SHARE)) : 0;
    const awaited = this.#takeAwaited(limit - lazyRoom);
    const lazy = new Map<string, LazyWrite>();
    let rest: readonly Operation[] = [];
    if (withLazy) {
      const room = limit - awaited.length - this.#rest.length;
      for (const [providerId, write] of this.#lazy) {
        if (lazy.size >= room || write.after > this.#taken) break;
        lazy.set(providerId, write);
        this.#lazy.delete(providerId);
      }
      // The anchor must not overtake the heartbeats: whoever is attached in the file was so when the clock was read.
      const isComplete = this.#lazy.size === 0;
      rest = isComplete ? this.#rest : this.#rest.filter((operation) => operation !== this.#clock);
      this.#forget = null;
      if (isComplete) this.#clock = null;
      // Slightly too recent for what is left, which keeps the bookkeeping down to one number.
      this.#lazySince = performance.now();
    }
    return { awaited, lazy, rest };
  }

  /** Puts back the lazy part of a batch that was not written, except where something newer replaces it. */
  restoreLazy({ lazy, rest }: Batch, since: number): void {
    if (lazy.size === 0 && rest.length === 0) return;
    const replaced = new Set<unknown>();
    for (let i = this.#head; i < this.#awaited.length; i += 1) {
      const operation = this.#awaited[i]?.operation;
      if (operation?.[0] === 'advertise') replaced.add(operation[1][0]);
      if (operation?.[0] === 'remove') replaced.add(operation[1]);
    }
    for (const [providerId, write] of lazy) {
      const newer = this.#lazy.get(providerId)?.operation[0];
      const isRemovalOfDead = newer === 'heartbeat' && write.operation[0] === 'remove';
      if (replaced.has(providerId) || (newer !== undefined && !isRemovalOfDead)) continue;
      this.#lazy.set(providerId, write);
    }
    this.#forget ??= rest.find(([kind]) => kind === 'forget') ?? null;
    this.#clock ??= rest.find(([kind]) => kind === 'clock') ?? null;
    this.#lazySince = since;
  }

  get #rest(): Operation[] {
    return [this.#forget, this.#clock].filter((operation) => operation !== null);
  }

  #addLazy(providerId: string, operation: Operation): void {
    if (this.lazyCount === 0) this.#lazySince = performance.now();
    // Moved to the end, so that the first in the map never waits for more awaited writes than the next.
    this.#lazy.delete(providerId);
    this.#lazy.set(providerId, { operation, after: this.#arrived });
  }

  #takeAwaited(limit: number): AwaitedWrite[] {
    const taken = this.#awaited.slice(this.#head, this.#head + limit);
    this.#head += taken.length;
    this.#taken += taken.length;
    // Compacting only now and then keeps each step cheap.
    if (this.#head * 2 >= this.#awaited.length) {
      this.#awaited = this.#awaited.slice(this.#head);
      this.#head = 0;
    }
    return taken;
  }
}
