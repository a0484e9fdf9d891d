import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestHub } from '../../support/hubs/test-hub.js';
import {
  closesWith,
  eventually,
  forEachPair,
  greet,
  Provider,
  unique,
  useHub,
} from '../websocket-support.js';
import { brief, Watcher } from '../websocket-watcher.js';

forEachPair('sessions', (pair) => {
  const { codec } = pair;
  const hub = useHub(pair);

  /** A provider that advertises, and somebody who watches just that. */
  async function watchedProvider(
    options: { autoPong?: boolean } = {},
    at: TestHub = hub(),
  ): Promise<{
    provider: Provider;
    watcher: Watcher;
    filter: { payments_network: string };
  }> {
    const filter = { payments_network: unique() };
    const provider = await Provider.join(at, codec, options);
    await provider.advertise(filter);
    return { provider, watcher: await Watcher.join(at, codec, filter), filter };
  }

  test('every frame of a provider is a heartbeat, even one that is refused', async () => {
    // The other hubs know of heartbeats only to within some seconds.
    const { provider, watcher } = await watchedProvider({}, hub().first);
    for (const frame of [
      { type: 'heartbeat' },
      { type: 'unknown', id: 1 },
      { type: 'unsubscribe', id: 1, stream: 'none' },
      { type: 'withdraw', id: 1 },
    ]) {
      await hub().advance(10_000);
      provider.socket.send(frame);
      await provider.socket.any();
      const seen = await provider.seen();
      const now = hub().clock.wall();
      assert.equal(seen?.updated_at, new Date(now).toISOString());
      assert.equal(seen.expires_at, new Date(now + 300_000).toISOString());
    }
    assert.deepEqual(await watcher.events(), []);
  });

  test('a pong that nobody asked for is a heartbeat too', async () => {
    const { provider } = await watchedProvider({ autoPong: false }, hub().first);
    await hub().advance(10_000);
    provider.socket.raw.pong();
    const now = new Date(hub().clock.wall()).toISOString();
    await eventually('the pong counts', async () => (await provider.seen())?.updated_at === now);
  });

  test('heartbeats keep an advertisement alive far beyond its 300 s', async () => {
    const { provider, watcher } = await watchedProvider();
    for (let minute = 0; minute < 11; minute += 1) {
      await hub().advance(60_000);
      await provider.socket.settle();
    }
    assert.equal((await provider.seen())?.status, 'live');
    assert.deepEqual(await watcher.events(), []);
  });

  test('a socket that closes without a withdrawal leaves a suspect at once', async () => {
    for (const end of ['close', 'terminate'] as const) {
      const { provider, watcher } = await watchedProvider();
      provider.socket[end]();
      assert.deepEqual(brief(await watcher.next()), [`updated ${provider.id} suspect`]);
      assert.equal((await provider.seen())?.status, 'suspect');
    }
  });

  test('a suspect that authenticates again is live again without advertising anew', async () => {
    const { provider, watcher } = await watchedProvider();
    const before = await provider.seen();
    provider.socket.terminate();
    await watcher.next();
    await hub().advance(250_000);
    const again = await provider.rejoin();
    assert.deepEqual(brief(await watcher.next()), [`updated ${provider.id} live`]);
    assert.equal(again.onFile?.status, 'live');
    assert.equal(again.onFile.created_at, before?.created_at);
    assert.equal(again.onFile.updated_at, new Date(hub().clock.wall()).toISOString());
    await hub().advance(60_000);
    assert.deepEqual(await watcher.events(), []);
  });

  test('a suspect expires 300 s after its last heartbeat, to within a second', async () => {
    const { provider, watcher } = await watchedProvider();
    await hub().advance(20_000);
    await provider.socket.settle();
    const heard = hub().clock.wall();
    await hub().advance(7_000);
    provider.socket.terminate();
    await watcher.next();
    assert.equal((await provider.seen())?.expires_at, new Date(heard + 300_000).toISOString());
    await hub().advance(heard + 299_800 - hub().clock.wall());
    assert.equal((await provider.seen())?.status, 'suspect');
    assert.deepEqual(await watcher.events(), []);
    await hub().advance(1_000);
    assert.equal(await provider.seen(), null);
    assert.deepEqual(brief(await watcher.events()), [`removed ${provider.id} expired`]);
  });

  test('a wall clock that jumps expires nobody', async () => {
    const { provider, watcher } = await watchedProvider();
    provider.socket.terminate();
    await watcher.next();
    hub().clock.jump(3_600_000);
    await hub().advance(2_000);
    assert.equal((await provider.seen())?.status, 'suspect');
    hub().clock.jump(-3_600_000);
    await hub().advance(2_000);
    assert.deepEqual(await watcher.events(), []);
  });

  test('time in which the hub stood still is not held against providers', async () => {
    const { provider, watcher } = await watchedProvider();
    provider.socket.terminate();
    await watcher.next();
    // No ticks, as when the process was stopped.
    hub().clock.advance(600_000);
    await hub().advance(200_000);
    assert.equal((await provider.seen())?.status, 'suspect');
    await hub().advance(101_000);
    assert.deepEqual(brief(await watcher.events()), [`removed ${provider.id} expired`]);
  });

  test('ten minutes in which the hub stood still close no session, no subscriber and no newcomer', async () => {
    const { provider, watcher } = await watchedProvider();
    const newcomer = await greet(hub(), codec);
    hub().clock.advance(600_000);
    await hub().advance(1_000);
    assert.deepEqual(await watcher.events(), []);
    assert.deepEqual(await provider.socket.settle(), []);
    assert.deepEqual(await newcomer.settle(), []);
    assert.equal((await provider.seen())?.status, 'live');
    newcomer.close();
  });

  test('after 2.5 intervals of silence the hub closes with 4504, and the provider is suspect at once', async () => {
    const { provider, watcher } = await watchedProvider({ autoPong: false });
    await hub().advance(74_800);
    assert.deepEqual(await watcher.events(), []);
    await hub().advance(400);
    await closesWith(provider.socket, 4504);
    assert.deepEqual(brief(await watcher.events()), [`updated ${provider.id} suspect`]);
  });

  test('a subscriber that is silent for so long is closed with 4504 too', async () => {
    const watcher = await Watcher.join(hub(), codec, { payments_network: unique() }, { autoPong: false });
    await hub().advance(75_200);
    assert.equal(await watcher.socket.closeCode(), 4504);
  });

  test('frames and pongs put the 2.5 intervals off', async () => {
    const { provider, watcher } = await watchedProvider({ autoPong: false });
    await hub().advance(70_000);
    await provider.socket.settle();
    await hub().advance(70_000);
    provider.socket.raw.pong();
    const now = new Date(hub().clock.wall()).toISOString();
    await eventually('the pong counts', async () => (await provider.seen())?.updated_at === now);
    await hub().advance(70_000);
    assert.deepEqual(await provider.socket.settle(), []);
    assert.deepEqual(await watcher.events(), []);
  });

  test('withdraw removes the advertisement and leaves the session open', async () => {
    const { provider, watcher, filter } = await watchedProvider();
    const before = await provider.seen();
    provider.socket.send(provider.withdrawFrame());
    assert.deepEqual(await provider.socket.next('withdrawn'), { type: 'withdrawn', id: 3 });
    assert.deepEqual(brief(await watcher.events()), [`removed ${provider.id} withdrawn`]);
    assert.equal(await provider.seen(), null);

    await hub().advance(1_000);
    const again = await provider.advertise(filter);
    assert.notEqual(again.created_at, before?.created_at, 'after a removal it is a new one');
    assert.deepEqual(brief(await watcher.events()), [`added ${provider.id} live`]);
  });

  test('a socket that closes after a withdrawal makes no event', async () => {
    const { provider, watcher } = await watchedProvider();
    await provider.withdraw();
    await watcher.events();
    provider.socket.terminate();
    const other = await provider.rejoin();
    await hub().advance(301_000);
    assert.equal(other.onFile, null);
    assert.deepEqual(await watcher.events(), []);
  });

  test('a session that never advertised leaves nothing behind', async () => {
    const watcher = await Watcher.join(hub(), codec);
    const provider = await Provider.join(hub(), codec);
    await provider.socket.settle();
    provider.socket.terminate();
    const again = await provider.rejoin();
    assert.equal(again.onFile, null);
    await watcher.events();
    assert.ok(!watcher.view.has(provider.id));
  });

  test('one connection can be provider and requestor at once', async () => {
    const { provider, watcher, filter } = await watchedProvider({}, hub().first);
    provider.socket.send({ type: 'subscribe', id: 9, filter });
    assert.equal((await provider.socket.next('subscribed'))['stream'], watcher.stream);
    await provider.socket.next('snapshot');
    provider.socket.send(provider.withdrawFrame());
    const frames = [await provider.socket.any(), await provider.socket.any()];
    assert.deepEqual(frames.map((frame) => frame['type']).sort(), ['events', 'withdrawn']);
  });

  test('what is posted over HTTP and over a session is one advertisement', async () => {
    const { provider, watcher, filter } = await watchedProvider();
    await hub().post(provider.key, provider.id, { ...(await provider.seen()), ...filter, name: 'by post' });
    assert.deepEqual(brief(await watcher.events()), [`updated ${provider.id} live`]);
    provider.socket.terminate();
    assert.deepEqual(brief(await watcher.next()), [`updated ${provider.id} suspect`]);
    await hub().delete(provider.key, provider.id);
    assert.deepEqual(brief(await watcher.next()), [`removed ${provider.id} withdrawn`]);
  });
});

forEachPair('the settings of sessions', (pair) => {
  const { codec } = pair;
  const hub = useHub(pair, { HEARTBEAT_SECONDS: '4', ADVERTISEMENT_EXPIRY_SECONDS: '20' });

  test('are announced, and the hub pings at every interval', async () => {
    const socket = await hub().connect(codec);
    const welcome = await socket.next('welcome');
    assert.deepEqual([welcome['heartbeat_seconds'], welcome['expiry_seconds']], [4, 20]);
    socket.send({ type: 'subscribe', id: 1, filter: {} });
    await socket.next('snapshot', ['subscribed']);
    let pings = 0;
    socket.raw.on('ping', () => (pings += 1));
    for (let interval = 1; interval <= 5; interval += 1) {
      await hub().advance(3_800);
      await socket.settle();
      assert.equal(pings, interval - 1);
      await hub().advance(200);
      await eventually('a ping comes', () => pings === interval);
    }
  });

  test('hold for silence and expiry', async () => {
    const watcher = await Watcher.join(hub(), codec);
    const provider = await Provider.join(hub(), codec, { autoPong: false });
    const { updated_at: from, expires_at: to } = await provider.advertise();
    assert.equal(Date.parse(to) - Date.parse(from), 20_000);
    await watcher.next();
    await hub().advance(9_800);
    assert.deepEqual(await watcher.events(), []);
    await hub().advance(400);
    assert.equal(await provider.socket.closeCode(), 4504);
    assert.deepEqual(brief(await watcher.events()), [`updated ${provider.id} suspect`]);
    await hub().advance(9_600);
    assert.deepEqual(await watcher.events(), []);
    await hub().advance(1_000);
    assert.deepEqual(brief(await watcher.events()), [`removed ${provider.id} expired`]);
  });
});
