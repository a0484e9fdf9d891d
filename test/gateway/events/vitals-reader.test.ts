import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'node:test';
import { readVitals } from '../../../src/gateway/events/vitals-reader.js';
import { POINTS_KEPT } from '../../../src/protocol/vitals.js';
import { QUEUE } from '../../../src/gateway/settings.js';
import { Vitals } from '../../../src/vitals/vitals.js';
import { FakeClock } from '../../support/fake-clock.js';
import { GatewayWorld } from '../../support/hubs/gateway.js';
import { SlowBody } from '../../support/clients/slow-body.js';

const T0 = 1_740_063_600_000;
const ADDRESS = '203.0.113.9';

class World {
  readonly clock = new FakeClock(T0);
  readonly #world = new GatewayWorld(this.clock, { maxSubscriptionsPerAddress: 2 });
  readonly gateway = this.#world.gateway;
  readonly ends = this.#world.readerEnds;
  readonly vitals: Vitals;

  constructor() {
    const some = (): number => 1;
    this.vitals = new Vitals(
      {
        live: some,
        suspect: some,
        sessions: some,
        connections: some,
        readers: some,
        subscriptions: some,
        streams: some,
      },
      null,
    );
  }

  read(): SlowBody {
    const body = new SlowBody();
    const read = readVitals(this.gateway, this.vitals, ADDRESS);
    body.handler = this.gateway.readers.admit(read, ADDRESS).open(body);
    return body;
  }

  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      this.clock.advance(1000);
      this.#world.registry.tick();
      this.gateway.tick();
      this.vitals.tick(this.clock.monotonic(), this.clock.wall());
      if (second % 50 === 0) await nextTurn();
    }
    await nextTurn();
  }
}

const typesOf = (body: SlowBody): unknown[] => body.frames.map(({ type }) => type);

test('a reader that takes nothing is sent nothing more once it is full, and then all that it missed', async () => {
  const world = new World();
  await world.pass(20);
  const body = world.read();
  assert.deepEqual(typesOf(body), ['history']);
  body.takeAll();
  await world.pass(15);
  assert.deepEqual(typesOf(body), ['history', 'point', 'point', 'point']);
  // More waits than a reader may be behind by.
  body.bufferedAmount = 300 * 1024;
  await world.pass(5 * (POINTS_KEPT + 5) - 5);
  const before = body.frames.length;
  assert.equal(body.isCut, false);
  assert.equal(before, 4, 'nothing was added');
  body.takeAll();
  assert.deepEqual(typesOf(body).slice(before), ['history'], 'more than is kept was missed: all comes again');
  assert.equal((body.frames.at(-1)!['points'] as unknown[]).length, POINTS_KEPT);
});

test('one that never takes anything has no more waiting than it may, is cut, and leaves nothing behind', async () => {
  const world = new World();
  const body = world.read();
  assert.deepEqual([world.gateway.readers.size, world.gateway.clients.find(ADDRESS)?.subscriptions], [1, 1]);
  let most = 0;
  while (body.bufferedAmount > most) {
    most = body.bufferedAmount;
    await world.pass(5);
  }
  assert.ok(most > QUEUE.highWaterBytes && most < QUEUE.highWaterBytes + 1024, `${String(most)} bytes wait`);
  await world.pass(10);
  assert.equal(body.isCut, true);
  assert.deepEqual(world.ends, ['slow']);
  assert.equal(world.gateway.clients.find(ADDRESS), undefined);
});

test('each counts as a subscription of its address', () => {
  const world = new World();
  const [first] = [world.read(), world.read()];
  assert.throws(() => world.read(), { code: 'WS_004' });
  first.handler!.closed();
  world.read();
});
