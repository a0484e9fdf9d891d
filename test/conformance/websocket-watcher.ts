import assert from 'node:assert/strict';
import type { PublishedAdvertisement } from '../../src/protocol/advertisement.js';
import type { StreamEvent } from '../../src/protocol/frames-down.js';
import type { CodecName, TestHub } from '../support/test-hub.js';
import type { Frame, SocketOptions, TestSocket } from '../support/test-socket.js';
import { greet } from './websocket-support.js';

export type View = ReadonlyMap<string, PublishedAdvertisement>;

/** Where a subscription starts, when not from a snapshot: a cursor and what the client held there. */
export interface Resume {
  cursor: string;
  view: View;
}

/**
 * A requestor that applies what it is told, and insists that it makes sense: nothing is added twice, nothing is
 * updated or removed that was not there, and the cursor never goes back.
 */
export class Watcher {
  readonly socket: TestSocket;
  readonly view = new Map<string, PublishedAdvertisement>();
  stream = '';
  cursor = '';
  resumed = false;
  /** How many advertisements each frame of the snapshot had. */
  batches: number[] = [];

  private constructor(socket: TestSocket) {
    this.socket = socket;
  }

  /** Opens a connection and subscribes; returns when the snapshot is complete or the resume granted. */
  static async join(
    hub: TestHub,
    codec: CodecName,
    filter: object = {},
    options: SocketOptions & { resume?: Resume } = {},
  ): Promise<Watcher> {
    const watcher = new Watcher(await greet(hub, codec, options));
    await watcher.#subscribe(filter, options.resume);
    return watcher;
  }

  async #subscribe(filter: object, resume: Resume | undefined): Promise<void> {
    const { socket } = this;
    const frame = { type: 'subscribe', id: 'watch', filter };
    socket.send(resume === undefined ? frame : { ...frame, resume: resume.cursor });
    const subscribed = await socket.next('subscribed');
    assert.deepEqual(Object.keys(subscribed).sort(), ['cursor', 'id', 'resumed', 'stream', 'type']);
    assert.equal(subscribed['id'], 'watch');
    this.stream = subscribed['stream'] as string;
    this.#moveTo(subscribed['cursor']);
    this.resumed = subscribed['resumed'] as boolean;
    if (this.resumed) {
      assert.equal(this.cursor, resume?.cursor);
      for (const [id, advertisement] of resume?.view ?? []) this.view.set(id, advertisement);
      return;
    }
    for (let last = false; !last;) {
      const snapshot = await socket.next('snapshot');
      const advertisements = snapshot['advertisements'] as PublishedAdvertisement[];
      assert.deepEqual(Object.keys(snapshot).sort(), ['advertisements', 'cursor', 'last', 'stream', 'type']);
      assert.equal(snapshot['stream'], this.stream);
      assert.equal(snapshot['cursor'], this.cursor);
      assert.ok(typeof snapshot['last'] === 'boolean');
      this.batches.push(advertisements.length);
      for (const advertisement of advertisements) this.#add(advertisement);
      last = snapshot['last'];
    }
  }

  /** Where another subscription can take over from this one. */
  get position(): Resume {
    return { cursor: this.cursor, view: new Map(this.view) };
  }

  /** All that the hub had to say until now; applied, and returned. */
  async events(): Promise<StreamEvent[]> {
    const frames = await this.socket.settle();
    return frames.flatMap((frame) => this.#apply(frame));
  }

  /** Waits for the next events, for what happens without an answer that could be waited for. */
  async next(): Promise<StreamEvent[]> {
    for (;;) {
      const events = this.#apply(await this.socket.any());
      if (events.length > 0) return events;
    }
  }

  #apply(frame: Frame): StreamEvent[] {
    if (frame['type'] === 'bookmark') {
      assert.deepEqual(Object.keys(frame).sort(), ['cursor', 'type']);
      this.#moveTo(frame['cursor']);
      return [];
    }
    assert.equal(frame['type'], 'events', JSON.stringify(frame));
    assert.deepEqual(Object.keys(frame).sort(), ['cursor', 'events', 'stream', 'type']);
    assert.equal(frame['stream'], this.stream);
    this.#moveTo(frame['cursor']);
    const events = frame['events'] as StreamEvent[];
    assert.ok(events.length > 0);
    for (const event of events) {
      if (event.op === 'removed') this.#remove(event.provider_id);
      else if (event.op === 'added') this.#add(event.advertisement);
      else this.#update(event.advertisement);
    }
    return events;
  }

  #add(advertisement: PublishedAdvertisement): void {
    const { provider_id: id } = advertisement;
    assert.ok(!this.view.has(id), `${id} was added twice`);
    this.view.set(id, advertisement);
  }

  #update(advertisement: PublishedAdvertisement): void {
    const { provider_id: id } = advertisement;
    assert.ok(this.view.has(id), `${id} was updated but not there`);
    this.view.set(id, advertisement);
  }

  #remove(id: string): void {
    assert.ok(this.view.delete(id), `${id} was removed but not there`);
  }

  #moveTo(cursor: unknown): void {
    assert.match(cursor as string, /^[0-9a-z]+:\d+$/);
    assert.ok(sequence(cursor as string) >= sequence(this.cursor), 'the cursor went back');
    this.cursor = cursor as string;
  }
}

function sequence(cursor: string): number {
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
