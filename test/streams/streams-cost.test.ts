import assert from 'node:assert/strict';
import test from 'node:test';
import type { StreamLimits } from '../../src/streams/limits.js';
import type { Content } from '../support/data/arbitraries.js';
import { type StreamClient, StreamWorld } from '../support/worlds/stream-world.js';

const PROVIDERS = 400;

function contentOf(number: number): Content {
  return {
    ipAddress: '203.0.113.7',
    country: 'SE',
    resources: { cpu: 1 + (number % 8), memory: 8, storage: 40 },
    platform: null,
    pricing: null,
    name: null,
    paymentsNetwork: null,
    attributes: null,
    endpoint: null,
  };
}

/** A world that counts how many advertisements are read from it. */
class CountingWorld extends StreamWorld {
  reads = 0;

  constructor(limits: Partial<StreamLimits> = {}) {
    super({ expiryMs: 300_000, replayEvents: 65_536, limits });
    for (let number = 0; number < PROVIDERS; number += 1)
      this.advertise(`p${String(number)}`, contentOf(number));
    const { store } = this.registry;
    const fragment = store.fragment.bind(store);
    store.fragment = (slot) => {
      this.reads += 1;
      return fragment(slot);
    };
  }

  /** The most that is read in one of the turns until everybody is up to date. */
  async mostInATurn(): Promise<number> {
    let most = this.reads;
    const all = this.clients.flatMap(({ subscriptions }) => subscriptions);
    while (all.some(({ state }) => state !== 'live')) {
      this.reads = 0;
      await this.turn();
      most = Math.max(most, this.reads);
    }
    return most;
  }
}

function crowd(world: StreamWorld, size: number): StreamClient[] {
  return Array.from({ length: size }, (_, at) => world.connect(at % 2 === 0 ? 'json' : 'msgpack'));
}

test('many snapshots at once: a turn reads so much, however many are asked for', async () => {
  // A frame of 50 is more work than a turn has.
  const world = new CountingWorld({ workPerTurn: 4000, snapshotBatch: 50 });
  crowd(world, 10).forEach((client, at) => {
    client.subscribe({ cpu: 1, memory: 1 + (at % 7), storage: 1 + at }, null);
  });
  const most = await world.mostInATurn();
  assert.ok(most <= 100, `${String(most)} rows were read in one turn`);
  await world.settle();
});

test('many resumes at once: a turn reads so much, however many are asked for', async () => {
  const world = new CountingWorld({ workPerTurn: 4000 });
  const first = world.connect('json');
  first.subscribe({}, null);
  await world.settle();
  const checkpoint = world.checkpoints.at(-1)!;
  for (let number = 0; number < 200; number += 1)
    world.advertise(`p${String(number)}`, contentOf(number + 1));
  await world.settle();
  world.reads = 0;
  for (const client of crowd(world, 20)) client.subscribe({}, checkpoint);
  const most = await world.mostInATurn();
  assert.ok(most <= 200, `${String(most)} rows were read in one turn`);
  assert.equal(world.decided.exact, 20);
  await world.settle();
});

test('a change that concerns many streams is told to so many of them a turn, and others are not kept waiting', async () => {
  const world = new CountingWorld({ flushesPerTurn: 10 });
  const client = world.connect('json');
  for (let storage = 1; storage <= 40; storage += 1) client.subscribe({ storage }, null);
  await world.settle();
  const behind = (): number =>
    client.subscriptions.filter((subscription) => !world.hub.isCurrent(subscription)).length;
  assert.equal(behind(), 0);
  world.advertise('p1', contentOf(2));
  const seen: number[] = [];
  while (behind() > 0) {
    seen.push(behind());
    // What comes meanwhile is merged, and turns nobody back.
    if (seen.length === 2) world.withdraw('p2');
    await world.turn();
    assert.ok(seen.length < 100, 'it never ends');
  }
  assert.equal(seen[0], 40);
  for (const [turn, before] of seen.entries())
    assert.ok(before - (seen[turn + 1] ?? 0) <= 10, `in one turn, more than ten were told: ${seen.join()}`);
  await world.settle();
});

test('those who read the same snapshot at the same time are sent the same frames', async () => {
  const world = new CountingWorld({ snapshotBatch: 50 });
  const clients = Array.from({ length: 20 }, () => world.connect('json'));
  for (const client of clients) client.limit(0);
  for (const client of clients) client.subscribe({}, null);
  world.reads = 0;
  for (const client of clients) client.take(2);
  for (let more = 0; more < PROVIDERS / 50; more += 1) for (const client of clients) client.take(1);
  assert.ok(world.reads < 3 * PROVIDERS, `${String(world.reads)} rows were read for 20 snapshots`);
  await world.settle();
});

test('subscriptions that wait keep no rows: a slow reader of many streams has one moment kept, or none', async () => {
  const world = new CountingWorld({ snapshotBatch: 50 });
  const clients = crowd(world, 8);
  for (const client of clients) {
    client.limit(2);
    for (let storage = 1; storage <= 40; storage += 1) client.subscribe({ storage }, null);
  }
  await world.turn();
  const { moments } = world.registry;
  const all = clients.flatMap(({ subscriptions }) => subscriptions);
  assert.equal(all.length, 8 * 40);
  const open = all.filter(({ snapshot }) => snapshot !== null).length;
  assert.ok(open <= 8, `${String(open)} snapshots are under way`);
  let bytes = 0;
  for (let number = 0; number < 100; number += 1) {
    bytes += world.registry.store.fragmentBytes(number);
    world.advertise(`p${String(number)}`, contentOf(number + 1));
  }
  assert.ok(moments.bytes <= bytes, 'what changes is kept more than once');
  for (const client of clients) client.close();
  assert.equal(moments.bytes, 0);
});
