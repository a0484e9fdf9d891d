import type { WireName } from '../protocol/frames/codec.js';
import { formatCursor } from '../protocol/cursor.js';
import type { Filter } from '../protocol/filters/filter.js';
import type { First } from '../protocol/filters/first.js';
import type { RequestId } from '../protocol/frames/frames-up.js';
import type { Change, GoneReason } from '../registry/change-log.js';
import { FilterIndex } from './matching/filter-index.js';
import type { Registry } from '../registry/registry.js';
import { Departures } from './departures.js';
import { EventEncoder, type NetEvent, netEvents } from './event-encoder.js';
import { FanOut } from './fan-out.js';
import { Feed } from './feed.js';
import { filterKey, filterWeight } from './filter-key.js';
import { STREAM_LIMITS, type StreamLimits } from './limits.js';
import type { StreamObserver } from './observer.js';
import {
  isRanked,
  mergeNotes,
  type RankedStream,
  type Stream,
  type Subscriber,
  type Subscription,
} from './stream.js';
import { Top } from './top/top.js';
import { topEvents } from './top/top-events.js';

interface StreamHubOptions {
  limits?: Partial<StreamLimits>;
  onError?: (error: unknown) => void;
  now?: () => number;
}

interface SubscribeOptions {
  /** Order and limit of first matches; null for all matches. */
  first?: First | null;
  /**
   * The subscriber's present subscription to the same stream, which ends first: its last events would otherwise be mistaken for those of
   * the new one.
   */
  replaced?: Subscription | undefined;
}

function rethrow(error: unknown): never {
  throw error;
}

/**
 * All streams: matches each change against all distinct filters at once, collects the changes of each stream until the end of the
 * event-loop iteration, and sends them to its subscribers, encoded once per codec. While that takes more than an iteration, further changes
 * of the stream are merged.
 */
export class StreamHub {
  readonly #registry: Registry;
  readonly #now: () => number;
  readonly #observer: StreamObserver;
  readonly #onError: (error: unknown) => void;
  readonly #limits: StreamLimits;
  readonly #filters: FilterIndex;
  readonly #streams = new Map<string, Stream>();
  readonly #byHandle: (Stream | undefined)[] = [];
  readonly #fanOut: FanOut;
  readonly #feed: Feed;
  /** Streams with pending changes. */
  #dirty: Stream[] = [];
  /** Why providers were removed since the last flush, even if a stream had dropped one before. */
  readonly #departures = new Departures();
  #nextName = 1;
  #flushScheduled = false;
  /** How many streams may still be flushed in this event-loop iteration. */
  #flushesLeft: number;
  /** When the first of the changes being delivered came. */
  #firstNoteAt = 0;
  /** Up to here, all changes have been noted and, except for streams that are busy or have to wait, flushed. */
  #flushedSeq: number;
  #subscriptions = 0;
  #weight = 0;

  /**
   * @param options.limits Overrides of `STREAM_LIMITS`.
   * @param options.onError Called with unexpected errors. Only the stream concerned ends.
   * @param options.now Milliseconds, to time work.
   */
  constructor(
    registry: Registry,
    observer: StreamObserver,
    { limits = {}, onError = rethrow, now = () => performance.now() }: StreamHubOptions = {},
  ) {
    this.#registry = registry;
    this.#observer = observer;
    this.#now = now;
    this.#onError = onError;
    this.#limits = { ...STREAM_LIMITS, ...limits };
    this.#filters = new FilterIndex(registry.store.numbers);
    this.#fanOut = new FanOut(this.#limits.framesPerTurn, () => {
      this.#delivered();
    });
    this.#feed = new Feed({
      registry,
      observer,
      limits: this.#limits,
      now,
      flush: () => {
        this.flush();
      },
      giveUp: (subscriptions, error) => {
        this.#giveUp(subscriptions, error);
      },
    });
    this.#flushedSeq = registry.changes.seq;
    this.#flushesLeft = this.#limits.flushesPerTurn;
    registry.onChange((change) => {
      this.#match(change);
    });
  }

  get streams(): number {
    return this.#streams.size;
  }

  /** The total weight of all filters. */
  get weight(): number {
    return this.#weight;
  }

  get subscriptions(): number {
    return this.#subscriptions;
  }

  /** The position of every subscriber that `isCurrent`. */
  get cursor(): string {
    return formatCursor(this.#registry.changes.epoch, this.#flushedSeq);
  }

  /**
   * Starts a subscription: answers `subscribed` in its turn, then brings the subscriber up to date, with what it missed or with a snapshot.
   * @param id The id of the request.
   * @param resume The cursor to resume from; null for a snapshot.
   */
  subscribe(
    subscriber: Subscriber,
    id: RequestId,
    filter: Filter,
    resume: string | null,
    { first = null, replaced }: SubscribeOptions = {},
  ): Subscription {
    const stream = this.#streamFor(filter, first);
    const subscription: Subscription = {
      stream,
      subscriber,
      request: { id, resume },
      state: 'asked',
      seq: 0,
      snapshot: null,
      next: 0,
    };
    stream.subscriptions.add(subscription);
    const { codec } = subscriber;
    stream.codecs.set(codec.name, (stream.codecs.get(codec.name) ?? 0) + 1);
    this.#subscriptions += 1;
    // Only now, so that the stream survives and keeps its name.
    if (replaced !== undefined) this.unsubscribe(replaced);
    const advance = (): void => {
      if (stream.subscriptions.has(subscription)) this.#feed.advance(subscription);
    };
    if (resume === null) advance();
    else this.#registry.whenReached(resume, advance);
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
    this.#feed.end(subscription);
    if (stream.subscriptions.size > 0) {
      // It may have been the one searching for the first matches.
      if (stream.top?.isShort === true) this.#scheduleFlush();
      return;
    }
    this.#filters.remove(stream.handle);
    this.#byHandle[stream.handle] = undefined;
    this.#streams.delete(stream.key);
    this.#weight -= stream.weight;
  }

  /** Whether a subscriber has been told everything up to the last flush. */
  isCurrent({ state, seq, stream }: Subscription): boolean {
    const isReached = stream.delivery === null || seq >= stream.delivery.seq;
    return state === 'live' && stream.notes.length === 0 && isReached;
  }

  /** All current streams. */
  all(): Stream[] {
    return [...this.#streams.values()];
  }

  /** The stream of a filter, or of its first matches, if it has a subscriber. */
  find(filter: Filter, first: First | null = null): Stream | undefined {
    return this.#streams.get(filterKey(filter, first));
  }

  /**
   * A point up to which several subscriptions of one connection have been told everything, and past which none has been told anything:
   * a cursor that all of them may resume from.
   * @returns The cursor; null while there is none.
   */
  commonCursor(subscriptions: readonly Subscription[]): string | null {
    this.flush();
    let told = 0;
    let complete = this.#flushedSeq;
    for (const subscription of subscriptions) {
      // The part of a snapshot that it holds so far is true at no cursor.
      if (subscription.state === 'asked' || subscription.state === 'reading') return null;
      const truth = this.#truthOf(subscription);
      told = Math.max(told, truth.from);
      complete = Math.min(complete, truth.to);
    }
    if (told > complete) return null;
    for (const subscription of subscriptions) subscription.seq = complete;
    return formatCursor(this.#registry.changes.epoch, complete);
  }

  /** The first and the last position at which what a subscription has been told is true. */
  #truthOf({ state, seq, stream }: Subscription): { from: number; to: number } {
    if (state !== 'live') return { from: seq, to: seq };
    const { delivery, notes, base, settled } = stream;
    if (delivery !== null) {
      const reached = seq < delivery.seq ? delivery.base : delivery.seq;
      return { from: Math.max(seq, reached), to: reached };
    }
    return { from: Math.max(seq, settled), to: notes.length > 0 ? base : this.#flushedSeq };
  }

  /** Brings a subscription closer to the present, as far as its connection accepts frames. */
  advance(subscription: Subscription): void {
    this.#feed.advance(subscription);
  }

  /**
   * Flushes the streams that are not busy, up to the limit per iteration; the changes of the rest are merged with those until the next
   * flush. Runs automatically at the end of each iteration with changes.
   */
  flush(): void {
    this.#flushedSeq = this.#registry.changes.seq;
    this.#feed.bound();
    if (this.#dirty.length === 0) return;
    const dirty = this.#dirty;
    this.#dirty = [];
    const latecomers: Subscription[] = [];
    const short: RankedStream[] = [];
    const encoder = new EventEncoder(this.#registry.store);
    let at = 0;
    for (; at < dirty.length && this.#flushesLeft > 0; at += 1) {
      const stream = dirty[at]!;
      if (stream.subscriptions.size === 0) continue;
      if (stream.delivery !== null) {
        this.#dirty.push(stream);
      } else if (isRanked(stream) && stream.top.isShort) {
        this.#dirty.push(stream);
        short.push(stream);
      } else {
        try {
          this.#flushStream(stream, encoder);
        } catch (error) {
          this.#giveUp([...stream.subscriptions], error);
        }
        latecomers.push(...stream.latecomers);
        stream.latecomers.clear();
        this.#flushesLeft -= 1;
      }
    }
    if (at < dirty.length) {
      this.#dirty = [...dirty.slice(at), ...this.#dirty];
      this.#scheduleFlush();
    }
    this.#departures.forget(this.#dirty.reduce((seq, { base }) => Math.min(seq, base), this.#flushedSeq));
    for (const stream of short) this.#feed.refill(stream);
    for (const subscription of latecomers) {
      if (subscription.stream.subscriptions.has(subscription)) this.advance(subscription);
    }
    this.#fanOut.run();
  }

  /** What its subscribers hold may no longer be true, so they have to start over. */
  #giveUp(subscriptions: readonly Subscription[], error: unknown): void {
    for (const { subscriber } of subscriptions) subscriber.fail();
    this.#onError(error);
  }

  #flushStream(stream: Stream, encoder: EventEncoder): void {
    const { base, name, subscriptions } = stream;
    const events = this.#eventsOf(stream);
    stream.notes = [];
    stream.settled = this.#flushedSeq;
    if (events.length === 0) return;
    const frames: Partial<Record<WireName, Uint8Array>> = {};
    // Encoded now, because the registry may change before the last subscriber gets its frame.
    for (const codec of stream.codecs.keys()) frames[codec] = encoder.frame(codec, name, this.cursor, events);
    this.#fanOut.add({ stream, seq: this.#flushedSeq, base, frames, rest: subscriptions.values() });
  }

  /** The events for subscribers that have everything up to the last flush. */
  #eventsOf(stream: Stream): NetEvent[] {
    const reasonOf = (id: string): GoneReason | null => this.#departures.reasonOf(id);
    if (!isRanked(stream))
      return netEvents(this.#registry.store, stream.predicate, mergeNotes(stream.notes), reasonOf);
    const { top } = stream;
    // Until the first snapshot nobody follows yet; these matches came during the search for the first.
    const events = top.told === null ? [] : topEvents(this.#registry, stream, top.told, reasonOf);
    top.tell(this.#registry.changes.count);
    return events;
  }

  /** Everything that was flushed has been delivered. */
  #delivered(): void {
    this.#observer.eventsSent((this.#now() - this.#firstNoteAt) / 1000);
    if (this.#dirty.length > 0) this.#scheduleFlush();
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#flushesLeft = this.#limits.flushesPerTurn;
      this.flush();
    });
  }

  #match(change: Change): void {
    this.#scheduleFlush();
    if (this.#streams.size === 0) return;
    const { providerId, beforeRow, slot, reason } = change;
    const { changes, store } = this.#registry;
    if (reason !== null) this.#departures.note(providerId, reason, changes.seq);
    const isSame =
      beforeRow !== null && slot !== null && changes.before.equal(beforeRow, store.attributes, slot);
    const before = beforeRow === null ? [] : this.#filters.match(changes.before, beforeRow);
    const after = slot === null ? [] : isSame ? before : this.#filters.match(store.attributes, slot);
    // Streams that match before and after are noted twice; the first note counts.
    for (const handle of before) {
      const stream = this.#byHandle[handle]!;
      if (stream.top?.leave(beforeRow!) ?? true) this.#note(stream, providerId, true);
    }
    for (const handle of after) {
      const stream = this.#byHandle[handle]!;
      if (stream.top?.enter(slot!) ?? !isSame) this.#note(stream, providerId, false);
    }
  }

  #note(stream: Stream, providerId: string, held: boolean): void {
    if (stream.notes.length === 0) {
      if (this.#dirty.length === 0 && this.#fanOut.idle) this.#firstNoteAt = this.#now();
      stream.base = stream.delivery?.seq ?? this.#flushedSeq;
      this.#dirty.push(stream);
    }
    stream.notes.push({ providerId, held });
  }

  #topOf(filter: Filter, first: First): Top {
    const { store, changes } = this.#registry;
    const { leastSpare } = this.#limits;
    return new Top(filter, first, { store: store.attributes, log: changes.before, leastSpare });
  }

  #streamFor(filter: Filter, first: First | null): Stream {
    const key = filterKey(filter, first);
    const known = this.#streams.get(key);
    if (known !== undefined) return known;
    const handle = this.#filters.add(filter);
    const stream: Stream = {
      name: `s${this.#nextName.toString(36)}`,
      key,
      weight: filterWeight(filter, first),
      handle,
      filter,
      predicate: this.#filters.predicate(handle),
      top: first === null ? null : this.#topOf(filter, first),
      tests: null,
      subscriptions: new Set(),
      codecs: new Map(),
      notes: [],
      base: 0,
      settled: 0,
      delivery: null,
      latecomers: new Set(),
      snapshot: null,
    };
    this.#weight += stream.weight;
    this.#nextName += 1;
    this.#streams.set(key, stream);
    this.#byHandle[handle] = stream;
    return stream;
  }
}
