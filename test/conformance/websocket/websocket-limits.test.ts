import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestHub } from '../../support/hubs/test-hub.js';
import type { TestSocket } from '../../support/clients/test-socket.js';
import {
  assertError,
  assertServes,
  closesWith,
  forEachPair,
  greet,
  Provider,
  refused,
  unique,
  useHub,
} from '../websocket-support.js';
import { brief, Watcher } from '../websocket-watcher.js';

forEachPair('a connection that neither authenticates nor subscribes', (pair) => {
  const { codec } = pair;
  const hub = useHub(pair);

  test('is closed with 4408 after 10 s', async () => {
    const socket = await greet(hub(), codec);
    await hub().advance(9_800);
    assert.deepEqual(await socket.settle(), []);
    await hub().advance(600);
    await closesWith(socket, 4408);
  });

  test('is not helped by heartbeats, pings, or requests that are refused', async () => {
    const key = await Provider.join(hub(), codec);
    const socket = await greet(hub(), codec);
    for (let second = 0; second < 9; second += 1) {
      await hub().advance(1_000);
      socket.raw.ping();
      await refused(socket, { type: 'subscribe', id: 1, filter: { cpu: 0 } }, 'ADV_002');
      await refused(socket, { type: 'authenticate', id: 1 }, 'WS_001');
      await refused(socket, key.advertiseFrame(), 'WS_002');
      await refused(socket, { type: 'unsubscribe', id: 1, stream: 'none' }, 'WS_001');
    }
    await hub().advance(1_400);
    await closesWith(socket, 4408);
  });

  test('is not closed once it has done either, even when it unsubscribes again', async () => {
    const provider = await Provider.join(hub(), codec);
    const watcher = await Watcher.join(hub(), codec, { payments_network: unique() });
    const former = await Watcher.join(hub(), codec, { payments_network: unique() });
    former.socket.send({ type: 'unsubscribe', id: 1, stream: former.stream });
    await former.socket.next('unsubscribed');
    await hub().advance(15_000);
    for (const { socket } of [provider, watcher, former]) assert.deepEqual(await socket.settle(), []);
  });

  test('may take all of the 10 s', async () => {
    const socket = await greet(hub(), codec);
    await hub().advance(9_800);
    socket.send({ type: 'subscribe', id: 1, filter: { payments_network: unique() } });
    await socket.next('subscribed');
    await hub().advance(5_000);
    assert.equal((await socket.settle()).length, 1);
  });
});

forEachPair('the message rate', (pair) => {
  const { codec } = pair;
  const hub = useHub(pair, { MESSAGES_PER_MINUTE: '12' });

  async function spend(socket: TestSocket, count: number): Promise<void> {
    for (let sent = 0; sent < count; sent += 1) assert.deepEqual(await socket.settle(), []);
  }

  test('is what one connection may send in a minute; one message more is closed with 4529', async () => {
    const socket = await greet(hub(), codec);
    await spend(socket, 12);
    socket.send({ type: 'heartbeat' });
    await closesWith(socket, 4529);
    await assertServes(hub(), codec);
  });

  test('counts what is refused, too', async () => {
    const socket = await greet(hub(), codec);
    for (let sent = 0; sent < 12; sent += 1) socket.send({ type: 'nonsense', id: sent });
    for (let sent = 0; sent < 12; sent += 1) assertError(await socket.next('error'), 'WS_001', sent);
    socket.send({ type: 'nonsense', id: 12 });
    await closesWith(socket, 4529);
  });

  test('comes back with time', async () => {
    const provider = await Provider.join(hub(), codec);
    await spend(provider.socket, 11);
    await hub().advance(60_000);
    await spend(provider.socket, 12);
    provider.socket.send({ type: 'heartbeat' });
    assert.equal(await provider.socket.closeCode(), 4529);
  });

  test('is each connection its own', async () => {
    const first = await Watcher.join(hub(), codec, { payments_network: unique() });
    const second = await greet(hub(), codec);
    await spend(first.socket, 11);
    await spend(second, 12);
  });

  test('leaves a suspect when a provider exceeds it', async () => {
    const filter = { payments_network: unique() };
    const provider = await Provider.join(hub(), codec);
    await provider.advertise(filter);
    const watcher = await Watcher.join(hub(), codec, filter);
    for (let sent = 0; sent < 11; sent += 1) provider.socket.send({ type: 'heartbeat' });
    assert.equal(await provider.socket.closeCode(), 4529);
    assert.deepEqual(brief(await watcher.events()), [`updated ${provider.id} suspect`]);
  });
});

forEachPair('the number of subscriptions', (pair) => {
  const { codec } = pair;
  const hub = useHub(pair, { MAX_SUBSCRIPTIONS: '3' });

  test('is limited for each connection: one more is WS_003, and those before go on', async () => {
    const network = unique();
    const socket = await greet(hub(), codec);
    const streams: string[] = [];
    const subscribe = async (cpu: number): Promise<void> => {
      socket.send({ type: 'subscribe', id: cpu, filter: { cpu, payments_network: network } });
      streams.push((await socket.next('subscribed'))['stream'] as string);
      await socket.next('snapshot');
    };
    for (let cpu = 1; cpu <= 3; cpu += 1) await subscribe(cpu);
    await refused(socket, { type: 'subscribe', id: 'more', filter: { cpu: 4 } }, 'WS_003');
    await refused(socket, { type: 'subscribe', id: 'wrong', filter: { cpu: 0 } }, 'ADV_002');
    // One that is there already is not one more.
    await subscribe(2);

    const provider = await Provider.join(hub(), codec);
    await provider.advertise({ payments_network: network });
    assert.equal((await socket.settle()).length, 3);
    socket.send({ type: 'unsubscribe', id: 1, stream: streams[0] });
    await socket.next('unsubscribed');
    await subscribe(5);
    await refused(socket, { type: 'subscribe', id: 'more', filter: { cpu: 4 } }, 'WS_003');
    const other = await greet(hub(), codec);
    other.send({ type: 'subscribe', id: 1, filter: { cpu: 4 } });
    await other.next('subscribed');
  });
});

forEachPair('a hub that stops', (pair) => {
  const { codec, transport } = pair;

  test('closes every connection with 4503, and calls nobody a suspect', async () => {
    const hub = await TestHub.start({ TRANSPORT: transport });
    const provider = await Provider.join(hub, codec);
    await provider.advertise();
    const watcher = await Watcher.join(hub, codec);
    const idle = await greet(hub, codec);
    const stopped = hub.hub.stop();
    for (const socket of [provider.socket, watcher.socket, idle]) await closesWith(socket, 4503);
    await assert.rejects(hub.connect(codec));
    await stopped;
    await hub.stop();
  });

  test('has another epoch when it runs again, so that nobody resumes across', async () => {
    const first = await TestHub.start({ TRANSPORT: transport });
    const position = (await Watcher.join(first, codec)).position;
    const [second] = await Promise.all([TestHub.start({ TRANSPORT: transport }), first.stop()]);
    const watcher = await Watcher.join(second, codec, {}, { resume: position });
    assert.equal(watcher.resumed, false);
    assert.notEqual(watcher.cursor.split(':')[0], position.cursor.split(':')[0]);
    await second.stop();
  });

  test('answers what it had taken on before, or closes', async () => {
    const hub = await TestHub.start({ TRANSPORT: transport });
    const provider = await Provider.join(hub, codec);
    for (let sent = 0; sent < 5; sent += 1)
      provider.socket.send(provider.advertiseFrame({ name: String(sent) }));
    await provider.socket.next('advertised');
    const stopped = hub.hub.stop();
    assert.equal(await provider.socket.closeCode(), 4503);
    for (const frame of provider.socket.frames) assert.equal(frame['type'], 'advertised');
    await stopped;
    await hub.stop();
  });
});
