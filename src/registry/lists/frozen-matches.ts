import { ProtocolError } from '../../protocol/errors.js';
import type { ListQuery } from '../../protocol/filters/list-query.js';
import { clearBit, hasBit, setBit, wordsFor } from '../../lib/bitmap.js';
import type { RowWatcher, RowWatchers } from '../store/row-watchers.js';
import type { Store } from '../store/store.js';
import type { Work } from '../../lib/turns/work-queue.js';
import type { EarlierMatches } from './earlier-matches.js';
import { keysOf } from './rank.js';

/** How many rows may change while a list is searched for, and how many bytes are kept of them until it has been read. */
const MAX_CHANGED = 20_000;
const MAX_SET_ASIDE_BYTES = 16 * 1024 * 1024;

const ROWS_A_STEP = 8192;

/** The earlier form of a match that has changed since. */
export interface FrozenRow {
  readonly slot: number;
  readonly id: string;
  /** Its sort key. */
  readonly key: number;
  readonly json: Buffer;
}

/**
 * The matches of one moment, for a list that is searched for in steps while the store keeps changing: before a row changes, its earlier form
 * is set aside. Nothing else is copied, so a search skips slots that `hasChanged` reports and uses `rows` instead.
 */
export class FrozenMatches implements EarlierMatches, RowWatcher {
  readonly #store: Store;
  readonly #watchers: RowWatchers;
  readonly #query: ListQuery;
  readonly #keyOf: (slot: number) => number;
  readonly #changed = new Set<number>();
  readonly #rows = new Map<number, FrozenRow>();
  /** Once the list is known: its rows that have not been read yet. */
  #unread: Uint32Array | null = null;
  #bytes = 0;

  /** Opens the present moment. Call `close` when done. */
  constructor(store: Store, watchers: RowWatchers, query: ListQuery) {
    this.#store = store;
    this.#watchers = watchers;
    this.#query = query;
    this.#keyOf = keysOf(store, query);
    watchers.add(this);
  }

  /** Whether nothing has changed. */
  get isUntouched(): boolean {
    return this.#changed.size === 0;
  }

  /** Whether too much has changed to keep. */
  get isLost(): boolean {
    return this.#changed.size > MAX_CHANGED || this.#bytes > MAX_SET_ASIDE_BYTES;
  }

  /** The earlier form of matches that have changed, in no particular order. */
  get rows(): FrozenRow[] {
    return [...this.#rows.values()];
  }

  /** Whether a slot has changed. */
  hasChanged(slot: number): boolean {
    return this.#changed.has(slot);
  }

  /** The id of a match. */
  idOf(slot: number): string {
    return this.#rows.get(slot)?.id ?? this.#store.ids[slot]!;
  }

  /** The sort key of a match. */
  keyOf(slot: number): number {
    return this.#rows.get(slot)?.key ?? this.#keyOf(slot);
  }

  /** The bytes of some matches' JSON. */
  *bytesOf(slots: readonly number[]): Work<number> {
    let bytes = 0;
    for (let from = 0; from < slots.length; from += ROWS_A_STEP) {
      const to = Math.min(from + ROWS_A_STEP, slots.length);
      for (let at = from; at < to; at += 1) {
        const slot = slots[at]!;
        bytes += this.#rows.get(slot)?.json.length ?? this.#store.fragmentBytes(slot);
      }
      yield to - from;
    }
    return bytes;
  }

  /** From now on, keeps only these rows, until they are taken. */
  *settle(slots: readonly number[]): Work<void> {
    const unread = new Uint32Array(wordsFor(this.#store.slotLimit));
    for (let from = 0; from < slots.length; from += ROWS_A_STEP) {
      const to = Math.min(from + ROWS_A_STEP, slots.length);
      for (let at = from; at < to; at += 1) setBit(unread, slots[at]!);
      yield to - from;
    }
    this.check();
    this.#unread = unread;
    for (const { slot, json } of this.#rows.values()) if (!hasBit(unread, slot)) this.#forget(slot, json);
  }

  /** A copy of the JSON of a settled match; may be called once per match. */
  take(slot: number): Buffer {
    const row = this.#rows.get(slot);
    clearBit(this.#unread!, slot);
    if (row === undefined) return Buffer.from(this.#store.fragment(slot));
    this.#forget(slot, row.json);
    return row.json;
  }

  /** Writes a match's JSON into `target` at an offset. @returns The offset after it. */
  copyRow(slot: number, target: Uint8Array, position: number): number {
    const row = this.#rows.get(slot);
    if (row === undefined) return this.#store.copyFragment(slot, target, position);
    target.set(row.json, position);
    return position + row.json.length;
  }

  preserve(slot: number): void {
    if (this.isLost) return;
    if (this.#unread === null) {
      if (this.#changed.has(slot)) return;
      this.#changed.add(slot);
      const { attributes, predicates } = this.#store;
      if (predicates.of(this.#query.filter).matches(attributes, slot)) this.#keep(slot);
    } else if (hasBit(this.#unread, slot) && !this.#rows.has(slot)) {
      this.#keep(slot);
    }
  }

  added(slot: number): void {
    if (this.#unread === null && !this.isLost) this.#changed.add(slot);
  }

  /** @throws ProtocolError `ADV_003` if too much has changed. */
  check(): void {
    if (!this.isLost) return;
    throw new ProtocolError(
      'ADV_003',
      'too much changed while the list was made; ask for pages with limit=1000, or try again soon',
      { unavailable: true, retryAfterSeconds: 5 },
    );
  }

  /** Releases everything. */
  close(): void {
    this.#changed.clear();
    this.#rows.clear();
    this.#watchers.remove(this);
  }

  #keep(slot: number): void {
    const json = Buffer.from(this.#store.fragment(slot));
    this.#rows.set(slot, { slot, id: this.#store.ids[slot]!, key: this.#keyOf(slot), json });
    this.#bytes += json.length;
  }

  #forget(slot: number, json: Buffer): void {
    this.#rows.delete(slot);
    this.#bytes -= json.length;
  }
}
