import assert from 'node:assert/strict';
import test from 'node:test';
import { LIMITS } from '../../src/protocol/limits.js';
import { STREAM_LIMITS, WORK } from '../../src/streams/limits.js';
import type { Content } from '../support/data/arbitraries.js';
import { StreamWorld } from '../support/worlds/stream-world.js';

const PROVIDERS = 4600;

function contentOf(number: number, name: string | null = null): Content {
  return {
    ipAddress: '203.0.113.7',
    country: number % 3 === 0 ? 'SE' : 'NO',
    resources: { cpu: 1 + (number % 64), memory: 8, storage: 40 },
    platform: number % 2 === 0 ? 'x86_64' : 'arm64',
    pricing: null,
    name,
    paymentsNetwork: null,
    attributes: null,
    endpoint: null,
  };
}

function worldOf(providers: number): StreamWorld {
  const world = new StreamWorld({ expiryMs: 300_000, replayEvents: 65_536 });
  for (let number = 0; number < providers; number += 1)
    world.advertise(`p${String(number)}`, contentOf(number));
  return world;
}

test('a snapshot of thousands goes over several turns, in which others get theirs, and is the truth of its cursor', async () => {
  assert.equal(LIMITS.maxSnapshotBatch, 500);
  const world = worldOf(PROVIDERS);
  const other = world.connect('json');
  other.subscribe({ cpu: 64, country: ['SE'] }, null);
  const readers = [world.connect('json'), world.connect('msgpack')];
  for (const reader of readers) reader.subscribe({}, null);
  const isReading = () => readers.some(({ views }) => [...views.values()].some(({ seq }) => seq === null));
  // MessagePack is what takes long; half as much again for all the rest.
  const mostTurns = (1.5 * PROVIDERS * WORK.encode.msgpack) / STREAM_LIMITS.workPerTurn;
  let turns = 0;
  for (; isReading(); turns += 1) {
    assert.ok(turns < mostTurns);
    // Rows change, go and come while they are read, ahead of the readers and behind them.
    for (let change = 0; change < 40; change += 1) {
      const number = (turns * 997 + change * 131) % PROVIDERS;
      const id = `p${String(number)}`;
      if (change % 4 === 0) world.withdraw(id);
      else world.advertise(id, contentOf(number, `changed ${String(turns)}`));
      if (change % 10 === 0) world.advertise(`new-${String(turns)}-${String(change)}`, contentOf(63));
    }
    await world.turn();
    for (const view of other.views.values())
      assert.equal(view.seq, world.seq, 'it waits for somebody else’s snapshot');
  }
  assert.ok(turns >= 2, 'one reader had it all in one turn');
  await world.settle();
});

test('thousands of changes between two looks are caught up with in one frame', async () => {
  const world = worldOf(PROVIDERS);
  const reader = world.connect('json');
  reader.subscribe({ country: ['SE'] }, null);
  await world.settle();
  reader.limit(0);
  for (let number = 0; number < PROVIDERS; number += 1)
    world.advertise(`p${String(number)}`, contentOf(number + 1));
  await world.turn();
  reader.take();
  await world.settle();
  assert.equal(world.fallenBehind, 0);
});

test('whoever missed more events than one frame may bring starts over from a snapshot', async () => {
  const world = worldOf(5100);
  const reader = world.connect('json');
  reader.subscribe({}, null);
  await world.settle();
  const checkpoint = world.checkpoints.at(-1)!;
  reader.limit(0);
  for (let number = 0; number < 5100; number += 1)
    world.advertise(`p${String(number)}`, contentOf(number, 'new'));
  await world.turn();
  reader.take();
  assert.equal(world.fallenBehind, 1);
  world.connect('json').subscribe({}, checkpoint);
  assert.deepEqual(world.decided, { exact: 0, refused: 1 });
  await world.settle();
});
