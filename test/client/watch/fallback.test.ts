import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import {
  type Change,
  DiscoveryError,
  type FilterInput,
  type StateChange,
  watch,
  type Watch,
  type WatchOptions,
} from '../../../src/client/index.js';
import { FakeEvents } from '../support/fake-events.js';
import { FakeHub, publishedAs } from '../support/fake-hub.js';
import { FakeTime } from '../support/fake-time.js';
import { recordChanges, recordStates } from '../support/wait.js';

interface Scene {
  hub: FakeHub;
  events: FakeEvents;
  time: FakeTime;
  watcher: Watch;
  states: StateChange[];
  changes: Change[];
}

const [a, b] = [publishedAs('a'), publishedAs('b')];

async function begin(filter: FilterInput = {}, options: WatchOptions = {}): Promise<Scene> {
  const hub = new FakeHub();
  const events = new FakeEvents();
  const time = new FakeTime();
  const watcher = watch('https://hub.example/prefix', filter, {
    webSocket: hub.webSocket,
    fetch: events.fetch,
    scheduler: time,
    random: () => 0.5,
    ...options,
  });
  const [states, changes] = [recordStates(watcher), recordChanges(watcher)];
  await settle();
  return { hub, events, time, watcher, states, changes };
}

/** Lets everything happen that only waits for its turn. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 5; turns += 1) await turn();
}

/** What a proxy answers that passes no WebSocket on. */
const blocked = (status = 403): DiscoveryError =>
  new DiscoveryError('UNEXPECTED', `HTTP ${String(status)}`, { status });

/** Turns the WebSocket away, and begins a stream in its place. */
async function goLive(scene: Scene): Promise<void> {
  const { hub, events } = scene;
  hub.peer.end(1006, { error: blocked() });
  await settle();
  events.stream.begin();
  events.stream.say({ type: 'subscribed', id: 0, stream: 's1', cursor: null, resumed: false } as never);
  events.stream.say({
    type: 'snapshot',
    stream: 's1',
    cursor: 'e1:1',
    advertisements: [a],
    last: true,
  } as never);
  await settle();
}

const stateNames = ({ states }: Scene): string[] => states.map(({ state }) => state);
const told = ({ changes }: Scene): string[] =>
  changes.splice(0).map((change) => `${change.type} ${change.advertisement.provider_id}`);

test('where WebSockets do not get through, the same try goes on as events', async () => {
  for (const closure of [
    { error: blocked() },
    { error: blocked(502) },
    {},
    { error: new DiscoveryError('NETWORK', 'reset') },
  ]) {
    const scene = await begin({ cpu: 2, country: ['SE', 'NO'] }, { sort: 'price', limit: 3 });
    scene.hub.peer.end(1006, closure);
    await settle();
    const { url } = scene.events.stream;
    assert.equal(url.origin + url.pathname, 'https://hub.example/prefix/api/v1/events');
    assert.deepEqual(
      [...url.searchParams].sort(),
      [
        ['country', 'NO'],
        ['country', 'SE'],
        ['cpu', '2'],
        ['limit', '3'],
        ['sort', 'price'],
      ].sort(),
    );
    assert.deepEqual(stateNames(scene), ['connecting']);
  }
});

test('events give the same view, states and times', async () => {
  const scene = await begin();
  await goLive(scene);
  assert.deepEqual(stateNames(scene), ['connecting', 'subscribing', 'live']);
  await scene.watcher.ready;
  assert.equal(scene.watcher.clockOffsetMs, 10_500);
  const { stream } = scene.events;
  stream.say({
    type: 'events',
    stream: 's1',
    cursor: 'e1:4',
    events: [{ op: 'added', advertisement: b }],
  } as never);
  await settle();
  assert.deepEqual(told(scene), ['added a', 'added b']);
});

test('a stream that ends is resumed by its cursor, no sooner than it asks for, without a false change', async () => {
  const scene = await begin();
  await goLive(scene);
  scene.events.stream.say({ type: 'bookmark', cursor: 'e1:70' });
  await settle();
  told(scene);
  for (const finish of ['end', 'cut'] as const) {
    scene.events.stream[finish]();
    await settle();
    const { state, error, retryInMs } = scene.states.at(-1)!;
    assert.equal(state, 'waiting');
    assert.equal(error?.code, 'NETWORK');
    assert.ok(retryInMs! >= 2000 && retryInMs! < 2000 + 2000, String(retryInMs));
    const [sockets, streams] = [scene.hub.peers.length, scene.events.streams.length];
    scene.time.advance(retryInMs!);
    await settle();
    assert.deepEqual([scene.hub.peers.length, scene.events.streams.length], [sockets, streams + 1]);
    assert.equal(scene.events.stream.url.searchParams.get('resume'), 'e1:70');
    scene.events.stream.begin();
    scene.events.stream.say({
      type: 'subscribed',
      id: 0,
      stream: 's2',
      cursor: 'e1:70',
      resumed: true,
    } as never);
    await settle();
    assert.equal(scene.watcher.state, 'live');
  }
  assert.deepEqual(told(scene), []);
});

test('one that cannot keep up comes back, as over a WebSocket', async () => {
  const scene = await begin();
  await goLive(scene);
  const said = { code: 'WS_4507', message: 'too slow', timestamp: '2026-01-01T00:00:00.000Z' };
  scene.events.stream.say({ type: 'error', ...said });
  await settle();
  assert.equal(scene.watcher.state, 'waiting');
  assert.equal(scene.watcher.error?.closeCode, 4507);
  assert.match(scene.watcher.error.message, /4507: too slow/);
  assert.ok(scene.events.stream.signal.aborted);
});

test('silence ends a stream; comments are a sign of life', async () => {
  const scene = await begin({}, { transport: 'events' });
  scene.events.stream.begin();
  await settle();
  for (let count = 0; count < 5; count += 1) {
    scene.time.advance(30_000);
    scene.events.stream.text(':\n\n');
    await settle();
  }
  assert.equal(scene.watcher.state, 'subscribing');
  scene.time.advance(40_000);
  assert.equal(scene.watcher.state, 'waiting');
  assert.equal(scene.watcher.error?.code, 'TIMEOUT');
});

test('something between that collects the stream lets nothing through', async () => {
  const scene = await begin({}, { transport: 'events' });
  scene.time.advance(10_000);
  assert.equal(scene.watcher.error?.code, 'TIMEOUT');
  assert.ok(scene.events.stream.signal.aborted);
});

test('a WebSocket that leads to the hub is not replaced: what the hub refuses is waited for, or final', async () => {
  const busy = new DiscoveryError('RATE_002', 'too many', { status: 429, retryAfterSeconds: 9 });
  const waiting = await begin();
  waiting.hub.peer.end(1006, { error: busy });
  await settle();
  assert.equal(waiting.watcher.error, busy);
  assert.ok(waiting.states.at(-1)!.retryInMs! >= 9000);
  const refused = await begin();
  refused.hub.peer.welcome();
  refused.hub.peer.refuse('subscribe', 'WS_004');
  const lost = await begin();
  lost.hub.peer.welcome();
  lost.hub.peer.end(1006);
  await settle();
  assert.equal(refused.watcher.state, 'refused');
  assert.equal(lost.watcher.state, 'waiting');
  for (const { events } of [waiting, refused, lost]) assert.equal(events.streams.length, 0);
});

test('where neither way leads to a hub, the WebSocket says why, and the next try begins with it', async () => {
  for (const status of [404, 502, 0]) {
    const scene = await begin();
    const { hub, events, time, states } = scene;
    const error = blocked();
    hub.peer.end(1006, { error });
    await settle();
    if (status === 0) events.stream.fail();
    else events.stream.answer(status, '<html>no hub</html>');
    await settle();
    assert.equal(states.at(-1)!.state, 'waiting');
    assert.equal(states.at(-1)!.error, error);
    time.advance(states.at(-1)!.retryInMs!);
    assert.equal(hub.peers.length, 2);
    assert.equal(events.streams.length, 1);
  }
});

test('events that do not get through any more lead back to the WebSocket', async () => {
  const scene = await begin();
  await goLive(scene);
  scene.events.stream.cut();
  await settle();
  scene.time.advance(scene.states.at(-1)!.retryInMs!);
  await settle();
  scene.events.stream.fail();
  await settle();
  assert.equal(scene.hub.peers.length, 2);
  scene.hub.peer.welcome();
  assert.equal(scene.hub.peer.last('subscribe')['resume'], 'e1:1');
});

test('what the hub refuses of events is refused for good; what passes is waited for', async () => {
  const body = (code: string): string =>
    JSON.stringify({ code, message: 'because', timestamp: '2026-01-01T00:00:00.000Z' });
  const refused = await begin({}, { transport: 'events' });
  refused.events.stream.answer(429, body('WS_004'));
  await settle();
  assert.equal(refused.watcher.state, 'refused');
  assert.equal(refused.watcher.error?.code, 'WS_004');
  const waiting = await begin({}, { transport: 'events' });
  waiting.events.stream.answer(429, body('RATE_001'), { 'Retry-After': '7' });
  await settle();
  assert.equal(waiting.watcher.error?.code, 'RATE_001');
  assert.ok(waiting.states.at(-1)!.retryInMs! >= 7000);
});

test('after a while a WebSocket is tried beside the events, and takes over once it is greeted', async () => {
  const scene = await begin();
  const { hub, events, time } = scene;
  await goLive(scene);
  const reading = events.stream;
  /** A comment now and then keeps the stream alive. */
  const pass = async (seconds: number): Promise<void> => {
    for (let left = seconds; left > 0; left -= 1) {
      time.advance(1000);
      reading.text(':\n\n');
      await settle();
    }
  };
  await pass(23);
  assert.equal(hub.peers.length, 2);
  hub.peer.end(1006, { error: blocked() });
  await pass(44);
  assert.equal(hub.peers.length, 2, 'the next one comes later');
  await pass(2);
  assert.equal(hub.peers.length, 3);
  assert.equal(scene.watcher.state, 'live');
  assert.ok(!reading.signal.aborted);
  hub.peer.welcome();
  assert.ok(reading.signal.aborted);
  const { id, resume } = hub.peer.last('subscribe');
  assert.equal(resume, 'e1:1');
  hub.peer.say({ type: 'subscribed', id, stream: 's9', cursor: 'e1:1', resumed: true });
  await settle();
  assert.equal(scene.watcher.state, 'live');
  assert.deepEqual(told(scene), ['added a']);
  assert.ok(!stateNames(scene).includes('waiting'));
  hub.peer.end(1006);
  time.advance(scene.states.at(-1)!.retryInMs!);
  assert.equal(hub.peers.length, 4);
  assert.equal(events.streams.length, 1);
});

test('one way can be chosen, and brought WebSockets are all that is used unless fetch comes with them', async () => {
  const events = await begin({}, { transport: 'events' });
  assert.equal(events.hub.peers.length, 0);
  assert.equal(events.events.streams.length, 1);
  const failed = new DiscoveryError('NETWORK', 'reset');
  for (const options of [{ transport: 'websocket' }, { fetch: undefined }] as const) {
    const scene = await begin({}, options);
    scene.hub.peer.end(1006, { error: failed });
    await settle();
    assert.equal(scene.watcher.state, 'waiting');
    assert.equal(scene.watcher.error, failed);
    assert.equal(scene.events.streams.length, 0);
  }
});

test('what a query cannot say is watched over WebSockets alone', async () => {
  const filter = { attributes: { model: 'one, two' } };
  await assert.rejects(begin(filter, { transport: 'events' }), { code: 'ADV_002' });
  const scene = await begin(filter);
  scene.hub.peer.end(1006, { error: blocked() });
  await settle();
  assert.equal(scene.watcher.state, 'waiting');
  assert.equal(scene.events.streams.length, 0);
});

test('stopping ends the stream, and a trial beside it', async () => {
  const scene = await begin();
  await goLive(scene);
  scene.time.advance(22_500);
  assert.equal(scene.hub.peers.length, 2);
  await scene.watcher.stop();
  assert.ok(scene.events.stream.signal.aborted);
  assert.equal(scene.hub.peer.ending, 'closed');
  scene.time.advance(3_600_000);
  assert.equal(scene.hub.peers.length, 2);
});
