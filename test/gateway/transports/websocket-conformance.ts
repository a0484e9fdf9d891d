import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { StartTransport, UpgradeDecision } from '../../../src/gateway/transports/port.js';
import { answer, dial, Events, farewell, Hub, listening, OPTIONS, RawClient, webSocket } from './harness.js';

const LIMIT = OPTIONS.maxMessageBytes;
const HANDSHAKE = [
  `GET ${OPTIONS.websocketPath}?x=1 HTTP/1.1`,
  'Host: hub',
  'Connection: keep-alive, Upgrade',
  'Upgrade: WebSocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

/** What the hub may expect of every transport's handshakes and messages. */
export function conformsForWebSocket(name: 'uws' | 'node', start: StartTransport): void {
  test('a handshake is accepted, at once or later, with the chosen subprotocol alone', async (t) => {
    const hub = new Hub('b.v1');
    const decisions = new Events<(decision: UpgradeDecision) => void>();
    const { port } = await listening(t, start, {
      upgrade: (request) => {
        if (request.headers.get('x-when') !== 'later') return hub.upgrade(request);
        return new Promise((resolve) => decisions.push(resolve)).then(() => hub.upgrade(request));
      },
    });
    for (const when of ['now', 'later']) {
      const client = new RawClient(t, port);
      client.send(
        ...HANDSHAKE,
        `X-When: ${when}`,
        'Sec-WebSocket-Protocol: a.v1, b.v1',
        'Sec-WebSocket-Extensions: permessage-deflate',
      );
      if (when === 'later') (await decisions.next())({ accept: false, response: answer('') });
      const accepted = await client.response(false);
      assert.equal(accepted.status, 101);
      assert.equal(accepted.headers.get('upgrade'), 'websocket');
      assert.equal(accepted.headers.get('connection')?.toLowerCase(), 'upgrade');
      assert.equal(accepted.headers.get('sec-websocket-accept'), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
      assert.equal(accepted.headers.get('sec-websocket-protocol'), 'b.v1');
      assert.equal(accepted.headers.has('sec-websocket-extensions'), false);
      const { socket } = await hub.peers.next();
      assert.equal(socket.peerAddress, '127.0.0.1');
    }
    assert.equal(hub.requests[0]?.path, OPTIONS.websocketPath);
    assert.equal(hub.requests[0].search, 'x=1');
    assert.equal(hub.requests[0].headers.get('sec-websocket-protocol'), 'a.v1, b.v1');
  });

  test('no subprotocol is confirmed unless one is chosen', async (t) => {
    const { port } = await listening(t, start, { upgrade: new Hub().upgrade });
    const client = new RawClient(t, port);
    client.send(...HANDSHAKE, 'Sec-WebSocket-Protocol: a.v1, b.v1');
    assert.equal((await client.response(false)).headers.has('sec-websocket-protocol'), false);
  });

  test('a refused handshake gets the response, and the connection is closed', async (t) => {
    const decision: UpgradeDecision = {
      accept: false,
      response: answer('not you', { 'X-Why': 'because' }, 403),
    };
    const { port } = await listening(t, start, {
      upgrade: ({ search }) => {
        if (search === 'throws') throw new Error('broken');
        if (search === 'rejects') return Promise.reject(new Error('broken'));
        return search === 'later' ? Promise.resolve(decision) : decision;
      },
    });
    for (const search of ['now', 'later', 'throws', 'rejects']) {
      const client = new RawClient(t, port);
      client.send(`GET ${OPTIONS.websocketPath}?${search} HTTP/1.1`, ...HANDSHAKE.slice(1));
      const refused = await client.response();
      if (search === 'now' || search === 'later') {
        assert.equal(refused.status, 403);
        assert.equal(refused.headers.get('x-why'), 'because');
        assert.equal(refused.body, 'not you');
      } else {
        assert.equal(refused.status, 500);
      }
      assert.equal(refused.headers.get('connection'), 'close');
      await client.closed;
    }
  });

  test('a malformed handshake is refused before the hub is asked', async (t) => {
    const { port } = await listening(t, start, { upgrade: () => assert.fail('malformed') });
    for (const [from, to] of [
      [/^Sec-WebSocket-Version.*/, 'Sec-WebSocket-Version: 8'],
      [/^Sec-WebSocket-Version.*/, 'X-None: 1'],
      [/^Sec-WebSocket-Key.*/, 'Sec-WebSocket-Key: short=='],
      [/^Sec-WebSocket-Key.*/, 'Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!=='],
      [/^Sec-WebSocket-Key.*/, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZSE='],
      [/^Sec-WebSocket-Key.*/, 'X-None: 1'],
    ] as const) {
      const client = new RawClient(t, port);
      client.send(...HANDSHAKE.map((line) => line.replace(from, to)));
      const refused = await client.response();
      assert.equal(refused.status, 400, to);
      assert.equal(refused.headers.get('x-refused'), 'yes');
      assert.equal(
        refused.headers.get('sec-websocket-version'),
        from.source.includes('Version') ? '13' : undefined,
      );
      await client.closed;
    }
  });

  test('a client that is gone before the decision costs nothing', async (t) => {
    const hub = new Hub();
    const asked = new Events<() => void>();
    const transport = await listening(t, start, {
      upgrade: async (request) => {
        if (request.search === 'x=1') await new Promise<void>((resolve) => asked.push(resolve));
        return hub.upgrade(request);
      },
    });
    const client = new RawClient(t, transport.port);
    client.send(...HANDSHAKE);
    const decide = await asked.next();
    client.reset();
    await new RawClient(t, transport.port).get('/');
    decide();
    const { peer } = await dial(t, transport, hub);
    assert.equal(hub.peers.seen.length, 1);
    assert.equal(peer.closed.seen.length, 0);
  });

  test('text and binary messages pass both ways', async (t) => {
    const hub = new Hub();
    const transport = await listening(t, start, { upgrade: hub.upgrade });
    const { client, peer } = await dial(t, transport, hub);
    const sizes = [0, 1, 125, 126, 65_535, LIMIT];
    // What node:tls is given leaves a little later, whatever the system could take.
    const taken = name === 'node' && OPTIONS.tls !== null ? 'queued' : 'sent';
    for (const size of sizes) {
      const bytes = Buffer.alloc(size, 'x');
      for (const binary of [false, true]) {
        client.send(bytes, { binary });
        const got = await peer.messages.next();
        assert.equal(got.binary, binary);
        assert.ok(got.bytes.equals(bytes), `${size} bytes to the hub`);
        const echo = once(client, 'message') as Promise<[Buffer, boolean]>;
        assert.equal(peer.socket.send(new Uint8Array(bytes), binary), taken);
        const [data, isBinary] = await echo;
        assert.equal(isBinary, binary);
        assert.ok(data.equals(bytes), `${size} bytes from the hub`);
      }
    }
    if (taken === 'queued') await peer.emptied.next();
    assert.equal(peer.socket.bufferedAmount, 0);
    client.send('one ', { fin: false });
    client.send('message', { fin: true });
    assert.equal((await peer.messages.next()).bytes.toString(), 'one message');
    for (let i = 0; i < 100; i++) client.send(String(i));
    for (let i = 0; i < 100; i++) assert.equal((await peer.messages.next()).bytes.toString(), String(i));
  });

  test('what is sent while the socket opens arrives first', async (t) => {
    const hub = new Hub('', ({ socket }) => void socket.send(Buffer.from('welcome'), false));
    const transport = await listening(t, start, { upgrade: hub.upgrade });
    const client = webSocket(transport);
    t.after(() => client.terminate());
    const [data] = (await once(client, 'message')) as [Buffer];
    assert.equal(data.toString(), 'welcome');
  });

  test('an over-long message reaches the hub, which can say why it closes', async (t) => {
    for (const [size, fragments] of [
      [LIMIT + 1, 1],
      [LIMIT + 4096, 1],
      [LIMIT + 4096, 16],
    ] as const) {
      const hub = new Hub();
      const transport = await listening(t, start, { upgrade: hub.upgrade });
      const { client, peer } = await dial(t, transport, hub);
      for (let i = 1; i <= fragments; i++)
        client.send(Buffer.alloc(size / fragments), { fin: i === fragments });
      assert.ok((await peer.messages.next()).bytes.length > LIMIT);
      const bye = farewell(client);
      peer.socket.close(1009, 'too big');
      assert.deepEqual(await bye, { code: 1009, reason: 'too big' });
      assert.equal(await peer.closed.next(), 1009);
    }
  });

  test('a message beyond all reason ends the connection', async (t) => {
    const hub = new Hub();
    const transport = await listening(t, start, { upgrade: hub.upgrade });
    const { client, peer } = await dial(t, transport, hub);
    client.on('error', () => undefined);
    const bye = farewell(client);
    client.send(Buffer.alloc(16 * LIMIT + 1));
    await peer.closed.next();
    const { code } = await bye;
    assert.equal(code, name === 'uws' ? 1006 : 1009);
    assert.equal(peer.messages.seen.length, 0);
    assert.equal(peer.closed.seen.length, 1);
  });

  test('a message that never ends is kept up to the limit and a little more, then the connection ends', async (t) => {
    const hub = new Hub();
    const transport = await listening(t, start, { upgrade: hub.upgrade });
    const { client, peer } = await dial(t, transport, hub);
    client.on('error', () => undefined);
    const bye = farewell(client);
    client.send(Buffer.alloc(LIMIT), { fin: false });
    client.ping();
    await peer.pinged.next();
    assert.equal(peer.closed.seen.length, 0, 'up to the limit it may still end');
    client.send(Buffer.alloc(2 * 4096), { fin: false });
    await peer.closed.next();
    assert.equal((await bye).code, name === 'uws' ? 1006 : 1009);
    assert.equal(peer.messages.seen.length, 0);
  });

  test('text that is not UTF-8 is the hub’s business where the library lets it', async (t) => {
    const hub = new Hub();
    const transport = await listening(t, start, { upgrade: hub.upgrade });
    const { client, peer } = await dial(t, transport, hub);
    client.on('error', () => undefined);
    client.send(Buffer.of(0xff, 0xfe), { binary: false });
    if (name === 'node') assert.deepEqual((await peer.messages.next()).bytes, Buffer.of(0xff, 0xfe));
    else assert.equal(await peer.closed.next(), 1006);
  });

  test('pings and pongs reach the hub, and are told apart', async (t) => {
    const hub = new Hub();
    const transport = await listening(t, start, { upgrade: hub.upgrade });
    const { client, peer } = await dial(t, transport, hub);
    const pong = once(client, 'pong') as Promise<[Buffer]>;
    client.ping('are you there');
    assert.equal((await pong)[0].toString(), 'are you there');
    await peer.pinged.next();
    client.pong();
    await peer.ponged.next();
    const ping = once(client, 'ping');
    peer.socket.ping();
    await ping;
    await peer.ponged.next();
    assert.equal(peer.messages.seen.length, 0);
  });

  // Over node:tls every frame waits, so that fewer of them show as much.
  const manySmall = name === 'node' && OPTIONS.tls !== null ? 1024 * 1024 : 8 * 1024 * 1024;
  for (const [size, total] of [
    [64 * 1024, 32 * 1024 * 1024],
    [100, manySmall],
  ] as const) {
    test(`a slow reader gets frames of ${size} bytes in full and in order`, async (t) => {
      const hub = new Hub();
      const transport = await listening(t, start, { upgrade: hub.upgrade });
      const { client, peer } = await dial(t, transport, hub);
      const count = Math.ceil(total / size);
      client.pause();
      let received = 0;
      const all = new Promise<void>((resolve) => {
        client.on('message', (data: Buffer) => {
          if (data.length !== size || data.readUInt32BE(0) !== received) client.terminate();
          if (++received === count) resolve();
        });
      });
      let sent = 0;
      let queued = 0;
      while (sent < count) {
        const frame = Buffer.alloc(size, sent % 251);
        frame.writeUInt32BE(sent++, 0);
        const result = peer.socket.send(frame, true);
        assert.notEqual(result, 'dropped');
        if (result === 'sent') continue;
        assert.ok(peer.socket.bufferedAmount > 0);
        if (queued++ === 0) client.resume();
        await peer.emptied.next();
        assert.equal(peer.socket.bufferedAmount, 0);
      }
      assert.ok(queued > 0, 'never queued');
      await all;
      assert.equal(received, count);
      assert.equal(peer.emptied.seen.length, queued);
    });

    test(`emptied follows although it is answered with more frames of ${size} bytes at once`, async (t) => {
      let sent = 0;
      const count = Math.ceil(total / size);
      const fill = (socket: { send(bytes: Uint8Array, binary: boolean): string }): void => {
        while (sent < count) if ((sent++, socket.send(Buffer.alloc(size), true)) !== 'sent') return;
      };
      const hub = new Hub();
      const transport = await listening(t, start, {
        upgrade: () => ({
          accept: true,
          subprotocol: '',
          open: (socket) => ({ ...hub.open(socket), emptied: () => fill(socket) }),
        }),
      });
      const { client, peer } = await dial(t, transport, hub);
      client.pause();
      let received = 0;
      const all = new Promise<void>((resolve) => {
        client.on('message', () => {
          if (++received === count) resolve();
        });
      });
      fill(peer.socket);
      assert.ok(sent < count, 'never queued');
      client.resume();
      await all;
    });
  }
}
