import type { ChangeLog } from './change-log.js';
import type { Predicate } from './store/predicate.js';
import type { Store } from './store/store.js';

/** Limits of one step of reading a moment; the first one reached ends it. */
export interface Step {
  /** Advertisements returned. */
  rows: number;
  /** Bytes of their JSON; the advertisement that exceeds it is still returned. */
  bytes: number;
  /** Slots visited. */
  looks: number;
}

/** The result of one step. */
export interface Part {
  /** The JSON of advertisements, valid until the registry changes. */
  rows: Uint8Array[];
  /** The slot to continue from; null after the last. */
  next: number | null;
  /** How many slots were visited. */
  looks: number;
}

/**
 * All advertisements as they were at one point in the stream of changes, for as long as somebody reads them. It holds only a few numbers:
 * unchanged rows are in the store; for the others, the change log has the attributes, and their earlier JSON is kept once for all moments.
 */
export class Moment {
  /** The log position of the last change before it. */
  readonly seq: number;
  /** The ordinal of that change. */
  readonly change: number;
  readonly #moments: Moments;
  readonly #slots: number;

  constructor(moments: Moments, { seq, count }: ChangeLog, slots: number) {
    this.seq = seq;
    this.change = count;
    this.#moments = moments;
    this.#slots = slots;
  }

  /**
   * Searches for matches, slot by slot. Call `isKept` first.
   * @param predicate Compiled when the moment was opened, or before.
   * @param from The slot to start from: 0, or the `next` of an earlier part.
   */
  read(predicate: Predicate, from: number, step: Step): Part {
    const rows: Uint8Array[] = [];
    const end = Math.min(this.#slots, from + step.looks);
    let bytes = 0;
    let slot = from;
    for (; slot < end && rows.length < step.rows && bytes < step.bytes; slot += 1) {
      const row = this.#moments.find(this.change, slot, predicate);
      if (row === null) continue;
      rows.push(row);
      bytes += row.length;
    }
    return { rows, next: slot === this.#slots ? null : slot, looks: slot - from };
  }

  /** Whether it can still be read. */
  get isKept(): boolean {
    return this.#moments.keeps(this);
  }

  /** Releases it. */
  close(): void {
    this.#moments.close(this);
  }
}

/** The moments being read, and the earlier JSON of rows that have changed since the oldest. */
export class Moments {
  readonly #store: Store;
  readonly #changes: ChangeLog;
  /** Oldest first. */
  readonly #open = new Set<Moment>();
  /** The JSON before each change, by its ordinal. Oldest first. */
  readonly #images = new Map<number, Uint8Array>();
  #bytes = 0;
  /** The last change before the newest moment. */
  #newest = 0;

  constructor(store: Store, changes: ChangeLog) {
    this.#store = store;
    this.#changes = changes;
  }

  /** Bytes of JSON kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The moment that causes most to be kept; undefined if none is open. */
  get oldest(): Moment | undefined {
    const [oldest] = this.#open;
    return oldest;
  }

  /** Opens the present moment. */
  open(): Moment {
    const moment = new Moment(this, this.#changes, this.#store.slotLimit);
    this.#newest = moment.change;
    this.#open.add(moment);
    return moment;
  }

  /** Called before a row changes or is removed, and before that enters the change log. */
  preserve(slot: number): void {
    // No moment includes its present form.
    if (this.#open.size === 0 || this.#changes.latestIn(slot) > this.#newest) return;
    const image = Buffer.from(this.#store.fragment(slot));
    this.#images.set(this.#changes.count + 1, image);
    this.#bytes += image.length;
  }

  keeps(moment: Moment): boolean {
    return this.#open.has(moment) && this.#changes.covers(moment.seq);
  }

  /** The JSON that a slot had after a change, if it matches; null if it does not, or the slot was empty. */
  find(after: number, slot: number, predicate: Predicate): Uint8Array | null {
    const changed = this.#changes.firstIn(slot, after);
    if (changed === 0) {
      const { attributes, ids } = this.#store;
      const isMatch = predicate.matches(attributes, slot) && ids[slot] !== undefined;
      return isMatch ? this.#store.fragment(slot) : null;
    }
    const row = this.#changes.rowBefore(changed);
    if (row === null || !predicate.matches(this.#changes.before, row)) return null;
    return this.#images.get(changed)!;
  }

  close(moment: Moment): void {
    if (!this.#open.delete(moment)) return;
    const needed = this.oldest?.change ?? Number.POSITIVE_INFINITY;
    for (const [change, image] of this.#images) {
      if (change > needed) break;
      this.#images.delete(change);
      this.#bytes -= image.length;
    }
  }
}
