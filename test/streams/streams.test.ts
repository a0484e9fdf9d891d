import assert from 'node:assert/strict';
import test from 'node:test';
import type { StreamLimits } from '../../src/streams/limits.js';
import { StreamHub } from '../../src/streams/stream-hub.js';
import type { Subscriber, Subscription } from '../../src/streams/stream.js';
import { CODECS, type Codec } from '../../src/protocol/frames/codec.js';
import type { Filter } from '../../src/protocol/filters/filter.js';
import type { Down, DownFrame, StreamEvent } from '../../src/protocol/frames/frames-down.js';
import { RegistryWorld } from '../support/worlds/registry-world.js';
import { CONTENT, SMALLEST } from '../support/data/contents.js';

/** A subscriber that keeps everything it is sent. */
class Client implements Subscriber {
  readonly codec: Codec;
  readonly account = { work: 0 };
  readonly sent: Uint8Array[] = [];
  readonly frames: DownFrame[] = [];
  /** Frames that it takes before it is full. */
  room = Number.POSITIVE_INFINITY;
  fellBehind: string | null = null;
  failures = 0;

  constructor(codec: Codec = CODECS.json) {
    this.codec = codec;
  }

  get writable(): boolean {
    return this.room > 0 && this.fellBehind === null;
  }

  send(frame: Uint8Array): void {
    this.room -= 1;
    this.sent.push(frame);
    const decoded = this.codec.decode(frame);
    assert.ok(decoded.ok);
    this.frames.push(decoded.value as DownFrame);
  }

  fail(): void {
    this.failures += 1;
  }

  fallBehind(reason: string): void {
    this.fellBehind = reason;
  }

  /** What came since the last call, as `op id` or `op id reason`. */
  news(): string[] {
    const events = this.frames.flatMap((frame): StreamEvent[] =>
      frame.type === 'events' ? frame.events : [],
    );
    this.frames.length = 0;
    return events.map((event) =>
      event.op === 'removed'
        ? `removed ${event.provider_id} ${event.reason}`
        : `${event.op} ${event.advertisement.provider_id}`,
    );
  }
}

class World extends RegistryWorld {
  readonly latencies: number[] = [];
  readonly resumes: string[] = [];
  readonly errors: unknown[] = [];
  readonly hub: StreamHub;

  constructor(settings: { replayEvents?: number; limits?: Partial<StreamLimits> } = {}) {
    super(settings);
    const observer = {
      resumeDecided: (outcome: string) => this.resumes.push(outcome),
      eventsSent: (seconds: number) => this.latencies.push(seconds),
    };
    this.hub = new StreamHub(this.registry, observer, {
      // Work counts as what is said of it, so that each turn does the same in every run.
      now: () => 0,
      limits: settings.limits ?? {},
      onError: (error) => this.errors.push(error),
    });
  }

  subscribe(client: Client, filter: Filter, resume: string | null = null): Subscription {
    return this.hub.subscribe(client, 1, filter, resume);
  }

  /** Subscribes a new client that has read its snapshot. */
  watcher(filter: Filter, codec?: Codec): Client {
    const client = new Client(codec);
    this.subscribe(client, filter);
    client.frames.length = 0;
    client.sent.length = 0;
    return client;
  }
}

const turn = () => new Promise<void>(setImmediate);

test('a subscription is answered, then brought the present, then every change of its own matches', async () => {
  const world = new World();
  world.advertise('a', CONTENT);
  world.advertise('b', SMALLEST);
  const client = new Client();
  world.subscribe(client, { cpu: 2 });
  const [subscribed, snapshot] = client.frames as [Down<'subscribed'>, Down<'snapshot'>];
  const cursor = `${world.registry.changes.epoch}:2`;
  assert.deepEqual(subscribed, {
    type: 'subscribed',
    id: 1,
    stream: subscribed.stream,
    cursor: null,
    resumed: false,
  });
  assert.equal(snapshot.last, true);
  assert.equal(snapshot.cursor, cursor);
  assert.deepEqual(snapshot.advertisements, [world.registry.advertisement('a')]);
  client.news();
  world.advertise('b', CONTENT);
  await turn();
  assert.deepEqual(client.news(), ['added b']);
  world.advertise('b', { ...CONTENT, name: 'new' });
  await turn();
  assert.deepEqual(client.news(), ['updated b']);
  world.advertise('b', SMALLEST);
  world.withdraw('a');
  await turn();
  assert.deepEqual(client.news(), ['removed b unmatched', 'removed a withdrawn']);
  world.withdraw('b');
  await turn();
  assert.deepEqual(client.news(), []);
});

test('heartbeats and repeated advertisements cause no events; a change of status does', async () => {
  const world = new World();
  world.advertise('a', CONTENT);
  const all = world.watcher({});
  const live = world.watcher({ status: 'live' });
  world.heartbeat('a');
  world.repeat('a');
  world.attach('a');
  await turn();
  assert.deepEqual([all.news(), live.news()], [[], []]);
  world.detach('a');
  await turn();
  assert.deepEqual([all.news(), live.news()], [['updated a'], ['removed a unmatched']]);
  world.attach('a');
  await turn();
  assert.deepEqual([all.news(), live.news()], [['updated a'], ['added a']]);
  world.pass(2000);
  await turn();
  assert.deepEqual([all.news(), live.news()], [['removed a expired'], ['removed a expired']]);
});

test('changes of one turn are merged: the last state wins', async () => {
  const world = new World();
  world.advertise('a', CONTENT);
  const client = world.watcher({ cpu: 2 });
  world.withdraw('a');
  world.advertise('a', { ...CONTENT, name: 'back' });
  world.advertise('b', CONTENT);
  world.withdraw('b');
  await turn();
  assert.deepEqual(client.news(), ['updated a']);
});

test('a provider that stops matching and then goes within one turn is told with the reason why it went', async () => {
  for (const isFull of [false, true]) {
    const world = new World();
    for (const id of ['a', 'b']) world.advertise(id, CONTENT);
    const client = new Client();
    const subscription = world.subscribe(client, { cpu: 2 });
    client.frames.length = 0;
    client.room = isFull ? 0 : Number.POSITIVE_INFINITY;
    world.advertise('a', SMALLEST);
    world.withdraw('a');
    world.advertise('b', SMALLEST);
    world.pass(2000);
    await turn();
    client.room = Number.POSITIVE_INFINITY;
    world.hub.advance(subscription);
    assert.deepEqual(client.news(), ['removed a withdrawn', 'removed b expired']);
  }
});

test('events keep the order of the last changes, live and after a wait', async () => {
  const world = new World();
  for (const id of ['a', 'b', 'c']) world.advertise(id, CONTENT);
  const live = world.watcher({});
  const slow = new Client();
  const subscription = world.subscribe(slow, {});
  slow.frames.length = 0;
  slow.room = 0;
  world.advertise('a', { ...CONTENT, name: '1' });
  world.withdraw('b');
  world.advertise('c', { ...CONTENT, name: '2' });
  world.advertise('a', { ...CONTENT, name: '3' });
  await turn();
  slow.room = 1;
  world.hub.advance(subscription);
  const expected = ['removed b withdrawn', 'updated c', 'updated a'];
  assert.deepEqual(live.news(), expected);
  assert.deepEqual(slow.news(), expected);
});

test('equal filters are one stream, encoded once for each codec', async () => {
  const world = new World();
  const clients = [CODECS.json, CODECS.json, CODECS.msgpack, CODECS.msgpack].map((codec) =>
    world.watcher({ country: ['NO', 'SE'] }, codec),
  );
  assert.deepEqual([world.hub.streams, world.hub.subscriptions], [1, 4]);
  world.advertise('a', CONTENT);
  await turn();
  assert.equal(clients[0]!.sent[0], clients[1]!.sent[0]);
  assert.equal(clients[2]!.sent[0], clients[3]!.sent[0]);
  assert.deepEqual(clients[0]!.frames, clients[2]!.frames);
});

test('a stream is forgotten with its last subscription, and no longer matched', async () => {
  const world = new World();
  const client = new Client();
  const first = world.subscribe(client, { platform: ['arm64'] });
  const second = world.subscribe(client, { platform: ['arm64'] });
  assert.equal(first.stream, second.stream);
  assert.equal(world.hub.find({ platform: ['arm64'] }), first.stream);
  assert.notEqual(world.hub.find({ platform: ['x86_64'] }), first.stream);
  world.hub.unsubscribe(first);
  world.hub.unsubscribe(first);
  assert.deepEqual([world.hub.streams, world.hub.subscriptions], [1, 1]);
  world.hub.unsubscribe(second);
  assert.deepEqual([world.hub.streams, world.hub.subscriptions], [0, 0]);
  assert.equal(world.registry.store.numbers.size, 0);
  client.frames.length = 0;
  world.advertise('a', { ...CONTENT, platform: 'arm64' });
  await turn();
  assert.deepEqual(client.frames, []);
});

test('a subscription that is given up while its snapshot is read keeps nothing', () => {
  const world = new World({ limits: { snapshotBatch: 1 } });
  for (const id of ['a', 'b']) world.advertise(id, CONTENT);
  const client = new Client();
  client.room = 2;
  const subscription = world.subscribe(client, {});
  assert.equal(subscription.state, 'reading');
  world.withdraw('a');
  assert.notEqual(world.registry.moments.bytes, 0);
  world.hub.unsubscribe(subscription);
  assert.equal(world.registry.moments.bytes, 0);
  world.withdraw('b');
  assert.equal(world.registry.moments.bytes, 0);
});

test('a resume is exact while the hub keeps what was missed, and refused with a new snapshot otherwise', async () => {
  const world = new World({ replayEvents: 3 });
  world.advertise('a', CONTENT);
  const cursor = world.registry.cursor;
  world.withdraw('a');
  world.advertise('b', CONTENT);
  const exact = new Client();
  world.subscribe(exact, {}, cursor);
  assert.deepEqual(
    exact.frames.map(({ type }) => type),
    ['subscribed', 'events'],
  );
  assert.equal((exact.frames[0] as Down<'subscribed'>).cursor, cursor);
  assert.deepEqual(exact.news(), ['removed a withdrawn', 'added b']);
  world.advertise('c', CONTENT);
  world.advertise('d', CONTENT);
  const refused = new Client();
  world.subscribe(refused, {}, cursor);
  assert.deepEqual(
    refused.frames.map(({ type }) => type),
    ['subscribed', 'snapshot'],
  );
  assert.deepEqual(world.resumes, ['exact', 'refused']);
  for (const odd of ['', 'x', `${world.registry.changes.epoch}:999`, cursor.replace(/^./, '_'), `other:1`]) {
    const client = new Client();
    world.subscribe(client, {}, odd);
    assert.equal((client.frames[0] as Down<'subscribed'>).resumed, false, odd);
  }
  await turn();
});

test('no bookmark stands between two changes that came to nothing for a stream', async () => {
  const world = new World({ limits: { workPerTurn: 1 } });
  const client = new Client();
  const all = world.subscribe(client, {});
  for (let turns = 0; all.state !== 'live' && turns < 10; turns += 1) await turn();
  world.advertise('a', CONTENT);
  const between = world.registry.cursor;
  world.withdraw('a');
  const other = world.subscribe(client, { cpu: 4096 }, between);
  assert.equal(other.state, 'waiting');
  assert.equal(world.hub.commonCursor([all, other]), null, 'whoever resumed there would never have held a');
  for (let turns = 0; !world.hub.isCurrent(other) && turns < 10; turns += 1) await turn();
  assert.equal(world.hub.commonCursor([all, other]), world.registry.cursor);
});

test('a resume where nothing was missed brings nothing but what comes then', async () => {
  const world = new World();
  world.advertise('a', CONTENT);
  const client = new Client();
  world.subscribe(client, {}, world.registry.cursor);
  assert.equal(client.frames.length, 1);
  world.withdraw('a');
  await turn();
  assert.deepEqual(client.news(), ['removed a withdrawn']);
});

test('whoever waits too long is told to go, and nothing is dropped before', async () => {
  const world = new World({ replayEvents: 2 });
  const client = new Client();
  const subscription = world.subscribe(client, {});
  client.frames.length = 0;
  client.room = 0;
  for (const id of ['a', 'b', 'c']) {
    world.advertise(id, CONTENT);
    await turn();
  }
  assert.equal(client.fellBehind, null);
  client.room = 1;
  world.hub.advance(subscription);
  assert.match(String(client.fellBehind), /more changes than the hub keeps/);
  assert.deepEqual(client.frames, []);
});

test('a snapshot that is read so slowly that too much of it has to be kept is given up', async () => {
  const world = new World({ limits: { maxSnapshotBytes: 500, snapshotBatch: 1 } });
  for (const id of ['a', 'b', 'c']) world.advertise(id, CONTENT);
  const client = new Client();
  client.room = 2;
  const subscription = world.subscribe(client, {});
  assert.equal(subscription.state, 'reading');
  world.withdraw('a');
  await turn();
  client.room = 1;
  world.hub.advance(subscription);
  assert.equal(client.fellBehind, null);
  world.withdraw('b');
  await turn();
  assert.equal(world.registry.moments.bytes, 0, 'it is let go of at once, not when it is read on');
  client.room = 1;
  world.hub.advance(subscription);
  assert.match(String(client.fellBehind), /too much changed while the snapshot was being read/);
});

test('a connection that its other streams have just filled is not sent one more', async () => {
  const world = new World();
  const client = new Client();
  const first = world.subscribe(client, { cpu: 1 });
  const second = world.subscribe(client, { cpu: 2 });
  client.frames.length = 0;
  // The second waits for its turn, the first does not; there is room for one frame.
  client.room = 0;
  world.advertise('a', CONTENT);
  await turn();
  client.room = 1;
  world.hub.advance(first);
  world.hub.advance(second);
  assert.equal(client.frames.length, 1);
  assert.equal(second.state, 'waiting');
  world.advertise('a', { ...CONTENT, name: 'new' });
  client.room = 1;
  world.hub.advance(second);
  assert.equal(client.frames.length, 2);
  assert.equal(client.room, 0);
});

test('the cursor of the hub is where everybody who is up to date stands', async () => {
  const world = new World();
  const { epoch } = world.registry.changes;
  world.advertise('a', CONTENT);
  assert.equal(world.hub.cursor, `${epoch}:0`);
  await turn();
  assert.equal(world.hub.cursor, `${epoch}:1`);
  assert.deepEqual(world.latencies, [], 'nobody was told anything');
  world.watcher({});
  world.advertise('b', CONTENT);
  world.hub.flush();
  assert.equal(world.hub.cursor, `${epoch}:2`);
  assert.equal(world.latencies.length, 1);
});

test('what cannot be told ends the streams that it belongs to, and no other, nor the process', async () => {
  const world = new World();
  const { store } = world.registry;
  const unforeseen = new Error('unforeseen');
  const fragment = store.fragment.bind(store);
  store.fragment = (slot) => {
    if (store.ids[slot] === 'bad') throw unforeseen;
    return fragment(slot);
  };
  const concerned = [
    world.watcher({ payments_network: ['bad'] }),
    world.watcher({ payments_network: ['bad'] }),
  ];
  const other = world.watcher({ payments_network: ['good'] });
  world.advertise('bad', { ...CONTENT, paymentsNetwork: 'bad' });
  world.advertise('good', { ...CONTENT, paymentsNetwork: 'good' });
  await turn();
  assert.deepEqual(
    [...concerned, other].map(({ failures }) => failures),
    [1, 1, 0],
  );
  assert.deepEqual(other.news(), ['added good']);
  assert.deepEqual(world.errors, [unforeseen], 'it is reported once');

  const late = new Client();
  world.subscribe(late, {});
  assert.equal(late.failures, 1, 'its snapshot cannot be had');
  assert.equal(world.errors.length, 2);
  world.advertise('good', { ...CONTENT, paymentsNetwork: 'good', name: 'new' });
  await turn();
  assert.deepEqual(other.news(), ['updated good']);
});
