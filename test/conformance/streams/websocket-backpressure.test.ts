import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstOf, type TestHub } from '../../support/hubs/test-hub.js';
import type { Frame, TestSocket } from '../../support/clients/test-socket.js';
import {
  eventually,
  fill,
  forEachPair,
  type Pair,
  greet,
  Provider,
  unique,
  useHub,
} from '../websocket-support.js';
import { assertIsList, StreamView, Watcher } from '../websocket-watcher.js';

/** Members that make an advertisement about as large as it can be. */
const LARGE = {
  resources: {
    ...{ cpu: 4096, memory: 65_536, storage: 10_000_000 },
    ...Object.fromEntries(
      Array.from({ length: 13 }, (_, index) => [`resource_with_a_long_name_${String(index)}`, 1]),
    ),
  },
  pricing: Object.fromEntries(
    Array.from({ length: 10 }, (_, index) => [`price_with_a_long_name_${String(index)}`, 'x'.repeat(64)]),
  ),
};
const STREAMS = 60;
/** From so many bytes on the hub holds events back. */
const FULL = 256 * 1024;
/** A bound that has nothing to do with how much there would be to say. */
const QUEUE_BOUND = 2 * 1024 * 1024;

async function queuedBytes(hub: TestHub): Promise<number> {
  const metrics = await (await fetch(`${hub.url}/metrics`)).text();
  return Number(/^discovery_queue_bytes (\S+)$/m.exec(metrics)?.[1]);
}

/** A requestor with many streams on one connection, who can stop reading. */
class SlowReader {
  readonly socket: TestSocket;
  readonly views: { filter: object; state: StreamView }[] = [];
  events = 0;
  readonly #filters: object[] = [];

  constructor(socket: TestSocket) {
    this.socket = socket;
  }

  /** Asks for one more stream. */
  subscribe(filter: object): void {
    this.socket.send({ type: 'subscribe', id: this.#filters.length, filter });
    this.#filters.push(filter);
  }

  apply(frame: Frame): void {
    if (frame['type'] === 'subscribed') {
      this.views.push({ filter: this.#filters[frame['id'] as number]!, state: new StreamView(frame) });
    } else if (frame['type'] === 'bookmark') {
      for (const { state } of this.views) state.apply(frame);
    } else {
      const found = this.views.find(({ state }) => state.stream === frame['stream']);
      assert.ok(found, JSON.stringify(frame).slice(0, 200));
      this.events += found.state.apply(frame).length;
    }
  }

  get complete(): boolean {
    return this.views.length === this.#filters.length && this.views.every(({ state }) => state.complete);
  }

  /** Reads until it holds this. */
  async readUntil(holds: () => boolean): Promise<void> {
    while (!holds()) this.apply(await this.socket.any());
  }
}

/** A slow reader with many streams of one network, and a provider whose every change goes to all of them. */
async function setUp(
  hub: TestHub,
  { codec }: Pair,
): Promise<{
  slow: SlowReader;
  watcher: Watcher;
  change: () => Promise<string>;
  changes: () => number;
}> {
  const network = unique();
  const provider = await Provider.join(hub, codec);
  const watcher = await Watcher.join(hub, codec, { payments_network: network });
  const slow = new SlowReader(await greet(hub, codec));
  for (let cpu = 1; cpu <= STREAMS; cpu += 1) slow.subscribe({ cpu, payments_network: network });
  await slow.readUntil(() => slow.complete);
  let changes = 0;
  return {
    slow,
    watcher,
    changes: () => changes,
    change: async () => {
      changes += 1;
      const name = `change ${String(changes)}`;
      await provider.advertise({ ...LARGE, payments_network: network, name });
      return name;
    },
  };
}

/** The name of the only advertisement there is. */
function nameIn({ view }: StreamView): string | null | undefined {
  return [...view.values()][0]?.name;
}

/** Goes on until the system takes no more of what the slow reader is sent. */
async function fillQueue(hub: TestHub, change: () => Promise<unknown>): Promise<void> {
  const { gateway } = hub.hub;
  for (let changes = 0; gateway.queuedBytes < FULL; changes += 1) {
    assert.ok(changes < 2000, 'the queue never fills');
    await change();
  }
}

forEachPair('a subscriber that stops reading', (pair) => {
  const { codec } = pair;
  const hub = firstOf(useHub(pair));

  test('is closed with 4507, while its queue stays bounded and nobody else notices', async () => {
    const { slow, watcher, change } = await setUp(hub(), pair);
    slow.socket.raw.pause();
    await fillQueue(hub(), change);
    for (let more = 0; more < 20; more += 1) {
      const name = await change();
      await watcher.events();
      assert.deepEqual(
        [...watcher.view.values()].map((advertisement) => advertisement.name),
        [name],
      );
    }
    const queued = await queuedBytes(hub());
    assert.ok(queued > 0 && queued < QUEUE_BOUND, `${String(queued)} bytes wait`);

    await hub().advance(11_000);
    await eventually('the queue is let go', async () => (await queuedBytes(hub())) === 0);
    await change();
    assert.equal((await watcher.events()).length, 1);
    slow.socket.raw.resume();
    assert.equal(await slow.socket.closeCode(), 4507);
    // What did get through is in order, without a gap before the end.
    for (const frame of slow.socket.frames) slow.apply(frame);
  });

  test('and reads on in time gets what it missed, merged', async () => {
    const { slow, change, changes } = await setUp(hub(), pair);
    slow.socket.raw.pause();
    await fillQueue(hub(), change);
    for (let more = 0; more < 20; more += 1) await change();
    await hub().advance(5_000);
    slow.socket.raw.resume();
    const name = `change ${String(changes())}`;
    await slow.readUntil(() => slow.views.every(({ state }) => nameIn(state) === name));
    assert.ok(slow.events < (changes() - 10) * STREAMS, 'some of it was merged');
    for (const { filter, state } of slow.views.slice(0, 3)) await assertIsList(hub(), filter, state.view);
    const events = slow.events;
    const next = await change();
    await slow.readUntil(() => slow.events === events + STREAMS);
    for (const { state } of slow.views) assert.equal(nameIn(state), next);
    await hub().advance(30_000);
    assert.deepEqual(
      (await slow.socket.settle()).map((frame) => frame['type']).filter((type) => type !== 'bookmark'),
      [],
    );
  });

  test('in the middle of its snapshots gets the truth all the same', async () => {
    const network = unique();
    await fill(hub(), 600, { ...LARGE, payments_network: network });
    const providers = await Promise.all(Array.from({ length: 12 }, () => Provider.join(hub(), codec)));
    const advertise = (name: string): Promise<unknown> =>
      Promise.all(
        providers.map((provider) => provider.advertise({ ...LARGE, payments_network: network, name })),
      );
    await advertise('before');
    const slow = new SlowReader(await greet(hub(), codec));
    slow.socket.raw.pause();
    const { gateway } = hub().hub;
    const before = gateway.streams.subscriptions;
    // How much the system takes is its own business, and now and then very much.
    for (let cpu = 1; gateway.queuedBytes < FULL; cpu += 1) {
      assert.ok(cpu < 64, 'the queue never fills');
      slow.subscribe({ cpu, payments_network: network });
      await eventually('its snapshot is begun', () => gateway.streams.subscriptions === before + cpu);
    }
    slow.subscribe({ cpu: 65, payments_network: network });
    await advertise('meanwhile');
    await Promise.all(providers.slice(0, 4).map((provider) => provider.withdraw()));
    assert.ok(gateway.queuedBytes < QUEUE_BOUND);
    slow.socket.raw.resume();
    const names = (state: StreamView): (string | null | undefined)[] =>
      providers.map(({ id }) => state.view.get(id)?.name);
    const wanted = providers.map((_, index) => (index < 4 ? undefined : 'meanwhile'));
    await slow.readUntil(
      () =>
        slow.complete &&
        slow.views.every(({ state }) => JSON.stringify(names(state)) === JSON.stringify(wanted)),
    );
    for (const { filter, state } of [slow.views[0]!, slow.views.at(-1)!]) {
      assert.equal(state.view.size, 608);
      await assertIsList(hub(), filter, state.view);
    }
  });
});

forEachPair('a subscriber that missed more than the hub keeps', (pair) => {
  const hub = firstOf(useHub(pair, { REPLAY_EVENTS: '16' }));

  test('is closed with 4507 when it reads on, and never told of a part', async () => {
    const { slow, change } = await setUp(hub(), pair);
    slow.socket.raw.pause();
    await fillQueue(hub(), change);
    for (let more = 0; more < 20; more += 1) await change();
    slow.socket.raw.resume();
    assert.equal(await slow.socket.closeCode(), 4507);
    for (const frame of slow.socket.frames) slow.apply(frame);
  });
});
