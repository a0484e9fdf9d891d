import type { WireName } from '../../protocol/frames/codec.js';
import { WIRES } from '../../protocol/frames/event-stream.js';
import { formatCursor } from '../../protocol/cursor.js';
import type { Work } from '../../lib/turns/work-queue.js';
import { LoggedMatches } from '../../registry/lists/earlier-matches.js';
import { firstRows } from '../../registry/lists/query.js';
import type { Registry } from '../../registry/registry.js';
import { transcodeCopy } from '../event-encoder.js';
import { WORK } from '../limits.js';
import type { RecentFrames } from '../snapshot.js';
import type { RankedStream } from '../stream.js';
import { idsOf, type Told } from './top.js';

/**
 * Finds the present and earlier first matches of streams. Each step yields its work, in the units of `WORK`. Ends early if the stream has
 * lost its last subscriber.
 */
export class TopFeed {
  readonly #registry: Registry;
  readonly #frames: RecentFrames;
  /** The last result: every resume asks twice, and many resume from the same moment. */
  #lastTold: { stream: RankedStream; seq: number; told: Told } | null = null;

  constructor(registry: Registry, frames: RecentFrames) {
    this.#registry = registry;
    this.#frames = frames;
  }

  /** Searches until the first matches are known as of the moment this returns. */
  *fill(stream: RankedStream): Work<void> {
    const { top, predicate } = stream;
    const { store, changes } = this.#registry;
    while (top.isShort) {
      const { seq } = changes;
      const then = new LoggedMatches(store, changes, top.query, predicate, seq);
      const found = yield* whileWanted(stream, firstRows(store, top.query, top.query.limit!, then));
      if (found === null) return;
      if (!then.isKept) continue;
      top.fill(found);
      changes.since(seq, ({ beforeRow, slot }) => {
        if (beforeRow !== null && predicate.matches(changes.before, beforeRow)) top.leave(beforeRow);
        if (slot !== null && predicate.matches(store.attributes, slot)) top.enter(slot);
        return true;
      });
    }
    // Live subscribers are waiting for the noted changes.
    if (top.told === null) top.tell(changes.count);
  }

  /** The first matches at a position; null if the change log no longer covers it. */
  *toldAt(stream: RankedStream, seq: number): Work<Told | null> {
    const { top, predicate } = stream;
    const { store, changes } = this.#registry;
    const last = this.lastTold(stream, seq);
    if (last !== null) return last;
    if (!changes.covers(seq)) return null;
    const then = new LoggedMatches(store, changes, top.query, predicate, seq);
    const known = top.firstBefore((slot) => then.hasChanged(slot), then.rows);
    const change = changes.countAt(seq);
    yield (changes.seq - seq) * WORK.change;
    const found = known ?? (yield* whileWanted(stream, firstRows(store, top.query, top.limit, then)));
    if (found === null || (known === null && !then.isKept)) return null;
    const told = { ids: idsOf(found), change };
    this.#lastTold = { stream, seq, told };
    return told;
  }

  /** The same from the cache; null if not cached. */
  lastTold(stream: RankedStream, seq: number): Told | null {
    const last = this.#lastTold;
    return last?.stream === stream && last.seq === seq ? last.told : null;
  }

  /** The `snapshot` frame of the present first matches, which must be known. */
  *snapshot(stream: RankedStream, wire: WireName): Work<{ seq: number; bytes: Uint8Array }> {
    const { store, changes } = this.#registry;
    const { epoch, seq } = changes;
    const name = `${stream.name} ${String(seq)} ${wire} first`;
    const known = this.#frames.find(name);
    if (known !== undefined) return { seq, bytes: known.bytes! };
    const codec = WIRES[wire];
    const rows = stream.top.first.map(({ slot }) => transcodeCopy(codec, store.fragment(slot)));
    yield rows.length * WORK.encode[wire];
    const head = { type: 'snapshot', stream: stream.name, cursor: formatCursor(epoch, seq), last: true };
    const bytes = codec.wrap(head, codec.extendList(head, 'advertisements', rows));
    if (stream.subscriptions.size > 1)
      this.#frames.keep(name, { bytes, advertisements: rows.length, next: null });
    return { seq, bytes };
  }
}

/** Does the work of a list, in the units of streams; stops with null if nobody is waiting for it. */
function* whileWanted<Result>({ subscriptions }: RankedStream, work: Work<Result>): Work<Result | null> {
  while (subscriptions.size > 0) {
    const step = work.next();
    if (step.done === true) return step.value;
    yield step.value * WORK.listed;
  }
  return null;
}
