import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, test, type TestContext } from 'node:test';
import { TICK_MS } from '../../../src/lib/clock.js';
import type { GatewaySettings } from '../../../src/gateway/settings.js';
import type { BodyStream, HttpResponse } from '../../../src/protocol/http-message.js';
import { serveGateway } from '../../support/hubs/behind-transport.js';
import { FakeClock } from '../../support/fake-clock.js';
import { GatewayWorld } from '../../support/hubs/gateway.js';
import { SlowSocket } from '../../support/clients/slow-socket.js';
import { TRANSPORTS, type TransportName } from '../../support/hubs/test-hub.js';

const KB = 1024;
const PATIENCE_MS = 15_000;

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!holds()) {
    assert.ok(Date.now() < deadline, `it never came true that ${what}`);
    await nextTurn();
  }
}

/** A gateway behind a real transport, where every request is answered by a streamed body that the test fills. */
class Feeds {
  readonly clock = new FakeClock();
  readonly world: GatewayWorld;
  readonly streams: BodyStream[] = [];
  /** Bodies that nobody reads. */
  unread = 0;
  closed = 0;
  port = 0;
  readonly #t: TestContext;

  private constructor(t: TestContext, settings: Partial<GatewaySettings>) {
    this.#t = t;
    this.world = new GatewayWorld(this.clock, settings);
  }

  static async start(
    t: TestContext,
    name: TransportName,
    settings: Partial<GatewaySettings> = {},
  ): Promise<Feeds> {
    const feeds = new Feeds(t, settings);
    feeds.port = await serveGateway(t, name, { gateway: feeds.world.gateway, clock: feeds.clock }, () =>
      feeds.#answer(),
    );
    return feeds;
  }

  #answer(): HttpResponse {
    return {
      status: 200,
      headers: {},
      body: '',
      stream: {
        open: (stream) => {
          this.streams.push(stream);
          stream.send(Buffer.from('first\n'));
          return { emptied: () => undefined, closed: () => void (this.closed += 1) };
        },
        close: () => void (this.unread += 1),
      },
    };
  }

  get size(): number {
    return this.world.gateway.readers.size;
  }

  /** Asks, and has what comes collected. */
  get(method = 'GET'): { socket: Socket; text: () => string; isOver: () => boolean } {
    const socket = connect({ port: this.port, host: '127.0.0.1' });
    this.#t.after(() => socket.destroy());
    let text = '';
    let isOver = false;
    socket.setEncoding('latin1').on('data', (more: string) => (text += more));
    socket.on('error', () => undefined).on('close', () => (isOver = true));
    socket.write(`${method} / HTTP/1.1\r\nHost: hub\r\n\r\n`);
    return { socket, text: () => text, isOver: () => isOver };
  }

  /** Asks, and waits until the reader is served. */
  async read(): Promise<ReturnType<Feeds['get']>> {
    const reader = this.get();
    await until('it is served', () => reader.text().includes('first\n'));
    return reader;
  }

  /** Lets time pass in ticks: all at once, it would count as a stall of the hub. */
  advance(ms: number): void {
    for (let passed = 0; passed < ms; passed += TICK_MS) {
      this.clock.advance(TICK_MS);
      this.world.registry.tick();
      this.world.gateway.tick();
    }
  }
}

for (const name of TRANSPORTS)
  describe(`readers of streamed bodies (${name})`, () => {
    test('count for their address, together with its WebSockets, until they go', async (t) => {
      const feeds = await Feeds.start(t, name, { maxConnectionsPerAddress: 3 });
      const first = await feeds.read();
      await feeds.read();
      feeds.world.open(new SlowSocket('127.0.0.1'));
      const refused = feeds.get();
      await until('it is refused', () => refused.text().includes('RATE_002'));
      assert.match(refused.text(), /^HTTP\/1\.1 429 [^]*\r\nRetry-After: 60\r\n/);
      assert.equal(feeds.unread, 1, 'what was refused is given back');
      assert.throws(() => feeds.world.open(new SlowSocket('127.0.0.1')), /3 connections open already/);
      first.socket.destroy();
      await until('it is gone', () => feeds.size === 1);
      await feeds.read();
      assert.deepEqual(feeds.world.readerEnds, ['gone']);
    });

    test('count in all', async (t) => {
      const feeds = await Feeds.start(t, name, { maxConnections: 2 });
      await feeds.read();
      await feeds.read();
      const refused = feeds.get();
      await until('it is refused', () => refused.text().includes('ADV_003'));
      assert.match(refused.text(), /^HTTP\/1\.1 503 /);
      assert.equal(feeds.size, 2);
    });

    test('are not counted for HEAD', async (t) => {
      const feeds = await Feeds.start(t, name);
      const head = feeds.get('HEAD');
      await until('it is answered', () => head.text().endsWith('\r\n\r\n'));
      assert.deepEqual([feeds.size, feeds.unread], [0, 1]);
    });

    test('are ended properly within a drain, one after the other; nobody new is taken on', async (t) => {
      const feeds = await Feeds.start(t, name);
      const readers = [await feeds.read(), await feeds.read()];
      let isDrained = false;
      const drained = feeds.world.gateway.drain(1000).then(() => (isDrained = true));
      const ended = (): number => readers.filter((reader) => reader.text().endsWith('0\r\n\r\n')).length;
      await until('the first is ended', () => ended() === 1);
      assert.ok(!isDrained);
      const late = feeds.get();
      await until('it is refused', () => late.text().includes('the hub is stopping'));
      feeds.advance(1200);
      await drained;
      await until('all are ended', () => ended() === 2 && feeds.closed === 2);
      assert.equal(feeds.streams[1]!.send(Buffer.from('late')), 'dropped');
      assert.deepEqual(feeds.world.readerEnds, ['stopping', 'stopping']);
    });

    test('that stop reading are cut after bounded queued bytes', async (t) => {
      const feeds = await Feeds.start(t, name, { maxQueuedBytes: 1024 * KB });
      const slow = await feeds.read();
      slow.socket.pause();
      const stream = feeds.streams[0]!;
      let most = 0;
      while (stream.send(Buffer.alloc(64 * KB)) !== 'dropped') {
        most = Math.max(most, feeds.world.gateway.queuedBytes);
        await nextTurn();
      }
      assert.ok(most <= 1024 * KB, `${String(most)} bytes waited`);
      await until('it is gone', () => feeds.size === 0 && feeds.closed === 1);
      assert.deepEqual(feeds.world.readerEnds, ['slow']);
      assert.equal(feeds.world.gateway.queuedBytes, 0);
      assert.equal(feeds.world.gateway.backlog.bytes, 0);
    });

    test('that take nothing of much for 10 s are cut', async (t) => {
      const feeds = await Feeds.start(t, name);
      const slow = await feeds.read();
      slow.socket.pause();
      const stream = feeds.streams[0]!;
      while (stream.bufferedAmount < 1024 * KB) {
        stream.send(Buffer.alloc(64 * KB));
        await nextTurn();
      }
      // What the system still takes of it, it takes in these turns.
      for (let same = 0, before = -1; same < 50; before = stream.bufferedAmount) {
        await nextTurn();
        same = stream.bufferedAmount === before ? same + 1 : 0;
      }
      assert.ok(stream.bufferedAmount > 256 * KB);
      feeds.advance(9_000);
      assert.equal(feeds.size, 1);
      feeds.advance(2_000);
      await until('it is gone', () => feeds.size === 0);
      assert.deepEqual(feeds.world.readerEnds, ['slow']);
    });

    test('are ended by whoever fills the body', async (t) => {
      const feeds = await Feeds.start(t, name);
      const reader = await feeds.read();
      feeds.streams[0]!.end();
      await until('it is ended', () => reader.text().endsWith('0\r\n\r\n') && feeds.closed === 1);
      assert.deepEqual([feeds.size, feeds.world.readerEnds], [0, ['ended']]);
    });
  });
