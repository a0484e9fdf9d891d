import type { CodecName } from '../protocol/codec.js';
import { formatCursor, parseCursor } from '../protocol/cursor.js';
import { canonicalFilterKey, type Filter } from '../protocol/filter.js';
import type { RequestId } from '../protocol/frames-up.js';
import { LIMITS } from '../protocol/limits.js';
import { forEachBit, hasBit } from '../registry/bitmap.js';
import type { Change, GoneReason } from '../registry/change-log.js';
import { FilterIndex } from '../registry/filter-index.js';
import type { Registry } from '../registry/registry.js';
import { EventEncoder, netEvents, transcode } from './event-encoder.js';
import { type GatewayObserver, QUEUE } from './settings.js';
import { noteChange, type Stream } from './stream.js';
import type { Subscriber, Subscription } from './subscription.js';

/** Snapshot frames that one connection is sent before others get their turn. */
const FRAMES_PER_TURN = 4;

/** Providers of a stream that changed, whether somebody holds them, and why those went that are gone. */
interface Missed {
  held: ReadonlyMap<string, boolean>;
  reasonOf: (providerId: string) => GoneReason | null;
}

/**
 * All streams: matches each change against all distinct filters at once, collects what each stream has to tell
 * until the end of the event loop's turn, and sends it to all subscribers of the stream, encoded once for each
 * codec.
 */
export class StreamHub {
  readonly #registry: Registry;
  readonly #observer: GatewayObserver;
  readonly #filters: FilterIndex;
  readonly #streams = new Map<string, Stream>();
  readonly #byHandle: (Stream | undefined)[] = [];
  readonly #dirty = new Set<Stream>();
  /** Why providers went since the last flush, also where a stream had let go of one before. */
  #gone = new Map<string, GoneReason>();
  #matchedBefore = new Uint32Array(0);
  #matchedAfter = new Uint32Array(0);
  #nextName = 1;
  #flushScheduled = false;
  #firstChangeAt = 0;
  /** Every live subscription holds the truth at this sequence number. */
  #flushedSeq: number;
  #subscriptions = 0;

  constructor(registry: Registry, observer: GatewayObserver) {
    this.#registry = registry;
    this.#observer = observer;
    this.#filters = new FilterIndex(registry.store);
    this.#flushedSeq = registry.changes.seq;
    registry.onChange = (change) => {
      this.#match(change);
    };
  }

  get streams(): number {
    return this.#streams.size;
  }

  get subscriptions(): number {
    return this.#subscriptions;
  }

  /** Where every live subscriber stands. */
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
    this.#subscriptions += 1;
    const resumed = this.#resumePoint(stream, resume);
    if (resume !== null) this.#observer.resumeDecided(resumed === null ? 'refused' : 'exact');
    const { epoch, seq } = this.#registry.changes;
    const cursor = formatCursor(epoch, resumed ?? seq);
    const { codec } = subscriber;
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
    const { stream } = subscription;
    if (!stream.subscriptions.delete(subscription)) return;
    this.#subscriptions -= 1;
    subscription.snapshot?.close();
    if (stream.subscriptions.size > 0) return;
    this.#filters.remove(stream.handle);
    this.#byHandle[stream.handle] = undefined;
    this.#streams.delete(canonicalFilterKey(stream.filter));
    this.#dirty.delete(stream);
  }

  /** Whether a subscription is for just this filter. */
  isFor(subscription: Subscription, filter: Filter): boolean {
    return this.#streams.get(canonicalFilterKey(filter)) === subscription.stream;
  }

  /** Sends a subscription on towards the present, as far as its connection takes it. */
  advance(subscription: Subscription): void {
    if (subscription.state === 'reading') this.#sendSnapshot(subscription);
    if (subscription.state === 'waiting' && subscription.subscriber.writable) this.#catchUp(subscription);
  }

  /** Sends all that is pending, to all streams. Runs by itself at the end of each turn with changes. */
  flush(): void {
    const { changes, store } = this.#registry;
    if (changes.seq === this.#flushedSeq) return;
    const previousSeq = this.#flushedSeq;
    this.#flushedSeq = changes.seq;
    const gone = this.#gone;
    this.#gone = new Map();
    if (this.#dirty.size === 0) return;
    const encoder = new EventEncoder(store);
    const cursor = this.cursor;
    for (const stream of this.#dirty) {
      const events = netEvents(store, stream, stream.pending, (providerId) => gone.get(providerId) ?? null);
      stream.pending = new Map();
      if (events.length === 0) continue;
      const frames: Partial<Record<CodecName, Uint8Array>> = {};
      for (const subscription of stream.subscriptions) {
        if (subscription.state !== 'live') continue;
        const { subscriber } = subscription;
        if (subscriber.writable) {
          const { name } = subscriber.codec;
          subscriber.send((frames[name] ??= encoder.frame(name, stream.name, cursor, events)));
        } else {
          subscription.state = 'waiting';
          subscription.seq = previousSeq;
        }
      }
    }
    this.#dirty.clear();
    this.#observer.eventsSent((performance.now() - this.#firstChangeAt) / 1000);
  }

  #match(change: Change): void {
    if (!this.#flushScheduled) {
      this.#flushScheduled = true;
      this.#firstChangeAt = performance.now();
      setImmediate(() => {
        this.#flushScheduled = false;
        this.flush();
      });
    }
    if (this.#streams.size === 0) return;
    if (change.reason !== null) this.#gone.set(change.providerId, change.reason);
    const { changes, store } = this.#registry;
    const { words } = this.#filters;
    if (this.#matchedBefore.length !== words) {
      this.#matchedBefore = new Uint32Array(words);
      this.#matchedAfter = new Uint32Array(words);
    }
    const before = this.#matchedBefore;
    const after = this.#matchedAfter;
    if (change.beforeRow === null) before.fill(0);
    else this.#filters.match(changes.before, change.beforeRow, before);
    if (change.slot === null) after.fill(0);
    else this.#filters.match(store.attributes, change.slot, after);
    for (let word = 0; word < words; word += 1) {
      forEachBit(before[word]! | after[word]!, word * 32, (handle) => {
        const stream = this.#byHandle[handle]!;
        noteChange(stream, change.providerId, hasBit(before, handle));
        this.#dirty.add(stream);
      });
    }
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
      pending: new Map(),
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
    return this.#missedSince(stream, cursor.seq).held.size <= QUEUE.maxCatchUpEvents ? cursor.seq : null;
  }

  /** What whoever holds a stream's truth at `seq` has missed. */
  #missedSince(stream: Stream, seq: number): Missed {
    const { changes, store } = this.#registry;
    const since = changes.since(seq);
    const held = new Map<string, boolean>();
    for (const [providerId, { beforeRow }] of since) {
      const isHeld = beforeRow !== null && stream.predicate.matches(changes.before, beforeRow);
      const slot = store.find(providerId);
      const matches = slot !== undefined && stream.predicate.matches(store.attributes, slot);
      if (isHeld || matches) held.set(providerId, isHeld);
    }
    return { held, reasonOf: (providerId) => since.get(providerId)?.reason ?? null };
  }

  #sendSnapshot(subscription: Subscription): void {
    const { subscriber, stream } = subscription;
    const snapshot = subscription.snapshot!;
    const { codec } = subscriber;
    const cursor = formatCursor(this.#registry.changes.epoch, snapshot.seq);
    if (snapshot.setAsideBytes > QUEUE.maxSnapshotBytes) {
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
      const batch = snapshot.read(LIMITS.maxSnapshotBatch).map((fragment) => transcode(codec, fragment));
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
    const { changes, store } = this.#registry;
    if (!changes.covers(subscription.seq)) {
      subscriber.fallBehind('it missed more changes than the hub keeps');
      return;
    }
    subscription.state = 'live';
    if (subscription.seq === changes.seq) return;
    const { held, reasonOf } = this.#missedSince(stream, subscription.seq);
    if (held.size > QUEUE.maxCatchUpEvents) {
      subscriber.fallBehind(`it missed more than ${String(QUEUE.maxCatchUpEvents)} events`);
      return;
    }
    const events = netEvents(store, stream, held, reasonOf);
    if (events.length === 0) return;
    subscriber.send(new EventEncoder(store).frame(subscriber.codec.name, stream.name, this.cursor, events));
  }
}
