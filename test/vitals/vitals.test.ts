import assert from 'node:assert/strict';
import { setImmediate as nextTurn, setTimeout } from 'node:timers/promises';
import { test } from 'node:test';
import {
  hubHistorySchema,
  type HubPoint,
  hubPointFrameSchema,
  POINT_SECONDS,
  POINTS_KEPT,
} from '../../src/protocol/vitals.js';
import { type ConditionSources, Vitals } from '../../src/vitals/vitals.js';
import { LoopLag } from '../../src/vitals/loop-lag.js';
import { randomOf } from '../support/random.js';

const T0 = 1_740_063_600_000;
const NO_LAG = { p50: 0, p99: 0, max: 0 };

/** What the hub is said to be like. */
class World {
  live = 0;
  problem: string | null = null;
  now = 0;
  readonly vitals: Vitals;

  constructor(shows: 'counts' | 'all') {
    const none = (): number => 0;
    const condition: ConditionSources = {
      queuedBytes: () => 7,
      loopLag: { take: () => NO_LAG },
      mirror: {
        pending: 3,
        lagMs: 12.4,
        problem: null,
      },
    };
    Object.defineProperty(condition.mirror, 'problem', { get: () => this.problem });
    this.vitals = new Vitals(
      {
        live: () => this.live,
        suspect: none,
        sessions: none,
        connections: none,
        readers: none,
        subscriptions: none,
        streams: none,
      },
      shows === 'all' ? condition : null,
    );
  }

  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += 200) {
      this.now += 200;
      this.vitals.tick(this.now, T0 + this.now);
    }
  }

  point(): void {
    this.pass(POINT_SECONDS * 1000);
  }

  history(): readonly HubPoint[] {
    const [frame] = this.vitals.framesSince(null);
    return hubHistorySchema.parse(dataOf(frame!)).points;
  }
}

function dataOf(frame: Uint8Array): unknown {
  const text = Buffer.from(frame).toString('utf8');
  return JSON.parse(/^event: \w+\ndata: (.*)\n\n$/.exec(text)![1]!);
}

test('a point is taken every few seconds, and those of the last 15 minutes are kept', () => {
  const world = new World('counts');
  for (let point = 0; point < POINTS_KEPT + 20; point += 1) {
    world.live = point;
    world.point();
  }
  const points = world.history();
  assert.equal(points.length, POINTS_KEPT);
  assert.deepEqual(
    points.map(({ live }) => live),
    Array.from(points, (_, at) => at + 20),
  );
  const times = points.map(({ time }) => Date.parse(time));
  assert.ok(times.every((time, at) => at === 0 || (time - times[at - 1]!) / 1000 === POINT_SECONDS));
});

test('whoever has some points is sent exactly the others, or all again where these are forgotten', (t) => {
  const random = randomOf(t);
  const world = new World('counts');
  let known: number | null = null;
  let view: number[] = [];
  for (let round = 0; round < 300; round += 1) {
    const quiet = random() < 0.02 ? POINTS_KEPT + 1 : Math.floor(random() * 6);
    for (let point = 0; point < quiet; point += 1) {
      world.live += 1;
      world.point();
    }
    for (const frame of world.vitals.framesSince(known)) {
      const data = dataOf(frame) as { type: string };
      if (data.type === 'history') view = hubHistorySchema.parse(data).points.map(({ live }) => live);
      else view.push(hubPointFrameSchema.parse(data).point.live);
    }
    known = world.vitals.count;
    const kept = world.history().map(({ live }) => live);
    assert.deepEqual(view.slice(-POINTS_KEPT), kept);
  }
});

test('whoever comes before the first point is sent the empty history once', () => {
  const { vitals } = new World('counts');
  assert.equal(vitals.framesSince(null).length, 1);
  assert.deepEqual(vitals.framesSince(vitals.count), []);
});

test('rates and times are of one interval alone, and of all changes in it', (t) => {
  const random = randomOf(t);
  const world = new World('all');
  world.point();
  const micros = Array.from({ length: 1000 }, () => 1 + Math.floor(random() ** 4 * 5e6));
  for (const took of micros) world.vitals.noteMatchToSend(took / 1e6);
  for (let change = 0; change < 60; change += 1) world.vitals.noteChange();
  world.point();
  world.point();
  const [, busy, idle] = world.history();
  assert.equal(busy!.updates_per_second, 60 / POINT_SECONDS);
  const sorted = [...micros].sort((a, b) => a - b).map((took) => took / 1000);
  const { p50, p99, max } = busy!.match_to_send_ms!;
  for (const [shown, exact] of [
    [p50, sorted[499]!],
    [p99, sorted[989]!],
    [max, sorted[999]!],
  ] as const) {
    assert.ok(Math.abs(shown - exact) <= 0.01 + exact * 0.005, `${String(shown)} for ${String(exact)}`);
  }
  assert.deepEqual([idle!.updates_per_second, idle!.match_to_send_ms], [0, null]);
});

test('how well the hub does is told only where it is to be shown', () => {
  const [all, counts] = [new World('all'), new World('counts')];
  all.problem = 'disk full: /secret/place';
  for (const world of [all, counts]) world.point();
  const { mirror, queued_bytes, loop_lag_ms } = all.history()[0]!;
  assert.deepEqual(mirror, { state: 'failing', lag_ms: 12, pending: 3 }, 'and not why');
  assert.deepEqual([queued_bytes, loop_lag_ms], [7, NO_LAG]);
  assert.deepEqual(Object.keys(counts.history()[0]!).sort(), [
    'connections',
    'live',
    'readers',
    'sessions',
    'streams',
    'subscribers',
    'suspect',
    'time',
    'updates_per_second',
  ]);
});

test('many readers are told in several turns of the event loop, and none that has gone', async () => {
  const world = new World('counts');
  let told = 0;
  const ends = Array.from({ length: 1200 }, () => world.vitals.read(() => (told += 1)));
  world.point();
  assert.equal(told, 500);
  for (const end of ends.slice(1100)) end();
  for (let turn = 0; turn < 5; turn += 1) await nextTurn();
  assert.equal(told, 1100);
});

test('an event loop that stands still is late by that much', async () => {
  const lag = new LoopLag();
  let seen = lag.take();
  // What begins at once is missed: the first look only says when the second one is due.
  for (let tries = 0; tries < 50 && seen.max < 50; tries += 1) {
    const until = performance.now() + 100;
    while (performance.now() < until);
    await setTimeout(20);
    seen = lag.take();
    await setTimeout(20);
  }
  lag.close();
  assert.ok(seen.max >= 50, `it was late by ${String(seen.max)} ms`);
  assert.ok(seen.p50 <= seen.max);
});
