import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import { type HubPoint, type HubWatch, watchHub } from '../../../src/client/index.js';
import { FakeEvents } from '../support/fake-events.js';
import { FakeTime } from '../support/fake-time.js';

const point = (live: number): HubPoint => ({
  time: new Date(live * 5000).toISOString(),
  live,
  suspect: 0,
  sessions: 0,
  connections: 0,
  readers: 0,
  subscribers: 0,
  streams: 0,
  updates_per_second: 0,
});
const history = (points: readonly HubPoint[]) =>
  ({ type: 'history', shows: 'counts', interval_seconds: 5, points }) as const;

interface Scene {
  events: FakeEvents;
  time: FakeTime;
  hub: HubWatch;
  states: string[];
}

async function begin(): Promise<Scene> {
  const [events, time, states] = [new FakeEvents(), new FakeTime(), [] as string[]];
  const hub = watchHub('https://hub.example/prefix', {
    fetch: events.fetch,
    scheduler: time,
    random: () => 0.5,
  });
  hub.on('state', ({ state, retryInMs }) =>
    states.push(retryInMs === null ? state : `${state} ${String(retryInMs)}`),
  );
  time.advance(1);
  await settle();
  return { events, time, hub, states };
}

async function settle(): Promise<void> {
  for (let turns = 0; turns < 5; turns += 1) await turn();
}

const lives = ({ hub }: Scene): number[] => hub.points.map(({ live }) => live);

test('it has the past at once, each point as it comes, and 15 minutes at most', async () => {
  const scene = await begin();
  const { events, hub, states } = scene;
  assert.equal(events.stream.url.href, 'https://hub.example/prefix/api/v1/hub/events');
  events.stream.begin();
  events.stream.say(history([point(1), point(2)]));
  await settle();
  assert.deepEqual([lives(scene), hub.shows, hub.intervalSeconds], [[1, 2], 'counts', 5]);
  assert.deepEqual(states, ['connecting', 'live']);
  events.stream.say({ type: 'from a newer hub' });
  for (let at = 3; at <= 200; at += 1) events.stream.say({ type: 'point', point: point(at) } as never);
  await settle();
  assert.deepEqual([hub.points.length, lives(scene).at(0), lives(scene).at(-1)], [180, 21, 200]);
  await hub.stop();
});

test('after a lost connection it comes back as the hub asked, and begins with what it is told then', async () => {
  const scene = await begin();
  const { events, time, hub, states } = scene;
  events.stream.begin(3000);
  events.stream.say(history([point(1)]));
  await settle();
  events.stream.end();
  await settle();
  assert.equal(states.at(-1), 'waiting 3250');
  assert.deepEqual(lives(scene), [1], 'what was known stays');
  time.advance(3250);
  await settle();
  events.stream.begin();
  events.stream.say(history([point(7), point(8)]));
  await settle();
  assert.deepEqual([lives(scene), hub.state], [[7, 8], 'live']);
  events.stream.text('event: point\ndata: {"type":"point","point":{"live":"many"}}\n\n');
  await settle();
  assert.equal(hub.state, 'waiting', 'what is no point is not taken for one');
  await hub.stop();
  assert.equal(hub.state, 'stopped');
});

test('a retry ends the wait, but for what the hub asked', async () => {
  const { events, time, hub } = await begin();
  hub.retry();
  assert.equal(events.streams.length, 1, 'it is asking already');
  events.stream.answer(429, JSON.stringify({ code: 'RATE_002', message: 'too many' }), {
    'Retry-After': '9',
  });
  await settle();
  time.advance(8999);
  hub.retry();
  time.advance(0);
  await settle();
  assert.equal(events.streams.length, 1);
  time.advance(1);
  hub.retry();
  hub.retry();
  time.advance(0);
  await settle();
  assert.equal(events.streams.length, 2);
  await hub.stop();
  hub.retry();
  assert.equal(hub.state, 'stopped');
});

test('a retry ends the wait that a stream asked its readers for', async () => {
  const { events, time, hub } = await begin();
  events.stream.begin(5000);
  events.stream.say(history([point(1)]));
  await settle();
  events.stream.end();
  await settle();
  assert.equal(hub.state, 'waiting');
  hub.retry();
  time.advance(0);
  await settle();
  assert.equal(events.streams.length, 2);
  await hub.stop();
});

test('a hub that shows nothing of itself is not asked again; one that has no place is', async () => {
  const { events, time, hub, states } = await begin();
  events.stream.answer(429, JSON.stringify({ code: 'RATE_002', message: 'too many' }), {
    'Retry-After': '9',
  });
  await settle();
  assert.equal(states.at(-1), 'waiting 9250');
  time.advance(9250);
  await settle();
  events.stream.answer(
    404,
    JSON.stringify({ code: 'HTTP_404', message: 'this hub does not show its own state' }),
  );
  await settle();
  time.advance(3_600_000);
  await settle();
  assert.deepEqual([hub.state, events.streams.length], ['refused', 2]);
});
