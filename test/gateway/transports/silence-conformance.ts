import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket as NetSocket } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { StartTransport, Transport } from '../../../src/gateway/transports/port.js';
import { answer, dial, Hub, listening, RawClient } from './harness.js';

const MOST = 8;
const HERE = { host: '127.0.0.1', port: 0 };
const EVERYWHERE = { host: '0.0.0.0', port: 0 };

/** Connects and says nothing, not even the first word of a TLS handshake. */
function silent(t: TestContext, { port }: Transport): NetSocket {
  const socket = connect({ port, host: '127.0.0.1' });
  t.after(() => socket.destroy());
  socket.on('error', () => undefined).resume();
  return socket;
}

/** What the hub may expect of every transport about connections that ask for nothing. */
export function conformsForSilence(start: StartTransport): void {
  test('silent connections of one address take no place of another, nor all of their own', async (t) => {
    const transport = await listening(t, start, {}, EVERYWHERE, {
      maxConnections: 20,
      maxSilentPerAddress: MOST,
    });
    let open = 700;
    const refused = new Promise<void>((resolve) => {
      for (let count = 0; count < 700; count += 1) {
        silent(t, transport).once('close', () => {
          open -= 1;
          if (open === MOST) resolve();
        });
      }
    });
    await refused;
    assert.equal(transport.refused, 700 - MOST);
    for (let newcomer = 0; newcomer < 30; newcomer += 1) {
      const client = new RawClient(t, transport.port, '127.0.0.1', '127.0.0.2');
      assert.equal((await client.get('/')).body, 'hello');
      client.reset();
      await client.closed;
    }
    assert.equal(open, MOST);
  });

  test('whoever has sent a request is not silent, whatever becomes of it, nor is a WebSocket', async (t) => {
    const hub = new Hub();
    const handler = {
      upgrade: hub.upgrade,
      request: ({ path }: { path: string }) =>
        path === '/later' ? new Promise<void>(setImmediate).then(() => answer('later')) : answer('hello'),
    };
    const transport = await listening(t, start, handler, HERE, { maxSilentPerAddress: 1 });
    for (let count = 0; count < 5; count += 1) {
      await dial(t, transport, hub);
      const client = new RawClient(t, transport.port);
      assert.equal((await client.get(count % 2 === 0 ? '/' : '/later')).status, 200);
      const writer = new RawClient(t, transport.port);
      writer.send('POST / HTTP/1.1', 'Host: hub', 'Content-Length: 99999');
      assert.equal((await writer.response()).status, 413);
    }
    assert.equal(transport.refused, 0);
  });

  test('a silent connection that goes, in the middle of a request too, makes room', async (t) => {
    const transport = await listening(t, start, {}, HERE, { maxSilentPerAddress: 1 });
    for (const begun of ['', 'GET / HT', 'POST / HTTP/1.1\r\nHost: hub\r\nContent-Length: 9\r\n\r\nabc']) {
      const client = new RawClient(t, transport.port);
      await once(client.socket, 'connect');
      client.socket.write(begun);
      client.socket.destroy();
      await client.closed;
      // The hub hears of it in its own time.
      for (;;) {
        const next = new RawClient(t, transport.port);
        const status = await next.get('/').then(
          (response) => response.status,
          () => null,
        );
        next.socket.destroy();
        if (status === 200) break;
      }
    }
  });

  test('a proxy stands for many, and may have as many silent connections as it likes', async (t) => {
    const transport = await listening(t, start, { clientOf: () => null }, HERE, { maxSilentPerAddress: 1 });
    for (let count = 0; count < 5; count += 1) await once(silent(t, transport), 'connect');
    assert.equal((await new RawClient(t, transport.port).get('/')).body, 'hello');
    assert.equal(transport.refused, 0);
  });
}
