import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { WebSocket } from 'ws';
import type { StartTransport } from '../../../src/gateway/transports/port.js';
import {
  answer,
  dial,
  Events,
  farewell,
  Hub,
  listening,
  RawClient,
  webSocket,
  type Peer,
} from './harness.js';

/** Fills what the system takes and then some: the peer must not be reading. */
function fill({ socket }: Peer): number {
  let frames = 1;
  while (socket.send(Buffer.alloc(65_536), true) === 'sent') frames++;
  return frames;
}

/** What the hub may expect of every transport when a connection ends, and when all do. */
export function conformsForClosing(start: StartTransport): void {
  for (const [how, end, code] of [
    ['with a code', (client: WebSocket) => client.close(4000, 'done'), 4000],
    ['without a code', (client: WebSocket) => client.close(), 1005],
    ['by cutting the connection', (client: WebSocket) => client.terminate(), 1006],
  ] as const) {
    test(`a client leaves ${how}: closed once`, async (t) => {
      const hub = new Hub();
      const transport = await listening(t, start, { upgrade: hub.upgrade });
      const { client, peer } = await dial(t, transport, hub);
      end(client);
      assert.equal(await peer.closed.next(), code);
      assert.equal(peer.socket.send(Buffer.from('x'), false), 'dropped');
      assert.equal(peer.socket.bufferedAmount, 0);
      peer.socket.ping();
      peer.socket.close(4400, 'late');
      peer.socket.terminate();
      await transport.close();
      assert.equal(peer.closed.seen.length, 1);
    });
  }

  test('the hub closes: the client learns code and reason, the hub hears it once and not within its call', async (t) => {
    const hub = new Hub();
    const transport = await listening(t, start, { upgrade: hub.upgrade });
    const { client, peer } = await dial(t, transport, hub);
    const bye = farewell(client);
    const last = once(client, 'message') as Promise<[Buffer]>;
    peer.socket.send(Buffer.from('last words'), false);
    peer.socket.close(4401, 'bye');
    assert.equal(peer.closed.seen.length, 0);
    assert.equal(peer.socket.send(Buffer.from('x'), false), 'dropped');
    peer.socket.close(4400, 'again');
    assert.equal((await last)[0].toString(), 'last words');
    assert.deepEqual(await bye, { code: 4401, reason: 'bye' });
    assert.equal(await peer.closed.next(), 4401);
    await transport.close();
    assert.equal(peer.closed.seen.length, 1);
  });

  test('a reason too long for a close frame is cut, at a character', async (t) => {
    const hub = new Hub();
    const transport = await listening(t, start, { upgrade: hub.upgrade });
    const { client, peer } = await dial(t, transport, hub);
    const bye = farewell(client);
    peer.socket.close(4400, `x${'ü'.repeat(100)}`);
    assert.deepEqual(await bye, { code: 4400, reason: `x${'ü'.repeat(61)}` });
  });

  test('the hub closes while the socket opens', async (t) => {
    const hub = new Hub('', ({ socket }) => socket.close(4503, 'full'));
    const transport = await listening(t, start, { upgrade: hub.upgrade });
    const client = webSocket(transport);
    assert.deepEqual(await farewell(client), { code: 4503, reason: 'full' });
    const { closed } = await hub.peers.next();
    assert.equal(await closed.next(), 4503);
  });

  test('the hub closes from within a message: later messages are not delivered', async (t) => {
    const messages: string[] = [];
    const closed = new Events<number>();
    const transport = await listening(t, start, {
      upgrade: () => ({
        accept: true,
        subprotocol: '',
        open: (socket) => ({
          message: (bytes) => {
            messages.push(Buffer.from(bytes).toString());
            socket.send(Buffer.from('answer'), false);
            socket.close(4401, 'no');
          },
          pinged: () => undefined,
          ponged: () => undefined,
          emptied: () => undefined,
          closed: (code) => closed.push(code),
        }),
      }),
    });
    const client = webSocket(transport);
    await once(client, 'open');
    const last = once(client, 'message') as Promise<[Buffer]>;
    const bye = farewell(client);
    client.send('first');
    client.send('second');
    assert.equal((await last)[0].toString(), 'answer');
    assert.equal((await bye).code, 4401);
    assert.equal(await closed.next(), 4401);
    assert.deepEqual(messages, ['first']);
    assert.equal(closed.seen.length, 1);
  });

  test('the hub cuts the connection', async (t) => {
    const hub = new Hub();
    const transport = await listening(t, start, { upgrade: hub.upgrade });
    const { client, peer } = await dial(t, transport, hub);
    const bye = farewell(client);
    peer.socket.terminate();
    assert.equal(peer.closed.seen.length, 0);
    peer.socket.terminate();
    assert.equal((await bye).code, 1006);
    assert.equal(await peer.closed.next(), 1006);
    assert.equal(peer.closed.seen.length, 1);
  });

  test('a close frame follows what is queued', async (t) => {
    const hub = new Hub();
    const transport = await listening(t, start, { upgrade: hub.upgrade });
    const { client, peer } = await dial(t, transport, hub);
    client.pause();
    const frames = fill(peer);
    peer.socket.close(4507, 'too slow');
    assert.equal(peer.socket.send(Buffer.from('x'), false), 'dropped');
    let received = 0;
    client.on('message', () => received++);
    const bye = farewell(client);
    client.resume();
    assert.deepEqual(await bye, { code: 4507, reason: 'too slow' });
    assert.equal(received, frames);
    assert.equal(await peer.closed.next(), 4507);
    assert.equal(peer.emptied.seen.length, 0);
  });

  test('a peer that never takes what is queued is cut, and so is one that never answers', async (t) => {
    const hub = new Hub();
    const transport = await listening(t, start, { upgrade: hub.upgrade });
    const stalled = await dial(t, transport, hub);
    const silent = await dial(t, transport, hub);
    stalled.client.pause();
    silent.client.pause();
    fill(stalled.peer);
    stalled.peer.socket.close(4507, 'too slow');
    silent.peer.socket.close(4401, 'bye');
    assert.equal(await stalled.peer.closed.next(), 4507);
    assert.equal(await silent.peer.closed.next(), 4401);
    // A frame sent to a connection that is gone is answered with a reset.
    const knocking = setInterval(() => silent.client.ping(), 50);
    t.after(() => clearInterval(knocking));
    silent.client.on('error', () => undefined);
    await once(silent.client, 'close');
    assert.equal(stalled.peer.closed.seen.length, 1);
    assert.equal(silent.peer.closed.seen.length, 1);
  });

  test('a peer that pings without end and reads nothing is cut', async (t) => {
    const hub = new Hub();
    const transport = await listening(t, start, { upgrade: hub.upgrade });
    const { client, peer } = await dial(t, transport, hub);
    client.on('error', () => undefined);
    client.pause();
    fill(peer);
    // The system may still find room for a little; not for this.
    peer.socket.send(Buffer.alloc(16 * 1024 * 1024), true);
    for (let i = 0; i < 100; i++) client.ping();
    assert.equal(await peer.closed.next(), 1006);
  });

  test('the port and its address: taken, refused, dual-stack', async (t) => {
    const transport = await listening(t, start, { request: ({ peerAddress }) => answer(peerAddress) });
    assert.ok(transport.port > 0);
    const again = listening(t, start, {}, { host: '127.0.0.1', port: transport.port });
    await assert.rejects(again, (error: Error) => {
      assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${transport.port}.*in use.*another port`));
      return true;
    });
    const nowhere = listening(t, start, {}, { host: '192.0.2.1', port: 0 });
    await assert.rejects(nowhere, /192\.0\.2\.1:0: this machine has no such address/);
    const dual = await listening(
      t,
      start,
      { request: ({ peerAddress }) => answer(peerAddress) },
      { host: '::', port: 0 },
    );
    assert.equal((await new RawClient(t, dual.port, '127.0.0.1').get('/')).body, '127.0.0.1');
    assert.equal((await new RawClient(t, dual.port, '::1').get('/')).body, '::1');
  });

  test('stopListening refuses new connections and keeps the open ones; close cuts all', async (t) => {
    const hub = new Hub();
    const transport = await listening(t, start, {
      upgrade: hub.upgrade,
      request: ({ path }) => (path === '/never' ? new Promise(() => undefined) : answer('hello')),
    });
    const { client, peer } = await dial(t, transport, hub);
    const idle = new RawClient(t, transport.port);
    await idle.get('/');
    transport.stopListening();
    transport.stopListening();

    const late = new RawClient(t, transport.port);
    late.socket.removeAllListeners('error');
    const [error] = (await once(late.socket, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED');
    assert.equal((await idle.get('/')).body, 'hello');
    client.send('still here');
    assert.equal((await peer.messages.next()).bytes.toString(), 'still here');

    const waiting = new RawClient(t, transport.port, '127.0.0.1');
    await waiting.closed;
    idle.send('GET /never HTTP/1.1', 'Host: hub');
    const bye = farewell(client);
    await transport.close();
    assert.deepEqual(peer.closed.seen, [1006]);
    assert.equal((await bye).code, 1006);
    await idle.closed;
    await transport.close();
    transport.stopListening();
    assert.deepEqual(peer.closed.seen, [1006]);
  });

  test('one connection more than there may be is closed at once, whatever the others are; a place that is free again is taken', async (t) => {
    const hub = new Hub();
    const address = { host: '127.0.0.1', port: 0 };
    const transport = await listening(t, start, { upgrade: hub.upgrade }, address, { maxConnections: 3 });
    const { client, peer } = await dial(t, transport, hub);
    const plain = new RawClient(t, transport.port);
    assert.equal((await plain.get('/')).status, 200);
    const idle = new RawClient(t, transport.port);
    await once(idle.socket, 'connect');
    for (const refused of [1, 2, 3]) {
      await new RawClient(t, transport.port).closed;
      assert.equal(transport.refused, refused);
    }
    assert.equal((await plain.get('/')).status, 200);
    client.send('still here');
    assert.equal((await peer.messages.next()).bytes.toString(), 'still here');

    client.terminate();
    await peer.closed.next();
    await dial(t, transport, hub);
    await new RawClient(t, transport.port).closed;
    assert.equal(transport.refused, 4);
  });

  test('the port is free again after close, also with connections open', async (t) => {
    const hub = new Hub();
    // A port that the system picks is not marked for reuse, so this is how one with a number starts.
    const free = await listening(t, start, {});
    const { port } = free;
    await free.close();
    const first = await listening(t, start, { upgrade: hub.upgrade }, { host: '127.0.0.1', port });
    await dial(t, first, hub);
    await first.close();
    const second = await listening(t, start, {}, { host: '127.0.0.1', port: first.port });
    assert.equal((await new RawClient(t, second.port).get('/')).body, 'hello');
  });
}
