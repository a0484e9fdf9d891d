import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import test from 'node:test';
import { recordOf } from '../../support/data/arbitraries.js';
import { CONTENT } from '../../support/data/contents.js';
import { advertised } from '../../support/data/entries.js';
import { FakeClock } from '../../support/fake-clock.js';
import { GatewayWorld } from '../../support/hubs/gateway.js';
import { SlowBody } from '../../support/clients/slow-body.js';

const T0 = 1_740_063_600_000;
const ADDRESS = '203.0.113.9';
const MB = 1 << 20;

class World {
  readonly clock = new FakeClock(T0);
  readonly #world = new GatewayWorld(this.clock, { maxQueuedBytes: 4 * MB });
  readonly gateway = this.#world.gateway;
  readonly ends = this.#world.readerEnds;

  read(): SlowBody {
    const body = new SlowBody();
    const events = this.gateway.readEvents({ filter: {}, first: null, resume: null, address: ADDRESS });
    body.handler = this.gateway.readers.admit(events, ADDRESS).open(body);
    return body;
  }

  async advertise(count: number, name: string): Promise<void> {
    for (let at = 0; at < count; at += 1) {
      const record = recordOf(`p${String(at)}`, { ...CONTENT, name }, { createdAt: T0, updatedAt: T0 });
      void this.#world.log.propose(advertised(record));
    }
    // Changes are matched and encoded in steps.
    for (let turn = 0; turn < 20; turn += 1) await nextTurn();
  }

  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      this.clock.advance(1000);
      this.#world.registry.tick();
      this.gateway.tick();
      await nextTurn();
    }
  }
}

test('a reader that is full is sent nothing more; what changes is merged until it has taken what it had', async () => {
  const world = new World();
  const slow = world.read();
  await world.advertise(1000, 'first');
  const full = slow.bufferedAmount;
  assert.ok(full > 256 * 1024, `${String(full)} bytes wait`);
  for (let round = 0; round < 9; round += 1) await world.advertise(100, `round ${String(round)}`);
  assert.equal(slow.bufferedAmount, full, 'nothing was added');
  const sent = slow.frames.length;
  slow.takeAll();
  // On a busy machine, its turn comes later than the next one.
  for (let turn = 0; turn < 1000 && slow.frames.length === sent; turn += 1) await nextTurn();
  const last = slow.frames.at(-1)!;
  const events = last['events'] as { op: string; advertisement: { name: string } }[];
  assert.equal(events.length, 100);
  assert.ok(events.every(({ op, advertisement }) => op === 'updated' && advertisement.name === 'round 8'));
});

test('a reader that takes nothing for ten seconds is cut, and leaves nothing behind', async () => {
  const world = new World();
  const slow = world.read();
  await world.advertise(1000, 'first');
  await world.pass(9);
  assert.equal(slow.isCut, false);
  await world.pass(2);
  assert.equal(slow.isCut, true);
  assert.deepEqual(world.ends, ['slow']);
  assert.deepEqual([world.gateway.readers.size, world.gateway.streams.subscriptions], [0, 0]);
  assert.equal(world.gateway.clients.find(ADDRESS), undefined);
});

test('a reader that missed more than the hub keeps is told so by an event, and its stream ends', async () => {
  const world = new World();
  const slow = world.read();
  await world.advertise(1000, 'first');
  // More changes than are kept for resuming.
  await world.advertise(1000, 'second');
  await world.advertise(1000, 'third');
  slow.takeAll();
  await nextTurn();
  const { type, code, message, timestamp } = slow.frames.at(-1)!;
  assert.deepEqual([type, code, timestamp], ['error', 'WS_4507', new Date(T0).toISOString()]);
  assert.match(String(message), /missed/);
  assert.match(slow.text, /event: error\ndata: /, 'it has no id');
  assert.equal(slow.isEnded, true);
  assert.equal(world.gateway.streams.subscriptions, 0);
});
