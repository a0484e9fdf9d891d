import { DELETED, type KeyValue } from '../../src/registry/etcd/client/messages.js';
import { Keys } from '../../src/registry/etcd/keys.js';
import { decodeRecord, type ProviderRecord } from '../../src/registry/etcd/record.js';
import { epochOf } from '../../src/registry/etcd/store-state.js';
import { CLUSTER, type StoreEvent } from './store.js';

/** What anybody sees of a provider: how many cores, which no two advertisements of a run share, and whether it is live. */
export type Sight = readonly [id: string, cpu: number, isLive: boolean];

/** Something that must never happen has happened. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** What the store says, naively: all of its history, and what is true at each revision. */
export class Reference {
  readonly providers = new Map<string, ProviderRecord>();
  readonly hubs = new Set<string>();
  /** Every record that was ever written, by the cores of its advertisement. */
  readonly written = new Map<number, ProviderRecord>();
  readonly #keys: Keys;
  /** The list at each revision of the present store. */
  #seen: string[] = [];
  /** Those of all stores that there were, by epoch. */
  readonly #epochs = new Map<string, readonly string[]>();
  readonly #onExpired: (providerId: string) => void;

  /** @param onExpired Told of each advertisement that is taken away because nobody was heard of. */
  constructor(prefix: string, onExpired: (providerId: string) => void) {
    this.#keys = new Keys(prefix);
    this.#onExpired = onExpired;
  }

  /** The key that makes a store another. */
  get identity(): Buffer {
    return this.#keys.identity;
  }

  /** What a list says at a revision of an epoch. */
  at(epoch: string, revision: number): string {
    return this.#epochs.get(epoch)?.[revision] ?? '[]';
  }

  /** The content of the store was lost, but for these; whoever follows it knows no more than before. */
  lost(content: readonly KeyValue[], revision: number): void {
    this.providers.clear();
    this.hubs.clear();
    this.#seen = [];
    for (const { key, value } of content) {
      const read = this.#keys.read(key);
      if (read?.kind === 'hub') this.hubs.add(read.id);
      else if (read !== null) this.providers.set(read.id, decodeRecord(value, read.id));
    }
    this.#note(revision);
  }

  revision(revision: number, events: readonly StoreEvent[]): void {
    for (const { type, kv } of events) {
      const read = this.#keys.read(kv!.key);
      if (type !== DELETED && this.#keys.identity.equals(kv!.key))
        this.#epochs.set(epochOf(CLUSTER, kv!.value), this.#seen);
      if (read?.kind === 'hub') {
        if (type === DELETED) this.hubs.delete(read.id);
        else this.hubs.add(read.id);
      } else if (read !== null) {
        if (type === DELETED) this.providers.delete(read.id);
        else this.#written(read.id, decodeRecord(kv!.value, read.id));
      }
    }
    this.#note(revision);
  }

  /** Whether a session of the provider is open, as far as the store knows. */
  hasSession(providerId: string): boolean {
    const session = this.providers.get(providerId)?.session ?? null;
    return session !== null && this.hubs.has(session.hub);
  }

  #note(revision: number): void {
    for (let at = this.#seen.length; at < revision; at += 1) this.#seen[at] = this.#seen[at - 1] ?? '[]';
    this.#seen[revision] = this.#list();
  }

  #written(id: string, record: ProviderRecord): void {
    const before = this.providers.get(id);
    if ((record.identity?.lastT ?? 0) < (before?.identity?.lastT ?? 0))
      throw new Violation(`the last signed time of ${id} falls`);
    if (record.made.by === 'expire') {
      if (this.hasSession(id)) throw new Violation(`${id} expires with an open session`);
      this.#onExpired(id);
    }
    this.providers.set(id, record);
    const cpu = record.advertisement?.resources['cpu'];
    if (cpu !== undefined && record.made.by === 'advertise') this.written.set(cpu, record);
  }

  #list(): string {
    const all: Sight[] = [];
    for (const [id, { advertisement, needsSession }] of this.providers)
      if (advertisement !== null)
        all.push([id, advertisement.resources['cpu']!, !needsSession || this.hasSession(id)]);
    return listOf(all);
  }
}

/** The text of a list. */
export function listOf(all: Sight[]): string {
  return JSON.stringify(all.sort(([a], [b]) => (a < b ? -1 : 1)));
}
