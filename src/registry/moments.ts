import type { ChangeLog } from './change-log.js';
import type { Predicate } from './store/predicate.js';
import type { Store } from './store/store.js';

/** How far one step of reading a moment may go; it ends where the first of these is reached. */
export interface Step {
  /** Advertisements that it returns. */
  rows: number;
  /** Bytes of their JSON; the advertisement that goes beyond is still returned. */
  bytes: number;
  /** Slots that it looks at. */
  looks: number;
}

/** What one step found. */
export interface Part {
  /** The JSON of advertisements; good until the next change of the registry. */
  rows: Uint8Array[];
  /** The slot to go on from; null when all have been looked at. */
  next: number | null;
  /** How many slots were looked at. */
  looks: number;
}

/**
 * All advertisements as they were at one point in the stream of changes, for as long as somebody reads them. It holds
 * nothing but a few numbers: what has not changed since is in the store, and what has is told by the change log and the
 * images that all moments share.
 */
export class Moment {
  /** The log's position of the last change before it. */
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
   * Looks for matches, slot by slot. The caller has asked `isKept`.
   * @param predicate Made when the moment was opened, or before.
   * @param from The slot to begin with: 0, or the `next` of another part.
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

  /** Lets go of it. */
  close(): void {
    this.#moments.close(this);
  }
}

/** The moments that are being read, and the JSON of what has changed since the oldest of them. */
export class Moments {
  readonly #store: Store;
  readonly #changes: ChangeLog;
  /** Oldest first. */
  readonly #open = new Set<Moment>();
  /** By the ordinal of a change, the JSON before it. Oldest first. */
  readonly #images = new Map<number, Uint8Array>();
  #bytes = 0;
  /** The last change before the moment that was opened last. */
  #newest = 0;

  constructor(store: Store, changes: ChangeLog) {
    this.#store = store;
    this.#changes = changes;
  }

  /** Bytes of the JSON that is kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The moment that keeps most; undefined when none is open. */
  get oldest(): Moment | undefined {
    const [oldest] = this.#open;
    return oldest;
  }

  /** Opens the present. */
  open(): Moment {
    const moment = new Moment(this, this.#changes, this.#store.slotLimit);
    this.#newest = moment.change;
    this.#open.add(moment);
    return moment;
  }

  /** Called before a row changes or goes, and before that is in the change log. */
  preserve(slot: number): void {
    // Nobody has opened what it is now.
    if (this.#open.size === 0 || this.#changes.latestIn(slot) > this.#newest) return;
    const image = Buffer.from(this.#store.fragment(slot));
    this.#images.set(this.#changes.count + 1, image);
    this.#bytes += image.length;
  }

  keeps(moment: Moment): boolean {
    return this.#open.has(moment) && this.#changes.covers(moment.seq);
  }

  /** The JSON that a slot had after a change, if that matches; null where it does not, or nothing was there. */
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
