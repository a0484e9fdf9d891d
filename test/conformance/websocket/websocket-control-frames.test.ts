import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { TestSocket } from '../../support/clients/test-socket.js';
import { assertServes, closesWith, forEachPair, greet, unique, useHub } from '../websocket-support.js';

/** What the hub takes from one connection in a minute. */
const LIMIT = 12;
const HEARTBEAT_MS = 2000;

forEachPair('control frames', (pair) => {
  const { codec } = pair;
  const hub = useHub(pair, { MESSAGES_PER_MINUTE: String(LIMIT), HEARTBEAT_SECONDS: '2' });

  const subscriber = async (): Promise<TestSocket> => {
    const socket = await greet(hub(), codec);
    socket.send({ type: 'subscribe', id: 1, filter: { payments_network: unique() } });
    await socket.next('subscribed');
    await socket.next('snapshot');
    return socket;
  };

  for (const kind of ['ping', 'pong'] as const) {
    test(`a ${kind} that nobody asked for counts as a message, and one too many is closed with 4529`, async () => {
      const socket = await subscriber();
      // Of the limit, the subscription took one, and so does the heartbeat that shows what has been heard.
      for (let sent = 0; sent < LIMIT - 2; sent += 1) socket.raw[kind]();
      assert.deepEqual(await socket.settle(), []);
      socket.raw[kind]();
      await closesWith(socket, 4529);
      await assertServes(hub(), codec);
    });
  }

  test('a flood of pings is closed with 4529, however much of it comes at once', async () => {
    const socket = await subscriber();
    socket.cork();
    for (let sent = 0; sent < 20_000; sent += 1) socket.raw.ping();
    socket.uncork();
    await closesWith(socket, 4529);
    await assertServes(hub(), codec);
  });

  test('answers to the hub’s own pings do not count, however many there are', async () => {
    const socket = await subscriber();
    for (let answered = 0; answered < 3 * LIMIT; answered += 1) {
      const ping = once(socket.raw, 'ping');
      await hub().advance(HEARTBEAT_MS);
      await ping;
    }
    socket.send({ type: 'heartbeat' });
    await socket.next('heartbeat');
  });
});
