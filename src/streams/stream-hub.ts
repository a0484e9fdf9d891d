import type { CodecName } from '../protocol/codec.js';
import { formatCursor, parseCursor } from '../protocol/cursor.js';
import { canonicalFilterKey, type Filter } from '../protocol/filter.js';
import type { RequestId } from '../protocol/frames-up.js';
import type { Change, GoneReason } from '../registry/change-log.js';
import { FilterIndex } from './matching/filter-index.js';
import type { Registry } from '../registry/registry.js';
import { EventEncoder, netEvents, transcode } from './event-encoder.js';
import { FanOut } from './fan-out.js';
import { STREAM_LIMITS, type StreamLimits, type StreamObserver } from './limits.js';
import { mergeNotes, type Stream, type Subscriber, type Subscription } from './stream.js';

/** Snapshot frames that one connection is sent before others get their turn. */
const FRAMES_PER_TURN = 4;

/** Providers of a stream that changed between two numbers, whether somebody holds them, and why those went that did. */
interface Missed {
  stream: Stream;
  from: number;
  to: number;
  held: ReadonlyMap<string, boolean>;
  reasons: ReadonlyMap<string, GoneReason>;
}

interface StreamHubOptions {
  limits?: Partial<StreamLimits>;
  onError?: (error: unknown) => void;
}

function rethrow(error: unknown): never {
  throw error;
}

/**
 * All streams: matches each change against all distinct filters at once, collects what each stream has to tell
 * until the end of the event loop's turn, and sends it to all subscribers of the stream, encoded once for each
 * codec. While that takes more than a turn, further changes of the stream are merged until its subscribers have it.
 */
export class StreamHub {
  readonly #registry: Registry;
  readonly #observer: StreamObserver;
  readonly #onError: (error: unknown) => void;
  readonly #limits: StreamLimits;
  readonly #filters: FilterIndex;
  readonly #streams = new Map<string, Stream>();
  readonly #byHandle: (Stream | undefined)[] = [];
  readonly #fanOut: FanOut;
  /** Streams with notes. */
  #dirty: Stream[] = [];
  /** Why providers went since the last flush, also where a stream had let go of one before. */
  #gone = new Map<string, GoneReason>();
  #nextName = 1;
  #flushScheduled = false;
  /** When the first of the changes came that are under way. */
  #firstNoteAt = 0;
  /** Up to here all changes have been noted and, but for streams that are busy, flushed. */
  #flushedSeq: number;
  #subscriptions = 0;
  /** Asked for twice in a row by everybody who resumes, and by many who come back from the same moment. */
  #lastMissed: Missed | null = null;

  /**
   * @param options.limits Those that differ from `STREAM_LIMITS`.
   * @param options.onError Told of what nobody has foreseen. It ends the stream that it happened to, and no other.
   */
  constructor(
    registry: Registry,
    observer: StreamObserver,
    { limits = {}, onError = rethrow }: StreamHubOptions = {},
  ) {
    this.#registry = registry;
    this.#observer = observer;
    this.#onError = onError;
    this.#limits = { ...STREAM_LIMITS, ...limits };
    this.#filters = new FilterIndex(registry.store.numbers);
    this.#fanOut = new FanOut(this.#limits.framesPerTurn, () => {
      this.#delivered();
    });
    this.#flushedSeq = registry.changes.seq;
    registry.onChange((change) => {
      this.#match(change);
    });
  }

  get streams(): number {
    return this.#streams.size;
  }

  get subscriptions(): number {
    return this.#subscriptions;
  }

  /** Where every subscriber stands that `isCurrent`. */
  get cursor(): string {
    return formatCursor(this.#registry.changes.epoch, this.#flushedSeq);
  }

  /**
   * Begins a subscription: answers `subscribed`, then brings the subscriber to the present, by what it missed or
   * by a snapshot.
   */
  subscribe(subscriber: Subscriber, id: RequestId, filter: Filter, resume: string | null): Subscription {
    this.flush();
    const stream = this.#streamFor(filter);
    const subscription: Subscription = { stream, subscriber, state: 'waiting', seq: 0, snapshot: null };
    stream.subscriptions.add(subscription);
    const { codec } = subscriber;
    stream.codecs.set(codec.name, (stream.codecs.get(codec.name) ?? 0) + 1);
    this.#subscriptions += 1;
    const resumed = this.#resumePoint(stream, resume);
    if (resume !== null) this.#observer.resumeDecided(resumed === null ? 'refused' : 'exact');
    const { epoch, seq } = this.#registry.changes;
    const cursor = formatCursor(epoch, resumed ?? seq);
    subscriber.send(
      codec.encode({ type: 'subscribed', id, stream: stream.name, cursor, resumed: resumed !== null }),
    );
    if (resumed === null) {
      subscription.state = 'reading';
      subscription.snapshot = this.#registry.openSnapshot(filter);
    } else {
      subscription.seq = resumed;
    }
    this.advance(subscription);
    return subscription;
  }

  unsubscribe(subscription: Subscription): void {
    const { stream, subscriber } = subscription;
    if (!stream.subscriptions.delete(subscription)) return;
    this.#subscriptions -= 1;
    const sameCodec = stream.codecs.get(subscriber.codec.name)! - 1;
    if (sameCodec > 0) stream.codecs.set(subscriber.codec.name, sameCodec);
    else stream.codecs.delete(subscriber.codec.name);
    stream.latecomers.delete(subscription);
    subscription.snapshot?.close();
    if (stream.subscriptions.size > 0) return;
    this.#filters.remove(stream.handle);
    this.#byHandle[stream.handle] = undefined;
    this.#streams.delete(canonicalFilterKey(stream.filter));
  }

  /** Whether a subscriber has been told of everything up to the last flush. */
  isCurrent({ state, seq, stream }: Subscription): boolean {
    const isReached = stream.delivery === null || seq >= stream.delivery.seq;
    return state === 'live' && stream.notes.length === 0 && isReached;
  }

  /** Whether anybody is subscribed to this filter. */
  has(filter: Filter): boolean {
    return this.#streams.has(canonicalFilterKey(filter));
  }

  /** Whether a subscription is for just this filter. */
  isFor(subscription: Subscription, filter: Filter): boolean {
    return this.#streams.get(canonicalFilterKey(filter)) === subscription.stream;
  }

  /** Sends a subscription on towards the present, as far as its connection takes it. */
  advance(subscription: Subscription): void {
    try {
      if (subscription.state === 'reading') this.#sendSnapshot(subscription);
      if (subscription.state === 'waiting' && subscription.subscriber.writable) this.#catchUp(subscription);
    } catch (error) {
      this.#giveUp([subscription], error);
    }
  }

  /** Flushes all streams that are not busy. Runs by itself at the end of each turn with changes. */
  flush(): void {
    this.#flushedSeq = this.#registry.changes.seq;
    if (this.#dirty.length === 0) return;
    const dirty = this.#dirty;
    this.#dirty = [];
    const latecomers: Subscription[] = [];
    const encoder = new EventEncoder(this.#registry.store);
    for (const stream of dirty) {
      if (stream.delivery !== null) {
        this.#dirty.push(stream);
      } else {
        try {
          this.#flushStream(stream, encoder);
        } catch (error) {
          this.#giveUp([...stream.subscriptions], error);
        }
        latecomers.push(...stream.latecomers);
        stream.latecomers.clear();
      }
    }
    if (this.#dirty.length === 0) this.#gone = new Map();
    for (const subscription of latecomers) {
      if (subscription.stream.subscriptions.has(subscription)) this.advance(subscription);
    }
    this.#fanOut.run();
  }

  /** What they hold can no longer be trusted to be the truth, so they have to start over. */
  #giveUp(subscriptions: readonly Subscription[], error: unknown): void {
    for (const { subscriber } of subscriptions) subscriber.fail();
    this.#onError(error);
  }

  #flushStream(stream: Stream, encoder: EventEncoder): void {
    const { base, notes, name, subscriptions } = stream;
    stream.notes = [];
    const { store } = this.#registry;
    const events = netEvents(store, stream, mergeNotes(notes), (id) => this.#gone.get(id) ?? null);
    if (events.length === 0) return;
    const frames: Partial<Record<CodecName, Uint8Array>> = {};
    // All now, because the registry may have moved on by the time the last subscriber gets its frame.
    for (const codec of stream.codecs.keys()) frames[codec] = encoder.frame(codec, name, this.cursor, events);
    this.#fanOut.add({ stream, seq: this.#flushedSeq, base, frames, rest: subscriptions.values() });
  }

  /** All that was flushed has left. */
  #delivered(): void {
    this.#observer.eventsSent((performance.now() - this.#firstNoteAt) / 1000);
    if (this.#dirty.length > 0) this.#scheduleFlush();
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.flush();
    });
  }

  #match(change: Change): void {
    this.#scheduleFlush();
    if (this.#streams.size === 0) return;
    const { providerId, beforeRow, slot, reason } = change;
    if (reason !== null) this.#gone.set(providerId, reason);
    const { changes, store } = this.#registry;
    const isSame =
      beforeRow !== null && slot !== null && changes.before.equal(beforeRow, store.attributes, slot);
    const before = beforeRow === null ? [] : this.#filters.match(changes.before, beforeRow);
    const after = slot === null || isSame ? [] : this.#filters.match(store.attributes, slot);
    // Those that match before and after are noted twice, and the first note counts.
    for (const handle of before) this.#note(this.#byHandle[handle]!, providerId, true);
    for (const handle of after) this.#note(this.#byHandle[handle]!, providerId, false);
  }

  #note(stream: Stream, providerId: string, held: boolean): void {
    if (stream.notes.length === 0) {
      if (this.#dirty.length === 0 && this.#fanOut.idle) this.#firstNoteAt = performance.now();
      stream.base = stream.delivery?.seq ?? this.#flushedSeq;
      this.#dirty.push(stream);
    }
    stream.notes.push({ providerId, held });
  }

  #streamFor(filter: Filter): Stream {
    const key = canonicalFilterKey(filter);
    const known = this.#streams.get(key);
    if (known !== undefined) return known;
    const handle = this.#filters.add(filter);
    const stream: Stream = {
      name: `s${this.#nextName.toString(36)}`,
      filter,
      handle,
      predicate: this.#filters.predicate(handle),
      subscriptions: new Set(),
      codecs: new Map(),
      notes: [],
      base: 0,
      delivery: null,
      latecomers: new Set(),
    };
    this.#nextName += 1;
    this.#streams.set(key, stream);
    this.#byHandle[handle] = stream;
    return stream;
  }

  /** The sequence number to resume from; null when that would not be exact. */
  #resumePoint(stream: Stream, resume: string | null): number | null {
    const cursor = resume === null ? null : parseCursor(resume);
    const { changes } = this.#registry;
    if (cursor?.epoch !== changes.epoch || !changes.covers(cursor.seq)) return null;
    return this.#missedSince(stream, cursor.seq) === null ? null : cursor.seq;
  }

  /** What whoever holds a stream's truth at `seq` has missed; null when it is too much to be told. */
  #missedSince(stream: Stream, seq: number): Missed | null {
    const { changes, store } = this.#registry;
    const { predicate } = stream;
    const known = this.#lastMissed;
    if (known?.stream === stream && known.from === seq && known.to === changes.seq) return known;
    const held = new Map<string, boolean>();
    const reasons = new Map<string, GoneReason>();
    changes.since(seq, ({ providerId, beforeRow, slot, reason }) => {
      const isHeld = beforeRow !== null && predicate.matches(changes.before, beforeRow);
      if (!isHeld && (slot === null || !predicate.matches(store.attributes, slot))) return true;
      held.set(providerId, isHeld);
      if (reason !== null) reasons.set(providerId, reason);
      return held.size <= this.#limits.maxCatchUpEvents;
    });
    if (held.size > this.#limits.maxCatchUpEvents) return null;
    return (this.#lastMissed = { stream, from: seq, to: changes.seq, held, reasons });
  }

  #sendSnapshot(subscription: Subscription): void {
    const { subscriber, stream } = subscription;
    const snapshot = subscription.snapshot!;
    const { codec } = subscriber;
    const cursor = formatCursor(this.#registry.changes.epoch, snapshot.seq);
    if (snapshot.setAsideBytes > this.#limits.maxSnapshotBytes) {
      subscriber.fallBehind('too much changed while the snapshot was read');
      return;
    }
    for (let frames = 0; subscriber.writable; frames += 1) {
      if (frames === FRAMES_PER_TURN) {
        setImmediate(() => {
          if (stream.subscriptions.has(subscription)) this.advance(subscription);
        });
        return;
      }
      const batch = snapshot.read(this.#limits.snapshotBatch).map((fragment) => transcode(codec, fragment));
      const last = snapshot.done;
      subscriber.send(
        codec.extend(
          { type: 'snapshot', stream: stream.name, cursor, last },
          'advertisements',
          codec.list(batch),
        ),
      );
      if (last) {
        subscription.snapshot = null;
        subscription.seq = snapshot.seq;
        subscription.state = 'waiting';
        return;
      }
    }
  }

  #catchUp(subscription: Subscription): void {
    this.flush();
    const { stream, subscriber } = subscription;
    // What other streams of the same connection were just sent may have filled it.
    if (!subscriber.writable) return;
    // Told from now on, it would be told again of what is noted already.
    if (stream.notes.length > 0) {
      stream.latecomers.add(subscription);
      return;
    }
    const { changes, store } = this.#registry;
    if (!changes.covers(subscription.seq)) {
      subscriber.fallBehind('it missed more changes than the hub keeps');
      return;
    }
    const since = subscription.seq;
    subscription.state = 'live';
    subscription.seq = changes.seq;
    if (since === changes.seq) return;
    const missed = this.#missedSince(stream, since);
    if (missed === null) {
      subscriber.fallBehind(`it missed more than ${String(this.#limits.maxCatchUpEvents)} events`);
      return;
    }
    const { held, reasons } = missed;
    const events = netEvents(store, stream, held, (id) => reasons.get(id) ?? null);
    if (events.length === 0) return;
    subscriber.send(new EventEncoder(store).frame(subscriber.codec.name, stream.name, this.cursor, events));
  }
}
