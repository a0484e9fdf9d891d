import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, test, type TestContext } from 'node:test';
import { TICK_MS } from '../../../src/lib/clock.js';
import { LEAST_PROGRESS } from '../../../src/gateway/outgoing/long-bodies.js';
import type { BodySource } from '../../../src/protocol/http-message.js';
import { serveGateway } from '../../support/hubs/behind-transport.js';
import { FakeClock } from '../../support/fake-clock.js';
import { GatewayWorld } from '../../support/hubs/gateway.js';
import { TRANSPORTS, type TransportName } from '../../support/hubs/test-hub.js';

const PATIENCE_MS = 15_000;
const PART = Buffer.alloc(64 * 1024, 'x');
/** More than the system holds for a reader. */
const PARTS = 1024;

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!holds()) {
    assert.ok(Date.now() < deadline, `it never came true that ${what}`);
    await nextTurn();
  }
}

/** A gateway behind a real transport, where every request is answered by a long body. */
class Lists {
  readonly clock = new FakeClock();
  readonly world = new GatewayWorld(this.clock, { maxLongBodiesPerAddress: 2 });
  closed = 0;
  port = 0;
  readonly #t: TestContext;

  private constructor(t: TestContext) {
    this.#t = t;
  }

  static async start(t: TestContext, name: TransportName): Promise<Lists> {
    const lists = new Lists(t);
    lists.port = await serveGateway(t, name, { gateway: lists.world.gateway, clock: lists.clock }, () => ({
      status: 200,
      headers: {},
      body: '',
      source: lists.#body(),
    }));
    return lists;
  }

  #body(): BodySource {
    let left = PARTS;
    return {
      bytes: PARTS * PART.length,
      next: () => (left-- > 0 ? PART : null),
      close: () => void (this.closed += 1),
    };
  }

  get size(): number {
    return this.world.gateway.longBodies.size;
  }

  /** Asks, and reads no more than the head unless told to. */
  async get(from: string, method = 'GET'): Promise<{ socket: Socket; head: string; received: () => number }> {
    const socket = connect({ port: this.port, host: '127.0.0.1' });
    this.#t.after(() => socket.destroy());
    let received = 0;
    let head = '';
    socket.on('error', () => undefined);
    socket.write(`${method} / HTTP/1.1\r\nHost: hub\r\nX-Forwarded-For: ${from}\r\n\r\n`);
    socket.on('data', (bytes: Buffer) => {
      if (head === '') {
        head = bytes.toString('latin1');
        socket.pause();
      }
      received += bytes.length;
    });
    await until('it is answered', () => head !== '');
    return { socket, head, received: () => received };
  }

  /** In ticks: all at once, it would count as a stall of the hub. */
  advance(ms: number): void {
    for (let passed = 0; passed < ms; passed += TICK_MS) {
      this.clock.advance(TICK_MS);
      this.world.registry.tick();
      this.world.gateway.tick();
    }
  }
}

for (const name of TRANSPORTS)
  describe(`bodies that are read part by part (${name})`, () => {
    test('slow readers of one address leave the places of others', async (t) => {
      const lists = await Lists.start(t, name);
      const first = await lists.get('198.51.100.1');
      await lists.get('198.51.100.1');
      const refused = await lists.get('198.51.100.1');
      assert.match(refused.head, /^HTTP\/1\.1 503 [^]*\r\nRetry-After: 5\r\n[^]*ADV_003/);
      assert.equal(lists.closed, 1, 'what was refused is given back');
      assert.match((await lists.get('198.51.100.2')).head, /^HTTP\/1\.1 200 /);
      assert.match((await lists.get('198.51.100.2', 'HEAD')).head, /^HTTP\/1\.1 200 /);
      assert.equal(lists.size, 3, 'nobody reads the answer to HEAD');
      first.socket.destroy();
      await until('its place is free', () => lists.size === 2);
      assert.match((await lists.get('198.51.100.1')).head, /^HTTP\/1\.1 200 /);
    });

    test('who takes less than 32 KiB a second is cut, and gives its place back; who reads is not', async (t) => {
      const lists = await Lists.start(t, name);
      const slow = await lists.get('198.51.100.1');
      const reading = await lists.get('198.51.100.2');
      let isCut = false;
      slow.socket.once('close', () => (isCut = true));
      // A first part is taken by the system.
      for (let times = 0; times < 2; times += 1) {
        const before = reading.received();
        reading.socket.resume();
        await until('it has read', () => reading.received() > before + 8 * LEAST_PROGRESS.bytes);
        reading.socket.pause();
        lists.advance(LEAST_PROGRESS.ms);
      }
      await until('only one is left', () => lists.size === 1);
      assert.equal(lists.closed, 1);
      slow.socket.resume();
      await until('it is cut', () => isCut);
      assert.ok(slow.received() < PARTS * PART.length);
      reading.socket.resume();
      await until('it has all', () => reading.received() > PARTS * PART.length);
    });
  });
