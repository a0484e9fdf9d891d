import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Packr } from 'msgpackr';
import { StreamHub } from '../../../src/streams/stream-hub.js';
import { STREAM_LIMITS, type StreamLimits } from '../../../src/streams/limits.js';
import type { Subscriber, Subscription } from '../../../src/streams/stream.js';
import { CODECS, type Codec, type CodecName } from '../../../src/protocol/frames/codec.js';
import type { Filter } from '../../../src/protocol/filters/filter.js';
import type { First } from '../../../src/protocol/filters/first.js';
import type { Down, DownFrame, StreamEvent } from '../../../src/protocol/frames/frames-down.js';
import type { RequestId } from '../../../src/protocol/frames/frames-up.js';
import { LIMITS } from '../../../src/protocol/limits.js';
import { matches } from './naive.js';
import { comparable, RegistryWorld } from './registry-world.js';

const packr = new Packr({ useRecords: false, int64AsType: 'number' });

/** What a client held at one cursor, from which it may resume. */
export interface Checkpoint {
  filter: Filter;
  first: First | null;
  seq: number;
  held: ReadonlyMap<string, string>;
}

/** Where a subscription asks to go on from: a checkpoint, a cursor that nobody can have, or nowhere. */
export type ResumeFrom = Checkpoint | string | null;

/** What one client knows of one stream, by what it was sent and nothing else. */
class View {
  readonly filter: Filter;
  readonly #first: First | null;
  readonly #world: StreamWorld;
  readonly #resumeFrom: ResumeFrom;
  subscription: Subscription | null = null;
  held = new Map<string, string>();
  /** Null until all of the snapshot has arrived. */
  seq: number | null = null;

  constructor(world: StreamWorld, filter: Filter, first: First | null, resumeFrom: ResumeFrom) {
    this.#world = world;
    this.filter = filter;
    this.#first = first;
    this.#resumeFrom = resumeFrom;
  }

  subscribed({ cursor, resumed }: Down<'subscribed'>): void {
    const from = this.#resumeFrom;
    assert.equal(
      resumed,
      this.#world.canResume(this.filter, this.#first, from),
      'a resume is exact or refused, and not refused without need',
    );
    if (!resumed) {
      assert.equal(cursor, null);
      return;
    }
    assert.ok(typeof from === 'object' && from !== null);
    assert.equal(this.#world.seqOf(cursor!), from.seq);
    this.held = new Map(from.held);
    this.#arrive(from.seq);
  }

  snapshot({ cursor, advertisements, last }: Down<'snapshot'>): void {
    assert.equal(this.seq, null, 'a snapshot that was not due');
    assert.equal(cursor !== null, last, 'only the last frame brings a truth');
    assert.ok(advertisements.length <= LIMITS.maxSnapshotBatch);
    for (const advertisement of advertisements) {
      assert.ok(!this.held.has(advertisement.provider_id), 'a snapshot has a provider twice');
      this.held.set(advertisement.provider_id, comparable(advertisement));
    }
    if (last) this.#arrive(this.#world.seqOf(cursor!));
  }

  events({ cursor, events }: Down<'events'>): void {
    const before = this.seq;
    assert.notEqual(before, null, 'events before the snapshot is complete');
    const seq = this.#world.seqOf(cursor);
    assert.ok(seq > before!, 'a cursor that does not move on');
    assert.ok(events.length > 0, 'a frame without events');
    assert.equal(new Set(events.map(idOf)).size, events.length, 'two events of one provider in one frame');
    if (this.#first === null) this.#checkOrder(events, before!, seq);
    for (const event of events) this.#apply(event, before!, seq);
    this.#arrive(seq);
  }

  bookmark(cursor: string): void {
    const seq = this.#world.seqOf(cursor);
    assert.notEqual(this.seq, null, 'a bookmark before the snapshot is complete');
    assert.ok(seq >= this.seq!, 'a bookmark that goes back');
    this.#arrive(seq);
  }

  /** Compares what is held with what a list at the same cursor would have returned. */
  assertTruth(seq: number): void {
    const expected =
      this.#first === null
        ? this.#world.matching(this.filter, seq)
        : this.#world.first(this.filter, this.#first, seq);
    assert.deepEqual([...this.held].sort(), [...expected].sort(), `not the truth at ${String(seq)}`);
  }

  #arrive(seq: number): void {
    this.seq = seq;
    this.assertTruth(seq);
    this.#world.remember({ filter: this.filter, first: this.#first, seq, held: new Map(this.held) });
  }

  #apply(event: StreamEvent, before: number, seq: number): void {
    const id = idOf(event);
    // Among the first matches, others that come or go are a reason to go or come.
    if (this.#first === null || event.op === 'updated')
      assert.ok(this.#world.between(id, before, seq).length > 0, `an event of ${id}, which has not changed`);
    if (event.op === 'removed') {
      assert.ok(this.held.delete(id), `${id} is removed, but not held`);
      const now = this.#world.at(id, seq)!;
      const present = this.#shows(id, seq) ? 'outranked' : 'unmatched';
      assert.equal(event.reason, now.text === null ? now.reason : present, `the reason why ${id} went`);
      return;
    }
    assert.equal(event.op, this.held.has(id) ? 'updated' : 'added', `whether ${id} is held already`);
    this.held.set(id, comparable(event.advertisement));
  }

  /** No event may stand before one of a provider whose last change came earlier. */
  #checkOrder(events: readonly StreamEvent[], before: number, seq: number): void {
    const lastVisible = (id: string): number =>
      this.#world
        .between(id, before, seq)
        .filter((change) => this.#shows(id, change.seq - 1) || this.#shows(id, change.seq))
        .at(-1)!.seq;
    const lastAtAll = (id: string): number => this.#world.between(id, before, seq).at(-1)!.seq;
    for (let at = 1; at < events.length; at += 1) {
      const earlier = lastVisible(idOf(events[at - 1]!));
      assert.ok(earlier <= lastAtAll(idOf(events[at]!)), 'events are out of order');
    }
  }

  #shows(id: string, seq: number): boolean {
    const advertisement = this.#world.at(id, seq)?.advertisement;
    return advertisement !== null && advertisement !== undefined && matches(this.filter, advertisement);
  }
}

function idOf(event: StreamEvent): string {
  return event.op === 'removed' ? event.provider_id : event.advertisement.provider_id;
}

/** A connection without a socket: it takes what it is sent until it cannot, or is gone. */
export class StreamClient implements Subscriber {
  readonly codec: Codec;
  readonly views = new Map<string, View>();
  readonly #world: StreamWorld;
  /** Frames it still takes before it is full, and before its connection breaks. */
  #room = Number.POSITIVE_INFINITY;
  #life = Number.POSITIVE_INFINITY;
  /** The subscriptions that have not been answered, by the ids of their requests. */
  readonly #asked = new Map<RequestId, View>();
  #requests = 0;
  readonly account = { work: 0 };
  closed = false;

  constructor(world: StreamWorld, codec: CodecName) {
    this.#world = world;
    this.codec = CODECS[codec];
  }

  get writable(): boolean {
    return !this.closed && this.#room > 0;
  }

  send(bytes: Uint8Array): void {
    if (this.closed) return;
    if (this.#life === 0) {
      this.close();
      return;
    }
    const frame = (
      this.codec.binary ? packr.unpack(bytes) : JSON.parse(Buffer.from(bytes).toString('utf8'))
    ) as DownFrame;
    this.#life -= 1;
    try {
      if (frame.type === 'snapshot' || frame.type === 'events')
        assert.ok(this.#room > 0, 'it is sent a stream although it is full');
      this.#room = Math.max(0, this.#room - 1);
      this.#receive(frame);
    } catch (error) {
      // Kept, because it may be the event loop that sends, and the hub must not be disturbed in the middle.
      this.#world.failure ??= error;
    }
  }

  fail(): void {
    this.close();
  }

  fallBehind(reason: string): void {
    if (this.closed) return;
    const { subscriptions } = this;
    const { changes } = this.#world.registry;
    const isOverrun = subscriptions.some(({ state, seq }) => state === 'waiting' && !changes.covers(seq));
    if (reason.includes('than the hub keeps')) assert.ok(isOverrun, 'it is given up although it could go on');
    this.#world.fallenBehind += 1;
    this.close();
  }

  /** All of them, answered or not. */
  get subscriptions(): Subscription[] {
    return this.#views().flatMap(({ subscription }) => subscription ?? []);
  }

  /** Whether all its subscriptions have been answered. */
  get isAnswered(): boolean {
    return this.#asked.size === 0;
  }

  subscribe(filter: Filter, resumeFrom: ResumeFrom, first: First | null = null): void {
    const { hub } = this.#world;
    const stream = hub.find(filter, first);
    const present = this.#views().find(({ subscription }) => subscription?.stream === stream);
    const view = new View(this.#world, filter, first, resumeFrom);
    this.#requests += 1;
    const id = this.#requests;
    this.#asked.set(id, view);
    for (const views of [this.views, this.#asked] as Map<unknown, View>[])
      for (const [key, one] of views) if (one === present) views.delete(key);
    const resume = this.#world.cursorOf(resumeFrom);
    const replaced = present?.subscription ?? undefined;
    view.subscription = hub.subscribe(this, id, filter, resume, { first, replaced });
    if (this.closed) hub.unsubscribe(view.subscription);
  }

  unsubscribe(pick: number): void {
    const [name, view] = [...this.views][pick % Math.max(1, this.views.size)] ?? [];
    if (name === undefined || !view?.subscription) return;
    this.views.delete(name);
    this.#world.hub.unsubscribe(view.subscription);
  }

  /** It takes so many frames more, then is full, unless it is already. */
  limit(frames: number): void {
    if (this.#room > 0) this.#room = frames;
  }

  /** It is empty again. */
  take(frames = Number.POSITIVE_INFINITY): void {
    const wasFull = this.#room === 0;
    this.#room = frames;
    if (!wasFull) return;
    for (const { subscription } of this.#views()) if (subscription) this.#world.hub.advance(subscription);
  }

  /** Its connection breaks while it is sent the frame after so many. */
  breakAfter(frames: number): void {
    this.#life = frames;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const { subscription } of this.#views()) if (subscription) this.#world.hub.unsubscribe(subscription);
  }

  /** What the connection does when it has been quiet for a while. */
  bookmark(): void {
    const { hub } = this.#world;
    const views = this.#views();
    const cursor = hub.commonCursor(views.flatMap(({ subscription }) => subscription ?? []));
    if (cursor === null || !this.writable) return;
    for (const view of views) view.bookmark(cursor);
  }

  /** Of all streams, answered or not. */
  #views(): View[] {
    return [...this.views.values(), ...this.#asked.values()];
  }

  #receive(frame: DownFrame): void {
    if (frame.type === 'subscribed') {
      const view = this.#asked.get(frame.id)!;
      this.#asked.delete(frame.id);
      this.views.set(frame.stream, view);
      view.subscribed(frame);
    } else if (frame.type === 'snapshot') {
      this.views.get(frame.stream)!.snapshot(frame);
    } else if (frame.type === 'events') {
      this.views.get(frame.stream)!.events(frame);
    } else {
      assert.fail(`an unexpected frame: ${frame.type}`);
    }
  }
}

/** A registry with its model, the hub of streams on top, and clients that check every frame they get. */
export class StreamWorld extends RegistryWorld {
  readonly hub: StreamHub;
  readonly clients: StreamClient[] = [];
  readonly checkpoints: Checkpoint[] = [];
  readonly decided = { exact: 0, refused: 0 };
  fallenBehind = 0;
  /** The first thing that a client found to be wrong, or the hub's first error. */
  failure: unknown = null;
  #remembered = 0;

  readonly #limits: StreamLimits;

  constructor(settings: { expiryMs?: number; replayEvents?: number; limits?: Partial<StreamLimits> } = {}) {
    super(settings);
    const observer = {
      resumeDecided: (outcome: 'exact' | 'refused') => (this.decided[outcome] += 1),
      eventsSent: () => undefined,
    };
    this.#limits = { ...STREAM_LIMITS, ...settings.limits };
    // Work counts as what is said of it, so that each turn does the same in every run.
    this.hub = new StreamHub(this.registry, observer, {
      limits: this.#limits,
      now: () => 0,
      // Thrown in the event loop, it would end the test without the seed.
      onError: (error) => (this.failure ??= error),
    });
  }

  connect(codec: CodecName): StreamClient {
    const client = new StreamClient(this, codec);
    this.clients.push(client);
    return client;
  }

  seqOf(cursor: string): number {
    const [epoch, seq] = cursor.split(':');
    assert.equal(epoch, this.registry.changes.epoch);
    return Number(seq);
  }

  cursorOf(from: ResumeFrom): string | null {
    return from === null || typeof from === 'string'
      ? from
      : `${this.registry.changes.epoch}:${String(from.seq)}`;
  }

  /** Whether what was missed since then is still known, and not too much for one frame. */
  canResume(filter: Filter, first: First | null, from: ResumeFrom): boolean {
    if (from === null || typeof from === 'string' || !this.registry.changes.covers(from.seq)) return false;
    // Those are never too much.
    if (first !== null) return true;
    const before = this.matching(filter, from.seq);
    const now = this.matching(filter, this.seq);
    const touched = [...new Set([...before.keys(), ...now.keys()])];
    return (
      touched.filter((id) => this.between(id, from.seq, this.seq).length > 0).length <=
      this.#limits.maxCatchUpEvents
    );
  }

  /** Keeps some of what clients held, new and old. */
  remember(checkpoint: Checkpoint): void {
    this.checkpoints[this.#remembered % 40] = checkpoint;
    this.#remembered += 1;
  }

  /** Fails with what is known to be wrong. */
  check(): void {
    if (this.failure !== null) throw this.failure as Error;
  }

  /** Lets the event loop turn once, then checks that every client that is up to date holds the present. */
  async turn(): Promise<void> {
    await nextTurn();
    this.check();
    for (const { views, closed } of this.clients) {
      if (closed) continue;
      for (const view of views.values()) if (this.#isCurrent(view)) view.assertTruth(this.seq);
    }
  }

  /** Everybody reads on, until all are up to date. */
  async settle(): Promise<void> {
    for (let turns = 0; ; turns += 1) {
      for (const client of this.clients) if (!client.closed) client.take();
      await this.turn();
      const open = this.clients.filter(({ closed }) => !closed);
      if (
        open.every(
          (client) => client.isAnswered && [...client.views.values()].every((view) => this.#isCurrent(view)),
        )
      )
        return;
      assert.ok(turns < 5000, 'somebody never gets up to date');
    }
  }

  #isCurrent({ subscription }: View): boolean {
    return subscription !== null && this.hub.isCurrent(subscription);
  }
}
