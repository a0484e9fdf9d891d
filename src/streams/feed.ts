import type { WireName } from '../protocol/frames/codec.js';
import { WIRES } from '../protocol/frames/event-stream.js';
import { formatCursor, parseCursor } from '../protocol/cursor.js';
import type { GoneReason } from '../registry/change-log.js';
import type { Registry } from '../registry/registry.js';
import { copyEvent, encodeEvent, eventsFrame, type NetEvent, netEvents } from './event-encoder.js';
import { ROWS_PER_STEP, type StreamLimits, WORK } from './limits.js';
import type { StreamObserver } from './observer.js';
import { RecentFrames, Snapshot } from './snapshot.js';
import { isRanked, type RankedStream, type Stream, type Subscription } from './stream.js';
import { topEvents } from './top/top-events.js';
import { TopFeed } from './top/top-feed.js';
import { metered, type Task, Turns } from '../lib/turns/turns.js';

/** The events of a stream between two positions. */
interface Missed {
  stream: Stream;
  from: number;
  to: number;
  /** Valid until the registry changes. */
  events: () => NetEvent[];
  /** An upper bound on the number of providers concerned. */
  size: number;
  /** The `events` frame in each codec, once requested. */
  frames: Partial<Record<WireName, Uint8Array>>;
}

/** What a feed needs from its hub of streams. */
export interface FeedHost {
  readonly registry: Registry;
  readonly observer: StreamObserver;
  readonly limits: StreamLimits;
  /** Milliseconds, to time work. */
  now(): number;
  /** Flushes all streams that are not busy. */
  flush(): void;
  /** Called with unexpected errors; ends the subscriptions. */
  giveUp(subscriptions: readonly Subscription[], error: unknown): void;
}

/**
 * Brings subscriptions up to date: answers them, sends snapshots and missed events. Each step waits for its turn and is charged to its
 * subscriber's account. A subscription that waits for its turn, or for room in its outbox, keeps no rows.
 */
export class Feed {
  readonly #host: FeedHost;
  readonly #turns: Turns<Subscription>;
  readonly #frames = new RecentFrames();
  readonly #tops: TopFeed;
  /** The last result: every resume asks twice in a row, and many resume from the same moment. */
  #lastMissed: Missed | null = null;

  constructor(host: FeedHost) {
    this.#host = host;
    this.#tops = new TopFeed(host.registry, this.#frames);
    this.#turns = new Turns(
      host.limits.workPerTurn,
      ({ subscriber }) => subscriber.account,
      (subscription) => metered(this.#step(subscription), () => host.now()),
    );
  }

  /** Queues a subscription for its next step. */
  advance(subscription: Subscription): void {
    if (subscription.state === 'live') return;
    if (subscription.state === 'asked' && canGoOn(subscription)) this.#answerAtOnce(subscription);
    this.#turns.add(subscription);
    this.#turns.run();
  }

  /** Makes a waiting subscriber search for a stream's first matches. */
  refill(stream: RankedStream): void {
    const [first] = stream.subscriptions;
    if (first === undefined) return;
    this.#turns.add(first);
    this.#turns.run();
  }

  /** Drops a subscription that has ended. */
  end(subscription: Subscription): void {
    this.#turns.remove(subscription);
    this.#leaveSnapshot(subscription);
  }

  /** Abandons the oldest snapshots while too much is kept for them. */
  bound(): void {
    const { moments } = this.#host.registry;
    for (let { oldest } = moments; oldest !== undefined; { oldest } = moments) {
      if (oldest.isKept && moments.bytes <= this.#host.limits.maxSnapshotBytes) return;
      oldest.close();
    }
  }

  *#step(subscription: Subscription): Task {
    const { stream } = subscription;
    try {
      if (isRanked(stream) && stream.top.isShort) {
        yield* this.#tops.fill(stream);
        this.#host.flush();
      }
      if (!canGoOn(subscription)) return;
      if (subscription.state === 'asked') yield* this.#answer(subscription);
      else if (subscription.state === 'reading') yield* this.#sendSnapshot(subscription);
      else if (subscription.state === 'waiting') yield* this.#catchUp(subscription);
    } catch (error) {
      this.#host.giveUp([subscription], error);
    }
  }

  /** Continues after others have had their turn. */
  #again(subscription: Subscription): void {
    if (subscription.stream.subscriptions.has(subscription)) this.#turns.add(subscription);
  }

  *#answer(subscription: Subscription): Task {
    const { stream } = subscription;
    const { changes } = this.#host.registry;
    const seq = this.#resumeAt(subscription);
    if (seq !== null && isRanked(stream)) yield* this.#tops.toldAt(stream, seq);
    const isExact = seq !== null && this.#missedSince(stream, seq) !== null;
    // Finding out may have taken more than a turn.
    if (!canGoOn(subscription)) return;
    this.#tell(subscription, isExact ? seq : null);
    yield WORK.answer + (seq === null ? 0 : (changes.seq - seq) * WORK.change);
    this.#again(subscription);
  }

  /** Answers at once if that takes little, or is already charged, so that answers come in the order of the requests. */
  #answerAtOnce(subscription: Subscription): void {
    const { stream, subscriber } = subscription;
    const seq = this.#resumeAt(subscription);
    if (seq !== null && (isRanked(stream) || subscriber.isPaced !== true)) return;
    try {
      this.#tell(subscription, seq !== null && this.#missedSince(stream, seq) !== null ? seq : null);
    } catch (error) {
      this.#host.giveUp([subscription], error);
    }
  }

  /** The position to resume from, if everything missed since is known; null if there is none. */
  #resumeAt({ request }: Subscription): number | null {
    const { changes } = this.#host.registry;
    const cursor = request.resume === null ? null : parseCursor(request.resume);
    if (cursor?.epoch !== changes.epoch || !changes.covers(cursor.seq)) return null;
    return Math.min(cursor.seq, changes.seq);
  }

  /** @param seq The position to resume from; null for a snapshot. */
  #tell(subscription: Subscription, seq: number | null): void {
    const { stream, subscriber, request } = subscription;
    const isExact = seq !== null;
    if (request.resume !== null)
      this.#host.observer.resumeDecided(isExact ? 'exact' : 'refused', subscription);
    subscription.state = isExact ? 'waiting' : 'reading';
    if (isExact) subscription.seq = seq;
    const frame = {
      type: 'subscribed',
      id: request.id,
      stream: stream.name,
      cursor: isExact ? formatCursor(this.#host.registry.changes.epoch, seq) : null,
      resumed: isExact,
    };
    subscriber.send(subscriber.codec.wrap(frame, subscriber.codec.encode(frame)));
  }

  *#sendSnapshot(subscription: Subscription): Task {
    const { stream, subscriber } = subscription;
    if (isRanked(stream)) {
      yield* this.#sendFirst(subscription, stream);
      return;
    }
    const snapshot = (subscription.snapshot ??= this.#join(subscription));
    const frame = yield* snapshot.frame(subscriber.codec.name, subscription.next);
    // Making it may have taken more than a turn.
    if (!canGoOn(subscription)) return;
    if (frame === null) {
      subscriber.fallBehind('too much changed while the snapshot was being read');
      return;
    }
    if (frame.next === null) {
      this.#leaveSnapshot(subscription);
      subscription.seq = snapshot.moment.seq;
      subscription.state = 'waiting';
    } else {
      subscription.next = frame.next;
    }
    if (frame.bytes !== null) subscriber.send(frame.bytes);
    yield WORK.answer + frame.advertisements * WORK.row;
    this.#again(subscription);
  }

  /** The snapshot of a stream of the first matches is one frame. */
  *#sendFirst(subscription: Subscription, stream: RankedStream): Task {
    const { subscriber } = subscription;
    const { seq, bytes } = yield* this.#tops.snapshot(stream, subscriber.codec.name);
    // Making it may have taken more than a turn.
    if (!canGoOn(subscription)) return;
    subscription.seq = seq;
    subscription.state = 'waiting';
    subscriber.send(bytes);
    yield WORK.answer;
    this.#again(subscription);
  }

  /** The stream's snapshot that others are reading, or a new one. */
  #join(subscription: Subscription): Snapshot {
    const { stream } = subscription;
    const { registry, limits } = this.#host;
    const { changes, moments } = registry;
    const known = stream.snapshot;
    const isFresh = known?.moment.isKept === true && changes.seq - known.moment.seq <= limits.maxSharedLag;
    const snapshot = isFresh
      ? known
      : new Snapshot(stream, moments.open(), changes.epoch, limits, this.#frames);
    stream.snapshot = snapshot;
    snapshot.readers.add(subscription);
    return snapshot;
  }

  #leaveSnapshot(subscription: Subscription): void {
    subscription.snapshot?.leave(subscription);
    subscription.snapshot = null;
  }

  *#catchUp(subscription: Subscription): Task {
    const { stream, subscriber, seq: since } = subscription;
    const { changes } = this.#host.registry;
    if (isRanked(stream)) {
      yield* this.#tops.toldAt(stream, since);
      // Finding out may have taken more than a turn.
      if (!canGoOn(subscription)) return;
    }
    this.#host.flush();
    // Frames for other streams of the same connection may have filled or ended it meanwhile.
    if (subscription.state !== 'waiting' || !subscriber.writable) return;
    // If it joined now, the next flush would repeat changes that are already noted.
    if (stream.notes.length > 0) {
      stream.latecomers.add(subscription);
      return;
    }
    if (!changes.covers(since)) {
      subscriber.fallBehind('it missed more changes than the hub keeps');
      return;
    }
    const to = changes.seq;
    const missed = this.#missedSince(stream, since);
    if (missed === null) {
      subscriber.fallBehind('it missed more events than the hub sends at once');
      return;
    }
    const frame = yield* this.#eventsFrame(missed, subscriber.codec.name);
    // Encoding may have taken more than a turn.
    if (!canGoOn(subscription)) return;
    subscription.seq = to;
    if (changes.seq === to) subscription.state = 'live';
    if (frame !== null) subscriber.send(frame);
    if (subscription.state === 'waiting') this.#again(subscription);
  }

  /** The frame with what was missed; null if nothing was. */
  *#eventsFrame(missed: Missed, wire: WireName): Generator<number, Uint8Array | null, undefined> {
    const { stream, from, to, size, frames } = missed;
    const { store, changes } = this.#host.registry;
    // Copied now, because the registry may change before the last of them is encoded.
    const events = frames[wire] === undefined ? missed.events() : [];
    const copies = events.map((event) => copyEvent(store, event));
    yield WORK.answer + (to - from) * WORK.change + size * WORK.row;
    const items: Uint8Array[] = [];
    for (let at = 0; at < copies.length; at += ROWS_PER_STEP) {
      const some = copies.slice(at, at + ROWS_PER_STEP);
      items.push(...some.map((copy) => encodeEvent(WIRES[wire], copy)));
      yield some.length * WORK.encode[wire];
    }
    if (items.length > 0)
      frames[wire] = eventsFrame(WIRES[wire], stream.name, formatCursor(changes.epoch, to), items);
    return frames[wire] ?? null;
  }

  /** What a subscriber at `seq` has missed; null if it is too much to send. */
  #missedSince(stream: Stream, seq: number): Missed | null {
    const { registry, limits } = this.#host;
    const { changes, store } = registry;
    const { predicate } = stream;
    const known = this.#lastMissed;
    if (known?.stream === stream && known.from === seq && known.to === changes.seq) return known;
    if (isRanked(stream)) return this.#missedOfFirst(stream, seq);
    const held = new Map<string, boolean>();
    const reasons = new Map<string, GoneReason>();
    let bytes = 0;
    changes.since(seq, ({ providerId, beforeRow, slot, reason }) => {
      const isHeld = beforeRow !== null && predicate.matches(changes.before, beforeRow);
      const isMatch = slot !== null && predicate.matches(store.attributes, slot);
      if (!isHeld && !isMatch) return true;
      held.set(providerId, isHeld);
      if (reason !== null) reasons.set(providerId, reason);
      if (isMatch) bytes += store.fragmentBytes(slot);
      return held.size <= limits.maxCatchUpEvents && bytes <= limits.maxCatchUpBytes;
    });
    if (held.size > limits.maxCatchUpEvents || bytes > limits.maxCatchUpBytes) return null;
    const events = (): NetEvent[] => netEvents(store, predicate, held, (id) => reasons.get(id) ?? null);
    return (this.#lastMissed = { stream, from: seq, to: changes.seq, events, size: held.size, frames: {} });
  }

  /** The same for first matches, which are never too many. Call `TopFeed.toldAt` first. */
  #missedOfFirst(stream: RankedStream, seq: number): Missed | null {
    const { registry } = this.#host;
    const { changes } = registry;
    const told = this.#tops.lastTold(stream, seq);
    if (told === null || !changes.covers(seq)) return null;
    const events = (): NetEvent[] => {
      const reasons = new Map<string, GoneReason>();
      changes.since(seq, ({ providerId, reason }) => {
        if (reason !== null && told.ids.has(providerId)) reasons.set(providerId, reason);
        return true;
      });
      return topEvents(registry, stream, told, (id) => reasons.get(id) ?? null);
    };
    const size = told.ids.size + stream.top.limit;
    return (this.#lastMissed = { stream, from: seq, to: changes.seq, events, size, frames: {} });
  }
}

/** Whether a subscription is still open, and its connection accepts more. */
function canGoOn(subscription: Subscription): boolean {
  const { stream, subscriber } = subscription;
  return stream.subscriptions.has(subscription) && subscriber.writable;
}
