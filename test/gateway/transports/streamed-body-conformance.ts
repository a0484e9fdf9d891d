import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BodyStream, BodyStreamHandler, StreamedBody } from '../../../src/protocol/http-message.js';
import type { StartTransport } from '../../../src/gateway/transports/port.js';
import { answer, Events, listening, RawClient } from './harness.js';

/** A body that the test fills, and which notes what it is told. */
class Feed implements StreamedBody, BodyStreamHandler {
  readonly streams = new Events<BodyStream>();
  readonly empties = new Events<true>();
  readonly ends = new Events<true>();
  unread = 0;
  readonly #opened: (stream: BodyStream) => void;

  constructor(opened: (stream: BodyStream) => void = () => undefined) {
    this.#opened = opened;
  }

  open(stream: BodyStream): BodyStreamHandler {
    this.streams.push(stream);
    this.#opened(stream);
    return this;
  }

  close(): void {
    this.unread += 1;
  }

  emptied(): void {
    this.empties.push(true);
  }

  closed(): void {
    this.ends.push(true);
  }
}

/** The next chunk of a chunked body. What ends a chunk may come with the next one. */
async function chunk(client: RawClient): Promise<string> {
  let line = await client.until('\r\n');
  if (line === '\r\n') line = await client.until('\r\n');
  return client.exactly(parseInt(line, 16));
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!holds()) {
    assert.ok(Date.now() < deadline, `it never came true that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const bytes = (text: string): Buffer => Buffer.from(text);

/** What the hub may expect of every transport when a body has no length that is known. */
export function conformsForStreamedBodies(name: 'uws' | 'node', start: StartTransport): void {
  for (const [when, settle] of [
    ['at once', <T>(value: T): T | Promise<T> => value],
    ['later', <T>(value: T): T | Promise<T> => Promise.resolve(value)],
  ] as const) {
    test(`a streamed body that is answered ${when} comes in chunks, and the connection is kept`, async (t) => {
      const feed = new Feed((stream) => void stream.send(bytes('first\n')));
      const { port } = await listening(t, start, {
        request: ({ path }) =>
          path === '/feed' ? settle({ ...answer('', { 'X-One': '1' }), stream: feed }) : answer('hello'),
      });
      const client = new RawClient(t, port);
      client.send('GET /feed HTTP/1.1', 'Host: hub');
      const head = await client.response(false);
      assert.equal(head.status, 200);
      assert.equal(head.headers.get('x-one'), '1');
      assert.equal(head.headers.get('transfer-encoding'), 'chunked');
      assert.equal(head.headers.get('content-length'), undefined);
      const stream = await feed.streams.next();
      assert.equal(await chunk(client), 'first\n');
      assert.notEqual(stream.send(new Uint8Array(0)), 'dropped', 'nothing is no end');
      stream.send(bytes('second\n'));
      assert.equal(await chunk(client), 'second\n');
      stream.send(bytes('last\n'));
      stream.end();
      assert.equal(feed.ends.seen.length, 0, 'not from within');
      assert.equal(stream.send(bytes('late\n')), 'dropped');
      stream.end();
      assert.equal(await chunk(client), 'last\n');
      assert.equal(await client.until('0\r\n\r\n'), '\r\n0\r\n\r\n');
      await feed.ends.next();
      assert.equal(stream.bufferedAmount, 0);
      assert.equal((await client.get('/')).body, 'hello');
      stream.terminate();
      assert.equal((await client.get('/')).body, 'hello', 'calls after the end are ignored');
      assert.equal(feed.ends.seen.length, 1);
      assert.equal(feed.unread, 0);
    });
  }

  test('HEAD has the head of a streamed body, which nobody fills', async (t) => {
    const feed = new Feed();
    const { port } = await listening(t, start, {
      request: ({ path }) => (path === '/feed' ? { ...answer(''), stream: feed } : answer('hello')),
    });
    const client = new RawClient(t, port);
    client.send('HEAD /feed HTTP/1.1', 'Host: hub');
    const head = await client.response(false);
    assert.equal(head.status, 200);
    assert.equal(head.headers.get('content-length'), undefined);
    assert.equal((await client.get('/')).body, 'hello');
    assert.deepEqual([feed.unread, feed.streams.seen.length], [1, 0]);
  });

  if (name === 'node') {
    test('HTTP/1.0 gets a streamed body as it is, until the connection ends', async (t) => {
      const feed = new Feed((stream) => {
        stream.send(bytes('all of it\n'));
        stream.end();
      });
      const { port } = await listening(t, start, { request: () => ({ ...answer(''), stream: feed }) });
      const client = new RawClient(t, port);
      client.send('GET /feed HTTP/1.0');
      const head = await client.response(false);
      assert.equal(head.headers.get('transfer-encoding'), undefined);
      assert.equal(await client.until('\n'), 'all of it\n');
      await client.closed;
      await feed.ends.next();
    });
  }

  test('a reader that does not read is waited for, and gets everything in order once it reads', async (t) => {
    const feed = new Feed();
    const { port } = await listening(t, start, { request: () => ({ ...answer(''), stream: feed }) });
    const client = new RawClient(t, port);
    client.socket.pause();
    client.send('GET /feed HTTP/1.1', 'Host: hub');
    const stream = await feed.streams.next();
    const lines = (from: number): Buffer =>
      bytes(Array.from({ length: 8192 }, (_, at) => String(from + at).padStart(15, '0')).join('\n') + '\n');
    let sent = 0;
    // What fits into the system is taken in turns of its own; behind that, it stays.
    for (let same = 0; same < 50;) {
      const before = stream.bufferedAmount;
      if (before < 1_000_000) {
        stream.send(lines(sent));
        sent += 8192;
      }
      await new Promise(setImmediate);
      same = stream.bufferedAmount === before && before >= 1_000_000 ? same + 1 : 0;
    }
    stream.end();
    client.socket.resume();
    const pieces: string[] = [];
    await client.response(false);
    for (let length = -1; length !== 0;) {
      length = parseInt(await client.until('\r\n'), 16);
      pieces.push(await client.exactly(length));
      await client.until('\r\n');
    }
    const received = pieces.join('').split('\n');
    assert.equal(received.length - 1, sent);
    for (let at = 0; at < sent; at += 1) assert.equal(Number(received[at]), at);
    await feed.ends.next();
  });

  test('whoever fills a body is told once all that waited was taken, also with nothing more to send', async (t) => {
    const feed = new Feed();
    const { port } = await listening(t, start, { request: () => ({ ...answer(''), stream: feed }) });
    const client = new RawClient(t, port);
    client.socket.pause();
    client.send('GET /feed HTTP/1.1', 'Host: hub');
    const stream = await feed.streams.next();
    while (stream.bufferedAmount < 4_000_000) {
      stream.send(Buffer.alloc(65_536, 'x'));
      await new Promise(setImmediate);
    }
    const told = feed.empties.seen.length;
    client.socket.resume();
    await until('it is told', () => feed.empties.seen.length > told);
    assert.equal(stream.bufferedAmount, 0);
    stream.send(bytes('!\n'));
    await client.until('!\n');
  });

  test('a reader that goes is noticed, while it is written to and while it is quiet', async (t) => {
    for (const speaks of [true, false]) {
      const feed = new Feed((stream) => void stream.send(bytes('first\n')));
      const { port } = await listening(t, start, { request: () => ({ ...answer(''), stream: feed }) });
      const client = new RawClient(t, port);
      client.send('GET /feed HTTP/1.1', 'Host: hub');
      await client.until('first\n');
      const stream = await feed.streams.next();
      if (speaks) client.reset();
      else client.socket.end();
      if (speaks) stream.send(bytes('second\n'));
      await feed.ends.next();
      assert.equal(stream.send(bytes('late\n')), 'dropped');
      assert.equal(feed.ends.seen.length, 1);
    }
  });

  test('what was promised to a reader that goes before is given back', async (t) => {
    const feed = new Feed();
    let sourceCloses = 0;
    const source = { bytes: 1, next: () => null, close: () => void (sourceCloses += 1) };
    const asked = new Events<true>();
    const gate: (() => void)[] = [];
    const { port } = await listening(t, start, {
      request: async ({ path }) => {
        if (path === '/') return answer('hello');
        asked.push(true);
        await new Promise<void>((resolve) => gate.push(resolve));
        return path === '/feed' ? { ...answer(''), stream: feed } : { ...answer(''), source };
      },
    });
    for (const path of ['/feed', '/long']) {
      const client = new RawClient(t, port);
      client.send(`GET ${path} HTTP/1.1`, 'Host: hub');
      await asked.next();
      client.reset();
      await client.closed;
    }
    // The system tells of connections in the order in which they ended.
    for (let turn = 0; turn < 3; turn += 1)
      assert.equal((await new RawClient(t, port).get('/')).body, 'hello');
    for (const open of gate) open();
    await until('both are given back', () => feed.unread === 1 && sourceCloses === 1);
    assert.equal(feed.streams.seen.length, 0);
  });

  test('a body that is cut ends without its last chunk', async (t) => {
    const feed = new Feed((stream) => void stream.send(bytes('first\n')));
    const { port } = await listening(t, start, { request: () => ({ ...answer(''), stream: feed }) });
    const client = new RawClient(t, port);
    client.send('GET /feed HTTP/1.1', 'Host: hub');
    await client.until('first\n');
    const stream = await feed.streams.next();
    stream.terminate();
    assert.equal(feed.ends.seen.length, 0, 'not from within');
    await client.closed;
    await feed.ends.next();
    await assert.rejects(client.until('0\r\n\r\n'));
  });

  test('closing the transport ends what is read', async (t) => {
    const feed = new Feed((stream) => void stream.send(bytes('first\n')));
    const transport = await listening(t, start, { request: () => ({ ...answer(''), stream: feed }) });
    const client = new RawClient(t, transport.port);
    client.send('GET /feed HTTP/1.1', 'Host: hub');
    await client.until('first\n');
    await transport.close();
    await feed.ends.next();
    assert.equal(feed.ends.seen.length, 1);
  });
}
