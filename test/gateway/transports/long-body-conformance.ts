import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import type { StartTransport } from '../../../src/gateway/transports/port.js';
import type { BodySource } from '../../../src/protocol/http-message.js';
import { answer, listening, RawClient, webRequest } from './harness.js';

const PART_BYTES = 100_000;

/** A body whose parts are told apart, and which notes what is done with it. */
class Numbers implements BodySource {
  readonly bytes: number;
  given = 0;
  closes = 0;
  readonly #parts: number;
  readonly #failsAt: number;

  constructor(parts: number, failsAt = Number.POSITIVE_INFINITY) {
    this.#parts = parts;
    this.#failsAt = failsAt;
    this.bytes = parts * PART_BYTES;
  }

  next(): Uint8Array | null {
    assert.equal(this.closes, 0, 'it is not asked after it was closed');
    if (this.given === this.#failsAt) throw new Error('there is no more');
    if (this.given === this.#parts) return null;
    this.given += 1;
    return partOf(this.given);
  }

  close(): void {
    this.closes += 1;
  }
}

function partOf(number: number): Buffer {
  return Buffer.alloc(PART_BYTES, `${String(number)};`);
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!holds()) {
    assert.ok(Date.now() < deadline, `it never came true that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** What the hub may expect of every transport when a body comes in parts. */
export function conformsForLongBodies(start: StartTransport): void {
  test('a body in parts arrives whole, with its length, and the connection is kept', async (t) => {
    const sources: Numbers[] = [];
    const { port } = await listening(t, start, {
      request: ({ path }) => {
        if (path === '/short') return answer('short');
        const source = new Numbers(60);
        sources.push(source);
        const response = { ...answer('', { 'X-One': '1' }), source };
        return path === '/later' ? Promise.resolve(response) : response;
      },
    });
    for (const path of ['/', '/later']) {
      const call = webRequest({ port, path, agent: false }).end();
      const [response] = (await once(call, 'response')) as [IncomingMessage];
      assert.equal(response.headers['x-one'], '1');
      assert.equal(response.headers['content-length'], String(60 * PART_BYTES));
      const expected = Buffer.concat(Array.from({ length: 60 }, (_, index) => partOf(index + 1)));
      assert.ok((await buffer(response)).equals(expected));
    }
    const client = new RawClient(t, port);
    client.send('HEAD / HTTP/1.1', 'Host: hub');
    const head = await client.response(false);
    assert.equal(head.headers.get('content-length'), String(60 * PART_BYTES));
    assert.equal((await client.get('/')).body.length, 60 * PART_BYTES);
    assert.equal((await client.get('/short')).body, 'short');
    await until('all are closed', () => sources.every(({ closes }) => closes === 1));
    assert.deepEqual(
      sources.map(({ given }) => given),
      [60, 60, 0, 60],
    );
  });

  test('a peer that reads slowly is not read ahead for, and what is kept for it goes with it', async (t) => {
    const source = new Numbers(2000);
    const { port } = await listening(t, start, {
      request: ({ path }) => (path === '/long' ? { ...answer(''), source } : answer('hello')),
    });
    const slow = new RawClient(t, port);
    slow.socket.pause();
    slow.send('GET /long HTTP/1.1', 'Host: hub');
    await until('it has begun', () => source.given > 0);
    let given = 0;
    // Others are served all the while; once nothing more is asked for, the system's buffers are full.
    for (let same = 0; same < 50; same = source.given === given ? same + 1 : 0) {
      given = source.given;
      assert.equal((await new RawClient(t, port).get('/')).body, 'hello');
    }
    assert.ok(given < 400, `${given} of 2000 parts were made for nobody`);
    assert.equal(source.closes, 0);
    slow.reset();
    await until('it is closed', () => source.closes === 1);
  });

  test('a peer that reads on gets the rest, however often it was waited for', async (t) => {
    const warnings: Error[] = [];
    const warned = (warning: Error): void => void warnings.push(warning);
    process.on('warning', warned);
    t.after(() => process.off('warning', warned));
    const source = new Numbers(600);
    const { port } = await listening(t, start, { request: () => ({ ...answer(''), source }) });
    const call = webRequest({ port, path: '/', agent: false }).end();
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) {
      chunks.push(chunk as Buffer);
      if (chunks.length % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const expected = Buffer.concat(Array.from({ length: 600 }, (_, index) => partOf(index + 1)));
    assert.ok(Buffer.concat(chunks).equals(expected));
    assert.deepEqual(warnings, [], 'no listener is left behind each time');
  });

  test('a body that cannot be gone on with ends the connection, not the process', async (t) => {
    const sources = [new Numbers(50, 20), new Numbers(50, 0)];
    let next = 0;
    const { port } = await listening(t, start, {
      request: ({ path }) => {
        if (path !== '/long') return answer('hello');
        next += 1;
        return { ...answer(''), source: sources[next - 1]! };
      },
    });
    for (const source of sources) {
      const client = new RawClient(t, port);
      client.send('GET /long HTTP/1.1', 'Host: hub');
      await client.closed;
      await until('it is closed', () => source.closes === 1);
    }
    assert.equal((await new RawClient(t, port).get('/')).body, 'hello');
  });
}
