import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertError as assertErrorAnswer, LIST } from '../../support/clients/http.js';
import { TestKey } from '../../support/data/keys.js';
import { type Answer, TestHub } from '../../support/hubs/test-hub.js';
import type { TestSocket } from '../../support/clients/test-socket.js';
import {
  closesWith,
  eventually,
  greet,
  greetWithNonce,
  Provider,
  sessionFrame,
} from '../websocket-support.js';
import { Watcher } from '../websocket-watcher.js';

const DRAIN_SECONDS = 5;

// Both codecs once: a drain does not look at what is said.
const PAIRS = [
  { transport: 'uws', codec: 'msgpack' },
  { transport: 'node', codec: 'json' },
] as const;

for (const { transport, codec } of PAIRS)
  describe(`a hub that drains (${transport})`, () => {
    const start = async (): Promise<TestHub> =>
      (await TestHub.start({ TRANSPORT: transport, DRAIN_SECONDS: String(DRAIN_SECONDS) })).first;

    /** Lets the rest of the drain pass, and waits for the end of the hub. */
    async function finish(hub: TestHub, stopped: Promise<void>): Promise<void> {
      await hub.advance(DRAIN_SECONDS * 1000 + 200);
      await stopped;
      await hub.stop();
    }

    test('closes its connections evenly over the drain time, and ends when the last is closed', async () => {
      const hub = await start();
      const sockets = await Promise.all(Array.from({ length: 50 }, () => greet(hub, codec)));
      const codes: number[] = [];
      for (const socket of sockets) void socket.closed.then((code) => codes.push(code));
      let isOver = false;
      const stopped = hub.hub.stop().then(() => (isOver = true));
      for (let second = 0; second < DRAIN_SECONDS; second += 1) {
        const wanted = second * 10 + 1;
        await eventually(`${String(wanted)} are closed`, () => codes.length >= wanted);
        const open = sockets.filter(({ raw }) => raw.readyState === raw.OPEN);
        assert.equal(open.length, sockets.length - wanted);
        // Those that are open are served: each answers for itself.
        for (const socket of open) assert.deepEqual(await socket.settle(), []);
        await hub.advance(1000);
      }
      await stopped;
      assert.ok(isOver);
      assert.deepEqual(
        codes,
        Array.from(sockets, () => 4503),
      );
      await hub.stop();
    });

    test('is not waited for by those who are gone', async () => {
      const hub = await start();
      const sockets = await Promise.all(Array.from({ length: 5 }, () => greet(hub, codec)));
      const stopped = hub.hub.stop();
      for (const socket of sockets) socket.close();
      await eventually('all are gone', () => hub.hub.gateway.connections === 0);
      await hub.advance(200);
      await stopped;
      await hub.stop();
    });

    test('closes with 4503 whoever asks for something new, and greets nobody for long', async () => {
      const hub = await start();
      const closedFirst = await greet(hub, codec);
      const idle = await greetWithNonce(hub, codec);
      const subscriber = await Watcher.join(hub, codec);
      const unsubscriber = await Watcher.join(hub, codec);
      const advertiser = await Provider.join(hub, codec);
      const withdrawer = await Provider.join(hub, codec);
      await withdrawer.advertise();
      await unsubscriber.events();
      await subscriber.events();
      const stopped = hub.hub.stop();
      await closesWith(closedFirst, 4503);

      unsubscriber.socket.send({ type: 'unsubscribe', id: 1, stream: unsubscriber.stream });
      await unsubscriber.socket.next('unsubscribed');
      idle.socket.send(sessionFrame(hub, new TestKey(), idle.nonce));
      subscriber.socket.send({ type: 'subscribe', id: 2, filter: { cpu: 2 } });
      advertiser.socket.send(advertiser.advertiseFrame());
      withdrawer.socket.send(withdrawer.withdrawFrame());
      const refused: TestSocket[] = [idle.socket, subscriber.socket, advertiser.socket, withdrawer.socket];
      for (const socket of refused) await closesWith(socket, 4503);
      const late = await hub.connect(codec);
      assert.equal(await late.closeCode(), 4503);

      assert.deepEqual(await unsubscriber.socket.settle(), []);
      assert.equal((await withdrawer.seen())?.status, 'live');
      assert.equal(await advertiser.seen(), null);
      await finish(hub, stopped);
    });

    test('keeps sessions and streams going that are still open, and calls nobody a suspect', async () => {
      const hub = await start();
      const first = await Provider.join(hub, codec);
      await first.advertise();
      const provider = await Provider.join(hub, codec);
      await provider.advertise();
      const watcher = await Watcher.join(hub, codec);
      const before = (await provider.seen())!.updated_at;
      const stopped = hub.hub.stop();
      await closesWith(first.socket, 4503);
      await hub.advance(1000);
      assert.deepEqual(await provider.socket.settle(), []);
      assert.ok((await provider.seen())!.updated_at > before, 'a heartbeat counts');
      assert.deepEqual(await watcher.socket.settle(), []);
      assert.equal((await first.seen())?.status, 'live');
      await finish(hub, stopped);
      assert.equal(await provider.socket.closeCode(), 4503);
      assert.equal(await watcher.socket.closeCode(), 4503);
    });

    test('answers reads, is degraded, and refuses writes with the time to come back', async () => {
      const hub = await start();
      const key = new TestKey();
      assert.equal((await hub.post(key)).status, 200);
      // As long as somebody is connected there is something to wait for.
      await Promise.all([greet(hub, codec), greet(hub, codec)]);
      const stopped = hub.hub.stop();
      for (const refused of [await hub.post(key), await hub.delete(key)] as Answer<unknown>[]) {
        assertErrorAnswer(refused, 503, 'ADV_001', /stopping/);
        assert.match(refused.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
      }
      const health = await hub.get<{ status: string }>('/health');
      assert.deepEqual([health.status, health.body.status], [503, 'degraded']);
      const list = await hub.get<unknown[]>(LIST);
      assert.deepEqual([list.status, list.body.length], [200, 1]);
      await finish(hub, stopped);
      await assert.rejects(hub.get('/health'), 'it listens no more');
    });
  });
