import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertServes, closesWith, forEachPair, Provider, unique, useHub } from '../websocket-support.js';
import { brief, Watcher } from '../websocket-watcher.js';

forEachPair('a second session of one provider', (pair) => {
  const { codec } = pair;
  const hub = useHub(pair);

  async function watchedProvider(): Promise<{ provider: Provider; watcher: Watcher; network: string }> {
    const network = unique();
    const provider = await Provider.join(hub(), codec);
    await provider.advertise({ payments_network: network });
    return { provider, watcher: await Watcher.join(hub(), codec, { payments_network: network }), network };
  }

  test('replaces the first, which is closed with 4409, and nobody sees a suspect in between', async () => {
    const { provider, watcher, network } = await watchedProvider();
    const second = await provider.rejoin();
    await closesWith(provider.socket, 4409);
    assert.equal(second.onFile?.status, 'live');
    assert.deepEqual(await watcher.events(), []);
    await second.advertise({ payments_network: network, name: 'second' });
    assert.deepEqual(brief(await watcher.events()), [`updated ${provider.id} live`]);
  });

  test('is not touched by anything that the first still does', async () => {
    const { provider: first, watcher, network } = await watchedProvider();
    // It does not see that it was closed, and goes on.
    first.socket.raw.pause();
    const second = await first.rejoin();
    await hub().advance(10_000);
    first.socket.send({ type: 'heartbeat' });
    first.socket.send(first.advertiseFrame({ payments_network: network, name: 'ghost' }));
    first.socket.send(first.withdrawFrame());
    first.socket.raw.ping();
    first.socket.raw.pong();
    assert.deepEqual(await second.socket.settle(), []);
    assert.deepEqual(await watcher.events(), []);
    first.socket.raw.resume();
    assert.equal(await first.socket.closeCode(), 4409);
    assert.deepEqual(await watcher.events(), []);
    const seen = await second.seen();
    assert.equal(seen?.name, null);
    assert.equal(seen.status, 'live');
    await second.advertise({ payments_network: network, name: 'second' });
    assert.deepEqual(brief(await watcher.events()), [`updated ${first.id} live`]);
  });

  test('is not touched by the late end of the first', async () => {
    const { provider: first, watcher } = await watchedProvider();
    first.socket.raw.pause();
    const second = await first.rejoin();
    first.socket.terminate();
    for (let answers = 0; answers < 10; answers += 1) await second.socket.settle();
    await hub().advance(10_000);
    assert.deepEqual(await watcher.events(), []);
    assert.equal((await second.seen())?.status, 'live');
  });

  test('keeps the provider alive, the first does not', async () => {
    const { provider: first, watcher } = await watchedProvider();
    first.socket.raw.pause();
    const second = await first.rejoin({ autoPong: false });
    for (let round = 0; round < 7; round += 1) {
      await hub().advance(10_000);
      first.socket.send({ type: 'heartbeat' });
      first.socket.raw.pong();
    }
    await hub().advance(6_000);
    assert.equal(await second.socket.closeCode(), 4504);
    assert.deepEqual(brief(await watcher.next()), [`updated ${first.id} suspect`]);
  });

  test('has its requests answered although those of the first are still on their way', async () => {
    const { provider: first, watcher, network } = await watchedProvider();
    const frames = Array.from({ length: 20 }, (_, index) =>
      first.advertiseFrame({ payments_network: network, name: `first ${String(index)}` }),
    );
    for (const frame of frames) first.socket.send(frame);
    const second = await first.rejoin();
    await second.advertise({ payments_network: network, name: 'second' });
    assert.equal(await first.socket.closeCode(), 4409);
    assert.deepEqual(await second.socket.settle(), []);
    await watcher.events();
    assert.equal(watcher.view.get(first.id)?.name, 'second');
    assert.equal(watcher.view.get(first.id)?.status, 'live');
    assert.deepEqual([...watcher.view.values()], [await second.seen()]);
  });

  test('may be followed by many more at once: one of them stays', async () => {
    const { provider, watcher } = await watchedProvider();
    const others = await Promise.all(Array.from({ length: 8 }, () => provider.rejoin().catch(() => null)));
    const sockets = others.flatMap((other) => (other === null ? [] : [other.socket]));
    assert.ok(sockets.length > 0);
    const open: typeof sockets = [];
    for (const socket of sockets) {
      await socket.settle().then(
        () => open.push(socket),
        () => undefined,
      );
    }
    assert.equal(open.length, 1);
    assert.deepEqual(await watcher.events(), []);
    await assertServes(hub(), codec);
  });
});
