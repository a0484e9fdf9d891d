import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestKey } from '../../support/data/keys.js';
import { ADVERTISEMENT } from '../../support/hubs/test-hub.js';
import { assertError, forEachPair, greet, Provider, refused, unique, useHub } from '../websocket-support.js';
import { assertIsList, brief, StreamView, Watcher } from '../websocket-watcher.js';

forEachPair('streams', (pair) => {
  const { codec } = pair;
  const hub = useHub(pair);

  test('an empty match set has one empty snapshot frame', async () => {
    const watcher = await Watcher.join(hub(), codec, { payments_network: unique() });
    assert.deepEqual(watcher.batches, [0]);
    assert.deepEqual(await watcher.events(), []);
  });

  test('a provider is added when it starts to match, updated while it does, and removed when it stops', async () => {
    const filter = { payments_network: unique(), cpu: 8 };
    const provider = await Provider.join(hub(), codec);
    const watcher = await Watcher.join(hub(), codec, filter);
    const advertise = (cpu: number, name: string): Promise<unknown> =>
      provider.advertise({ ...filter, name, resources: { cpu, memory: 1, storage: 1 } });

    await advertise(4, 'too small');
    assert.deepEqual(await watcher.events(), []);
    await advertise(8, 'enough');
    assert.deepEqual(brief(await watcher.events()), [`added ${provider.id} live`]);
    await advertise(16, 'more');
    assert.deepEqual(brief(await watcher.events()), [`updated ${provider.id} live`]);
    assert.deepEqual([...watcher.view.values()], [await provider.seen()]);
    await advertise(7, 'less');
    assert.deepEqual(brief(await watcher.events()), [`removed ${provider.id} unmatched`]);
    await advertise(6, 'even less');
    await provider.withdraw();
    assert.deepEqual(await watcher.events(), []);
  });

  test('every member of a filter can end a match', async () => {
    const network = unique();
    const match = {
      country: 'SE',
      resources: { cpu: 4, memory: 8, storage: 40 },
      platform: 'arm64',
      payments_network: network,
      pricing: { usd_per_core_month: 1, usd_per_gb_ram_month: 1, usd_per_gb_storage_month: 1 },
    };
    const filter = {
      cpu: 4,
      memory: 8,
      storage: 40,
      country: ['SE', 'NO'],
      platform: 'arm64',
      payments_network: network,
      max_usd_per_month: 52,
    };
    const provider = await Provider.join(hub(), codec);
    const watcher = await Watcher.join(hub(), codec, filter);
    for (const change of [
      { country: 'FI' },
      { platform: 'x86_64' },
      { platform: null },
      { payments_network: unique() },
      { payments_network: null },
      { resources: { cpu: 3, memory: 8, storage: 40 } },
      { resources: { cpu: 4, memory: 7, storage: 40 } },
      { resources: { cpu: 4, memory: 8, storage: 39 } },
      { pricing: { ...match.pricing, usd_per_core_month: 1.25 } },
      { pricing: { usd_per_core_month: 0, usd_per_gb_ram_month: 0 } },
      { pricing: null },
    ]) {
      await provider.advertise(match);
      assert.deepEqual(brief(await watcher.events()), [`added ${provider.id} live`]);
      await provider.advertise({ ...match, ...change });
      assert.deepEqual(
        brief(await watcher.events()),
        [`removed ${provider.id} unmatched`],
        JSON.stringify(change),
      );
    }
  });

  test('a change of status is an update, or the end of a match for those who want live ones only', async () => {
    const network = unique();
    const provider = await Provider.join(hub(), codec);
    await provider.advertise({ payments_network: network });
    const everybody = await Watcher.join(hub(), codec, { payments_network: network });
    const live = await Watcher.join(hub(), codec, { payments_network: network, status: 'live' });
    provider.socket.terminate();
    assert.deepEqual(brief(await everybody.next()), [`updated ${provider.id} suspect`]);
    assert.deepEqual(brief(await live.events()), [`removed ${provider.id} unmatched`]);
    await provider.rejoin();
    assert.deepEqual(brief(await everybody.next()), [`updated ${provider.id} live`]);
    assert.deepEqual(brief(await live.events()), [`added ${provider.id} live`]);
  });

  test('what only HTTP posts is live until it is removed as expired', async () => {
    const filter = { payments_network: unique() };
    const key = new TestKey();
    const watcher = await Watcher.join(hub(), codec, filter);
    await hub().post(key, key.publicKey, { ...ADVERTISEMENT, ...filter });
    assert.deepEqual(brief(await watcher.events()), [`added ${key.publicKey} live`]);
    await hub().advance(299_000);
    assert.deepEqual(await watcher.events(), []);
    await hub().advance(2_000);
    assert.deepEqual(brief(await watcher.events()), [`removed ${key.publicKey} expired`]);
  });

  test('one connection can have several streams, each with its own events', async () => {
    const network = unique();
    const socket = await greet(hub(), codec);
    const views = new Map<string, StreamView>();
    for (const filter of [
      { payments_network: network },
      { payments_network: network, country: 'SE' },
      { payments_network: network, country: 'FR' },
    ]) {
      socket.send({ type: 'subscribe', id: 1, filter });
      const view = new StreamView(await socket.next('subscribed'));
      view.apply(await socket.next('snapshot'));
      views.set(view.stream, view);
    }
    const provider = await Provider.join(hub(), codec);
    await provider.advertise({ payments_network: network, country: 'SE' });
    await provider.advertise({ payments_network: network, country: 'FR' });
    for (const frame of await socket.settle()) views.get(frame['stream'] as string)?.apply(frame);
    assert.deepEqual(
      [...views.values()].map(({ view }) => view.size),
      [1, 0, 1],
    );
  });

  test('subscribing to the same once more starts it anew, and events come once', async () => {
    const network = unique();
    const filter = { payments_network: network };
    const watcher = await Watcher.join(hub(), codec, filter);
    const { socket } = watcher;
    socket.send({ type: 'subscribe', id: 2, filter: { payments_network: [network] } });
    const again = new StreamView(await socket.next('subscribed'));
    assert.equal(again.stream, watcher.stream);
    again.apply(await socket.next('snapshot'));
    const provider = await Provider.join(hub(), codec);
    await provider.advertise(filter);
    const frames = await socket.settle();
    assert.equal(frames.length, 1);
    again.apply(frames[0]!);
    socket.send({ type: 'unsubscribe', id: 3, stream: again.stream });
    await socket.next('unsubscribed');
    await refused(socket, { type: 'unsubscribe', id: 4, stream: again.stream }, 'WS_001');
  });

  test('unsubscribe ends a stream, and only that', async () => {
    const network = unique();
    const watcher = await Watcher.join(hub(), codec, { payments_network: network });
    const other = await Watcher.join(hub(), codec, { payments_network: network });
    const { socket, stream } = watcher;
    socket.send({ type: 'unsubscribe', id: 'done', stream });
    assert.deepEqual(await socket.next('unsubscribed'), { type: 'unsubscribed', id: 'done', stream });
    const provider = await Provider.join(hub(), codec);
    await provider.advertise({ payments_network: network });
    assert.deepEqual(await socket.settle(), []);
    assert.deepEqual(brief(await other.events()), [`added ${provider.id} live`]);
    await hub().advance(61_000);
    assert.deepEqual(await socket.settle(), [], 'bookmarks are for subscribers');
  });

  test('unsubscribing from what one is not subscribed to is WS_001', async () => {
    const watcher = await Watcher.join(hub(), codec, { payments_network: unique() });
    const socket = await greet(hub(), codec);
    for (const stream of ['', 'no such stream', watcher.stream, '__proto__']) {
      await refused(socket, { type: 'unsubscribe', id: 1, stream }, 'WS_001');
    }
    socket.send({ type: 'unsubscribe', id: 1, stream: 'x'.repeat(129) });
    assertError(await socket.next('error'), 'WS_001', 1);
  });

  test('what is gone from a stream can be subscribed to again', async () => {
    const filter = { payments_network: unique() };
    const provider = await Provider.join(hub(), codec);
    await provider.advertise(filter);
    for (let round = 0; round < 3; round += 1) {
      const watcher = await Watcher.join(hub(), codec, filter);
      await provider.advertise({ ...filter, name: `round ${String(round)}` });
      assert.deepEqual(brief(await watcher.events()), [`updated ${provider.id} live`]);
      await assertIsList(hub(), filter, watcher.view);
      watcher.socket.terminate();
    }
  });
});
