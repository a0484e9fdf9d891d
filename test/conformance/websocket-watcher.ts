import assert from 'node:assert/strict';
import type { PublishedAdvertisement } from '../../src/protocol/advertisement.js';
import type { First } from '../../src/protocol/filters/first.js';
import type { StreamEvent } from '../../src/protocol/frames/frames-down.js';
import type { CodecName, TestHub } from '../support/hubs/test-hub.js';
import type { Frame, SocketOptions, TestSocket } from '../support/clients/test-socket.js';
import { greet } from './websocket-support.js';

/** Where a subscription starts, when not from a snapshot: a cursor and what the client held there. */
export interface Resume {
  cursor: string;
  view: ReadonlyMap<string, PublishedAdvertisement>;
}

/**
 * What a requestor knows of one stream. It applies what it is told, and insists that it makes sense: nothing is
 * added twice, nothing is updated or removed that was not there, and the cursor never goes back.
 */
export class StreamView {
  readonly stream: string;
  readonly resumed: boolean;
  readonly view: Map<string, PublishedAdvertisement>;
  /** How many advertisements each frame of the snapshot had. */
  readonly batches: number[] = [];
  cursor = '';
  /** Whether the snapshot has come to its end, or was not needed. */
  complete: boolean;

  /** @param subscribed The answer to the request. */
  constructor(subscribed: Frame, resume?: Resume) {
    assert.deepEqual(Object.keys(subscribed).sort(), ['cursor', 'id', 'resumed', 'stream', 'type']);
    const { stream, resumed } = subscribed;
    assert.ok(typeof stream === 'string' && stream.length > 0);
    assert.ok(typeof resumed === 'boolean');
    this.stream = stream;
    this.resumed = resumed;
    this.complete = resumed;
    this.view = new Map(resumed ? resume?.view : []);
    if (!resumed) {
      assert.equal(subscribed['cursor'], null, 'it holds nothing yet');
      return;
    }
    this.#moveTo(subscribed['cursor']);
    assert.equal(this.cursor, resume?.cursor);
  }

  /** Applies a `snapshot`, `events` or `bookmark` frame; returns the events. */
  apply(frame: Frame): StreamEvent[] {
    switch (frame['type']) {
      case 'bookmark':
        assert.deepEqual(Object.keys(frame).sort(), ['cursor', 'type']);
        assert.ok(this.complete, 'a bookmark speaks for complete streams only');
        this.#moveTo(frame['cursor']);
        return [];
      case 'snapshot':
        this.#applySnapshot(frame);
        return [];
      default:
        return this.#applyEvents(frame);
    }
  }

  #applySnapshot(frame: Frame): void {
    const { stream, cursor, last } = frame;
    const advertisements = frame['advertisements'] as PublishedAdvertisement[];
    assert.deepEqual(Object.keys(frame).sort(), ['advertisements', 'cursor', 'last', 'stream', 'type']);
    assert.ok(!this.complete, 'a snapshot came after its last frame');
    assert.deepEqual([stream, typeof last], [this.stream, 'boolean']);
    if (last === true) this.#moveTo(cursor);
    else assert.equal(cursor, null, 'what it holds is true nowhere yet');
    this.batches.push(advertisements.length);
    for (const advertisement of advertisements) this.#put('added', advertisement);
    this.complete = last as boolean;
  }

  #applyEvents(frame: Frame): StreamEvent[] {
    assert.equal(frame['type'], 'events', JSON.stringify(frame));
    assert.deepEqual(Object.keys(frame).sort(), ['cursor', 'events', 'stream', 'type']);
    assert.ok(this.complete, 'events came before the end of the snapshot');
    assert.equal(frame['stream'], this.stream);
    this.#moveTo(frame['cursor']);
    const events = frame['events'] as StreamEvent[];
    assert.ok(events.length > 0);
    for (const event of events) {
      if (event.op === 'removed') {
        assert.deepEqual(Object.keys(event).sort(), ['op', 'provider_id', 'reason']);
        assert.ok(this.view.delete(event.provider_id), `${event.provider_id} was removed but not there`);
      } else {
        assert.deepEqual(Object.keys(event).sort(), ['advertisement', 'op']);
        this.#put(event.op, event.advertisement);
      }
    }
    return events;
  }

  #put(op: 'added' | 'updated', advertisement: PublishedAdvertisement): void {
    const { provider_id: id } = advertisement;
    assert.equal(this.view.has(id), op === 'updated', `${op} ${id}`);
    this.view.set(id, advertisement);
  }

  #moveTo(cursor: unknown): void {
    assert.match(cursor as string, /^[0-9a-z]+:\d+$/);
    assert.ok(sequence(cursor as string) >= sequence(this.cursor), 'the cursor went back');
    this.cursor = cursor as string;
  }
}

/** A requestor with one subscription on a connection of its own. */
export class Watcher {
  readonly socket: TestSocket;
  readonly #state: StreamView;

  private constructor(socket: TestSocket, state: StreamView) {
    this.socket = socket;
    this.#state = state;
  }

  /** Opens a connection and subscribes; returns when the snapshot is complete or the resume granted. */
  static async join(
    hub: TestHub,
    codec: CodecName,
    filter: object = {},
    options: SocketOptions & { resume?: Resume; first?: First } = {},
  ): Promise<Watcher> {
    const { resume, first = {}, ...socketOptions } = options;
    const socket = await greet(hub, codec, socketOptions);
    const frame = { type: 'subscribe', id: 'watch', filter, ...first };
    socket.send(resume === undefined ? frame : { ...frame, resume: resume.cursor });
    const subscribed = await socket.next('subscribed');
    assert.equal(subscribed['id'], 'watch');
    const state = new StreamView(subscribed, resume);
    while (!state.complete) state.apply(await socket.next('snapshot'));
    return new Watcher(socket, state);
  }

  get stream(): string {
    return this.#state.stream;
  }

  get cursor(): string {
    return this.#state.cursor;
  }

  get resumed(): boolean {
    return this.#state.resumed;
  }

  get batches(): readonly number[] {
    return this.#state.batches;
  }

  get view(): ReadonlyMap<string, PublishedAdvertisement> {
    return this.#state.view;
  }

  /** Where another subscription can take over from this one. */
  get position(): Resume {
    return { cursor: this.cursor, view: new Map(this.view) };
  }

  /** All that the hub had to say until now; applied, and returned. */
  async events(): Promise<StreamEvent[]> {
    // Twice, because what waits for its turn may come an iteration of the event loop later.
    const frames = [...(await this.socket.settle()), ...(await this.socket.settle())];
    return frames.flatMap((frame) => this.#state.apply(frame));
  }

  /** Waits for the next events, for what happens without an answer that could be waited for. */
  async next(): Promise<StreamEvent[]> {
    for (;;) {
      const events = this.#state.apply(await this.socket.any());
      if (events.length > 0) return events;
    }
  }
}

/** The number in a cursor. */
export function sequence(cursor: string): number {
  return Number(cursor.split(':')[1] ?? 0);
}

/** The short form of events that tests compare: what happened to whom, and why it went or how it is. */
export function brief(events: readonly StreamEvent[]): string[] {
  return events.map((event) =>
    event.op === 'removed'
      ? `removed ${event.provider_id} ${event.reason}`
      : `${event.op} ${event.advertisement.provider_id} ${event.advertisement.status}`,
  );
}

/** The query that asks the list for the same as a filter. */
export function queryOf(filter: object): string {
  // A list becomes text with commas, which is how a query says it.
  const pairs = Object.entries(filter).flatMap(([name, value]): [string, string][] => {
    if (name === 'min') return Object.entries(value as object).map(([of, n]) => [`min.${of}`, String(n)]);
    if (name !== 'attributes') return [[name, String(value)]];
    return Object.entries(value as object).flatMap(([of, asked]: [string, unknown]): [string, string][] =>
      typeof asked !== 'object' || asked === null || Array.isArray(asked)
        ? [[`attr.${of}`, String(asked as string | string[])]]
        : Object.entries(asked).map(([end, bound]) => [`attr.${of}.${end}`, String(bound)]),
    );
  });
  return new URLSearchParams(pairs).toString();
}

/** The list, and the cursor at which it was true. */
export async function listed(
  hub: TestHub,
  filter: object,
): Promise<{ list: PublishedAdvertisement[]; cursor: string }> {
  const { body, headers } = await hub.get<PublishedAdvertisement[]>(
    `/api/v1/advertisements?${queryOf(filter)}`,
  );
  return { list: body, cursor: headers.get('x-discovery-cursor')! };
}

/** A view is what a list request would answer now. */
export async function assertIsList(
  hub: TestHub,
  filter: object,
  view: ReadonlyMap<string, PublishedAdvertisement>,
): Promise<void> {
  const { body } = await hub.get<PublishedAdvertisement[]>(`/api/v1/advertisements?${queryOf(filter)}`);
  const byId = [...view.values()].sort((a, b) => (a.provider_id < b.provider_id ? -1 : 1));
  // Much faster than a comparison that can tell what differs.
  if (JSON.stringify(byId) !== JSON.stringify(body)) assert.deepEqual(byId, body);
}
