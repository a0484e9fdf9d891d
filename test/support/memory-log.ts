import type { DurableEntry } from '../../src/registry/entry.js';
import { type Deliver, type HeartbeatBatch, type Log, PersistenceError } from '../../src/registry/log.js';
import type { AdvertisementRecord, IdentityRecord } from '../../src/registry/store/records.js';

/** One write that was asked for, in the order in which they were. */
export type Write =
  | { kind: 'advertise'; record: AdvertisementRecord; identity: IdentityRecord | null }
  | { kind: 'withdraw'; providerId: string; identity: IdentityRecord | null }
  | { kind: 'identity'; identity: IdentityRecord }
  | { kind: 'heartbeats'; batch: HeartbeatBatch }
  | { kind: 'purge'; expiredIds: string[]; seenBefore: number };

interface Waiting {
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

/**
 * The log in memory. It keeps rows as a disk would. Writes are durable at once, unless they are held back: then the test says when each
 * becomes durable, or that it fails, in order.
 */
export class MemoryLog implements Log {
  readonly writes: Write[] = [];
  readonly rows = new Map<string, AdvertisementRecord>();
  readonly identities = new Map<string, IdentityRecord>();
  problem: string | null = null;
  #deliver: Deliver = () => undefined;
  #held = false;
  readonly #waiting: { write: Write; waiting: Waiting | null }[] = [];

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
    this.#deliver = deliver;
  }

  propose(entry: DurableEntry): Promise<void> {
    return this.#write(writeOf(entry), entry);
  }

  saveHeartbeats(batch: HeartbeatBatch): void {
    void this.#write({ kind: 'heartbeats', batch }, null);
  }

  purge(expiredIds: string[], seenBefore: number): void {
    void this.#write({ kind: 'purge', expiredIds, seenBefore }, null);
  }

  close(): Promise<void> {
    return this.release();
  }

  /** @param entry What to deliver once it is written; null where nobody waits for it. */
  #write(write: Write, entry: DurableEntry | null): Promise<void> {
    this.writes.push(write);
    if (!this.#held && this.#waiting.length === 0) {
      this.#apply(write);
      return new Promise((resolve) => {
        if (entry !== null) this.#deliver(entry);
        resolve();
      });
    }
    return new Promise((resolve, reject) => {
      const deliver = (): void => {
        try {
          this.#deliver(entry!);
          resolve();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      this.#waiting.push({ write, waiting: entry === null ? null : { resolve: deliver, reject } });
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
        write.batch.providerIds.forEach((id, index) => {
          const row = this.rows.get(id);
          if (row === undefined) return;
          const { updatedAt, attached } = write.batch;
          this.rows.set(id, { ...row, updatedAt: updatedAt[index]!, attached: attached[index] === 1 });
        });
        return;
      case 'purge':
        for (const id of write.expiredIds) this.rows.delete(id);
    }
  }
}
