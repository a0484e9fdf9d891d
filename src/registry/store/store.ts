import type { PublishedAdvertisement } from '../../protocol/advertisement.js';
import { grown } from '../../lib/typed-arrays.js';
import { Arena } from '../../lib/arena.js';
import {
  AttributeColumns,
  ESTIMATES,
  factsInRow,
  IP_CONFIRMED,
  isLiveRow,
  LIVE,
  rowOf,
  VERIFIED,
} from './columns.js';
import { TimingWheel } from '../../lib/timing-wheel.js';
import { createdAtIn, ipAddressIn, tailBytes, type TailFlags, writeTail } from './advertisement-json.js';
import { FactIndex } from './facts/fact-index.js';
import { NO_FACTS } from './facts/fact-lists.js';
import { IdIndex, type OrderedSlots } from './id-index.js';
import { packRow, proofIn, rowBytes, signerIn } from './packed-row.js';
import type { AdvertisementRecord, IdentityRecord } from './records.js';
import { type Predicate, Predicates } from './predicate.js';
import { PriceIndex } from './price-index.js';
import type { UnpackedProof } from './packed-proof.js';
import { TICK_MS } from '../../lib/clock.js';
import { ValueNumbers } from './value-numbers.js';

const INITIAL_CAPACITY = 1024;
/** Covers well over five minutes of ticks; longer deadlines are checked once per revolution. */
const WHEEL_BUCKETS = 4096;

/** The last heartbeat and when the advertisement expires. */
export interface Lease {
  /** Unix milliseconds, shown as `updated_at`. */
  updatedAt: number;
  /** Unix milliseconds, shown as `expires_at`. */
  expiresAt: number;
  /** The actual deadline, in service milliseconds. */
  deadline: number;
}

/** A row whose bytes are already in the arena: see `packRow`. */
export interface PlacedRow {
  /** The result of `rowOf`, beginning at `from`. */
  attributes: ArrayLike<number>;
  from: number;
  address: number;
  headBytes: number;
  proofBytes: number;
}

/**
 * All current advertisements, each in a slot: a row of typed columns, and in an arena the rendered JSON with the proof. Slots of removed
 * advertisements are reused.
 */
export class Store {
  /** The provider id of each slot; undefined if the slot is free. */
  readonly ids: (string | undefined)[] = [];
  readonly attributes = new AttributeColumns(INITIAL_CAPACITY, this.ids);
  readonly index = new IdIndex(this.ids);
  /** One per currency, by the index of its estimate in `ESTIMATES`. */
  readonly prices = ESTIMATES.map((_, place) => new PriceIndex(this.attributes, INITIAL_CAPACITY, place));
  readonly numbers: ValueNumbers;
  readonly predicates: Predicates;
  readonly facts: FactIndex;
  readonly arena = new Arena();
  readonly wheel = new TimingWheel(INITIAL_CAPACITY, TICK_MS, WHEEL_BUCKETS);
  readonly #slots = new Map<string, number>();
  readonly #freeSlots: number[] = [];
  #capacity = INITIAL_CAPACITY;
  #suspects = 0;
  #version = 0;
  #contents = 0;

  /** Added to times shown to clients. */
  #shift = 0;
  #updatedAt = new Float64Array(INITIAL_CAPACITY);
  #expiresAt = new Float64Array(INITIAL_CAPACITY);
  #deadline = new Float64Array(INITIAL_CAPACITY);
  /** The location of a row's bytes in the arena: see `packRow`. */
  #address = new Uint32Array(INITIAL_CAPACITY);
  #headBytes = new Uint32Array(INITIAL_CAPACITY);
  #proofBytes = new Uint32Array(INITIAL_CAPACITY);
  #tailStale = new Uint8Array(INITIAL_CAPACITY);
  /** The `version` at which a row's times were last set. */
  #timedAt = new Float64Array(INITIAL_CAPACITY);

  /** @param maxFacts How many distinct facts of rows may be numbered, if not `MAX_FACTS`. */
  constructor(maxFacts?: number) {
    this.numbers = new ValueNumbers(maxFacts);
    this.predicates = new Predicates(this.numbers);
    this.facts = new FactIndex(this.ids, this.numbers.facts);
  }

  get size(): number {
    return this.#slots.size;
  }

  /** Changes whenever a response may change. */
  get version(): number {
    return this.#version;
  }

  /** Changes whenever a response may change in more than its times. */
  get contents(): number {
    return this.#contents;
  }

  /** Whether the times of none of these rows have changed since a version. */
  haveSameTimes(slots: readonly number[], version: number): boolean {
    for (const slot of slots) if (this.#timedAt[slot]! > version) return false;
    return true;
  }

  get suspects(): number {
    return this.#suspects;
  }

  /** One more than the highest slot ever used. */
  get slotLimit(): number {
    return this.ids.length;
  }

  find(providerId: string): number | undefined {
    return this.#slots.get(providerId);
  }

  isLive(slot: number): boolean {
    return this.attributes.flags[LIVE]![slot] === 1;
  }

  /** Whether it is signed. */
  isVerified(slot: number): boolean {
    return this.attributes.flags[VERIFIED]![slot] === 1;
  }

  /** Whether it, or its session, came from the address it names. */
  isIpConfirmed(slot: number): boolean {
    return this.attributes.flags[IP_CONFIRMED]![slot] === 1;
  }

  ipAddress(slot: number): string {
    return ipAddressIn(this.arena.view(this.#address[slot]!, this.#headBytes[slot]!), this.ids[slot]!);
  }

  /** Unix milliseconds. */
  createdAt(slot: number): number {
    return createdAtIn(this.arena.view(this.#address[slot]!, this.#headBytes[slot]!));
  }

  updatedAt(slot: number): number {
    return this.#updatedAt[slot]!;
  }

  /** `updatedAt` of all slots; a live view. */
  copyUpdatedAt(): Float64Array {
    return this.#updatedAt.slice(0, this.slotLimit);
  }

  deadline(slot: number): number {
    return this.#deadline[slot]!;
  }

  /**
   * Adds an advertisement in a free slot.
   * @param head The result of `renderHead` for the record.
   * @param ordered False during bulk loading: `loadIndexes` must follow.
   */
  add(record: AdvertisementRecord, head: string, lease: Lease, live: boolean, ordered = true): number {
    const slot = this.adopt(record.providerId, this.#place(record, head, live, NO_FACTS), lease);
    if (ordered) {
      this.index.insert(slot);
      this.facts.move(slot, NO_FACTS, this.attributes.facts[slot]!);
      for (const prices of this.prices) prices.insert(slot);
    }
    return slot;
  }

  /** Reserves this many slots at once: growing step by step would fragment the process's memory. */
  reserve(slots: number): void {
    let capacity = this.#capacity;
    while (capacity < slots) capacity *= 2;
    if (capacity > this.#capacity) this.#grow(capacity);
  }

  /** Adds a row that is already in the arena; `loadIndexes` must follow the last. */
  adopt(providerId: string, row: PlacedRow, lease: Lease): number {
    const slot = this.#freeSlots.pop() ?? this.ids.length;
    if (slot >= this.#capacity) this.#grow(this.#capacity * 2);
    this.ids[slot] = providerId;
    this.#slots.set(providerId, slot);
    this.#contents += 1;
    this.#suspects += isLiveRow(row.attributes, row.from) ? 0 : 1;
    this.#writeContent(slot, row);
    this.setLease(slot, lease);
    this.wheel.schedule(slot, lease.deadline);
    return slot;
  }

  /** Candidate rows: all matches of a predicate, and as few others as is worthwhile. */
  rowsFor({ facts }: Predicate): OrderedSlots {
    return (facts === null ? null : this.facts.narrow(facts, this.size)) ?? this.index;
  }

  /** Rebuilds the indexes after bulk loading. */
  loadIndexes(slots: number[]): void {
    this.index.load(slots);
    this.facts.load(this.index, this.attributes.facts);
    for (const prices of this.prices) prices.load(slots);
  }

  /** Whether clients would see more than new times if this replaced the slot's advertisement. */
  differs(slot: number, record: AdvertisementRecord, head: string, live: boolean): boolean {
    const present = this.arena.view(this.#address[slot]!, this.#headBytes[slot]!);
    return (
      this.isLive(slot) !== live ||
      this.isVerified(slot) !== (record.proof !== null) ||
      this.isIpConfirmed(slot) !== record.ipConfirmed ||
      present.toString('utf8') !== head
    );
  }

  /** Replaces a slot's advertisement with a newer one of the same provider. */
  replace(slot: number, record: AdvertisementRecord, head: string, lease: Lease, live: boolean): void {
    this.#contents += 1;
    this.renew(slot, record, head, lease, live);
  }

  /** The same for one that differs only in its times and its proof. */
  renew(slot: number, record: AdvertisementRecord, head: string, lease: Lease, live: boolean): void {
    this.#suspects += (this.isLive(slot) ? 1 : 0) - (live ? 1 : 0);
    for (const prices of this.prices) prices.remove(slot);
    const factsBefore = this.attributes.facts[slot]!;
    const row = this.#place(record, head, live, factsBefore);
    this.facts.move(slot, factsBefore, factsInRow(row.attributes, row.from));
    this.#releaseContent(slot);
    this.#writeContent(slot, row);
    for (const prices of this.prices) prices.insert(slot);
    this.setLease(slot, lease);
  }

  /** Sets the flags that depend on the session. */
  setStanding(slot: number, live: boolean, ipConfirmed: boolean): void {
    this.#suspects += (this.isLive(slot) ? 1 : 0) - (live ? 1 : 0);
    this.attributes.flags[LIVE]![slot] = live ? 1 : 0;
    this.attributes.flags[IP_CONFIRMED]![slot] = ipConfirmed ? 1 : 0;
    this.#tailStale[slot] = 1;
    this.#version += 1;
    this.#contents += 1;
  }

  /** Sets the times. The wheel notices a later deadline when it gets there; only an earlier one is rescheduled. */
  setLease(slot: number, lease: Lease): void {
    if (lease.deadline < this.#deadline[slot]!) this.wheel.schedule(slot, lease.deadline);
    this.#updatedAt[slot] = lease.updatedAt;
    this.#expiresAt[slot] = lease.expiresAt;
    this.#deadline[slot] = lease.deadline;
    this.#tailStale[slot] = 1;
    this.#version += 1;
    this.#timedAt[slot] = this.#version;
  }

  /** Sets the number of milliseconds added to all displayed times. */
  shiftTimes(ms: number): void {
    this.#shift = ms;
    this.#tailStale.fill(1);
    this.#version += 1;
    this.#timedAt.fill(this.#version);
  }

  remove(slot: number): void {
    const id = this.ids[slot]!;
    this.wheel.cancel(slot);
    this.index.remove(slot);
    this.facts.move(slot, this.attributes.facts[slot]!, NO_FACTS);
    for (const prices of this.prices) prices.remove(slot);
    this.#slots.delete(id);
    this.#suspects -= this.isLive(slot) ? 0 : 1;
    this.#releaseContent(slot);
    this.ids[slot] = undefined;
    this.#freeSlots.push(slot);
    this.#version += 1;
    this.#contents += 1;
  }

  /** The JSON of an advertisement: a view, valid until the store changes. */
  fragment(slot: number): Buffer {
    this.#refreshTail(slot);
    return this.arena.view(this.#address[slot]!, this.fragmentBytes(slot));
  }

  /** The length of an advertisement's JSON. */
  fragmentBytes(slot: number): number {
    return this.#headBytes[slot]! + tailBytes(this.#tailFlags(slot));
  }

  /** Writes an advertisement's JSON into `target` at an offset. @returns The offset after it. */
  copyFragment(slot: number, target: Uint8Array, position: number): number {
    this.#refreshTail(slot);
    const bytes = this.fragmentBytes(slot);
    this.arena.copy(this.#address[slot]!, bytes, target, position);
    return position + bytes;
  }

  advertisement(slot: number): PublishedAdvertisement {
    return JSON.parse(this.fragment(slot).toString('utf8')) as PublishedAdvertisement;
  }

  /** What the provider signed; null for an unsigned advertisement. */
  proof(slot: number): UnpackedProof | null {
    if (!this.isVerified(slot)) return null;
    return proofIn(this.#bytes(slot), this.#headBytes[slot]!, this.ids[slot]!);
  }

  /** The binding that a signed advertisement implies; undefined for an unsigned one. */
  identity(slot: number): IdentityRecord | undefined {
    if (!this.isVerified(slot)) return undefined;
    const providerId = this.ids[slot]!;
    const { publicKey, t } = signerIn(this.#bytes(slot), this.#headBytes[slot]!, providerId);
    return { providerId, publicKey, lastT: t, seenAt: this.#updatedAt[slot]! };
  }

  #bytes(slot: number): Buffer {
    return this.arena.view(this.#address[slot]!, rowBytes(this.#headBytes[slot]!, this.#proofBytes[slot]!));
  }

  #refreshTail(slot: number): void {
    if (this.#tailStale[slot] === 0) return;
    const address = this.#address[slot]!;
    writeTail(this.arena.slab(address), this.arena.offset(address) + this.#headBytes[slot]!, {
      ...this.#tailFlags(slot),
      updatedAt: this.#updatedAt[slot]! + this.#shift,
      expiresAt: this.#expiresAt[slot]! + this.#shift,
    });
    this.#tailStale[slot] = 0;
  }

  #tailFlags(slot: number): TailFlags {
    const { flags } = this.attributes;
    return {
      live: flags[LIVE]![slot]!,
      verified: flags[VERIFIED]![slot]!,
      ipConfirmed: flags[IP_CONFIRMED]![slot]!,
    };
  }

  /** @param factsBefore The address of the facts of the previous row. */
  #place(record: AdvertisementRecord, head: string, live: boolean, factsBefore: number): PlacedRow {
    const { bytes, headBytes, proofBytes } = packRow(record, head);
    const address = this.arena.allocate(bytes.length);
    this.arena.slab(address).set(bytes, this.arena.offset(address));
    const attributes = rowOf(
      record,
      live,
      (place, value) => this.numbers.acquire(place, value),
      (facts) => this.numbers.facts.put(facts, factsBefore),
    );
    return { attributes, from: 0, address, headBytes, proofBytes };
  }

  #writeContent(slot: number, row: PlacedRow): void {
    this.attributes.write(slot, row.attributes, row.from);
    this.#address[slot] = row.address;
    this.#headBytes[slot] = row.headBytes;
    this.#proofBytes[slot] = row.proofBytes;
    this.#tailStale[slot] = 1;
    this.#version += 1;
  }

  #releaseContent(slot: number): void {
    this.numbers.releaseRow(this.attributes, slot);
    this.arena.release(this.#address[slot]!, rowBytes(this.#headBytes[slot]!, this.#proofBytes[slot]!));
  }

  #grow(capacity: number): void {
    this.attributes.grow(capacity);
    for (const prices of this.prices) prices.grow(capacity);
    this.wheel.grow(capacity);
    this.#updatedAt = grown(this.#updatedAt, new Float64Array(capacity));
    this.#expiresAt = grown(this.#expiresAt, new Float64Array(capacity));
    this.#deadline = grown(this.#deadline, new Float64Array(capacity));
    this.#address = grown(this.#address, new Uint32Array(capacity));
    this.#headBytes = grown(this.#headBytes, new Uint32Array(capacity));
    this.#proofBytes = grown(this.#proofBytes, new Uint32Array(capacity));
    this.#tailStale = grown(this.#tailStale, new Uint8Array(capacity));
    this.#timedAt = grown(this.#timedAt, new Float64Array(capacity));
    this.#capacity = capacity;
  }
}
