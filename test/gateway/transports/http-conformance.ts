import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import type { HttpRequest, HttpResponse, StartTransport } from '../../../src/gateway/transports/port.js';
import { answer, Events, listening, OPTIONS, RawClient, webClient, webRequest } from './harness.js';

const LIMIT = OPTIONS.maxBodyBytes;

/** What the hub may expect of every transport's HTTP side. */
export function conformsForHttp(name: 'uws' | 'node', start: StartTransport): void {
  test('a request arrives as it was sent', async (t) => {
    const requests = new Events<HttpRequest>();
    const { port } = await listening(t, start, {
      // Who answers at once has to ask at once; who answers later may ask later.
      request: ({ method, path, search, headers, body, peerAddress }) => {
        requests.push({ method, path, search, headers, body, peerAddress, isGone: false });
        return answer('');
      },
    });
    const client = new RawClient(t, port);
    client.send(
      'DELETE /a%20b/%2F%c3%a9//?cpu=4&x=%20?y HTTP/1.1',
      'Host: hub.example:7465',
      'X-One: 1',
      'Authorization: first',
      'X-Forwarded-For: 10.0.0.1',
      'authorization:second',
      'x-forwarded-for:  10.0.0.2 , 10.0.0.3  ',
      'X-Empty:',
    );
    await client.response();
    const request = await requests.next();
    assert.equal(request.method, 'DELETE');
    assert.equal(request.path, '/a%20b/%2F%c3%a9//');
    assert.equal(request.search, 'cpu=4&x=%20?y');
    assert.equal(request.peerAddress, '127.0.0.1');
    assert.equal(request.body.length, 0);
    assert.deepEqual(Object.fromEntries(request.headers), {
      host: 'hub.example:7465',
      'x-one': '1',
      authorization: 'first, second',
      'x-forwarded-for': '10.0.0.1, 10.0.0.2 , 10.0.0.3',
      'x-empty': '',
    });

    for (const target of ['/plain', '/plain?']) {
      await client.get(target);
      const { path, search } = await requests.next();
      assert.deepEqual([path, search], ['/plain', '']);
    }
  });

  test('a request that is answered later can be read until then', async (t) => {
    const { port } = await listening(t, start, {
      request: async (request) => {
        await new Promise(setImmediate);
        const { method, path, search, headers, body, peerAddress } = request;
        return answer([method, path, search, headers.get('x-a'), body.length, peerAddress].join(' '));
      },
    });
    const client = new RawClient(t, port);
    assert.equal((await client.get('/p?q', 'X-A: b')).body, 'GET /p q b 0 127.0.0.1');
    client.socket.write('PUT /p?q HTTP/1.1\r\nHost: hub\r\nX-A: b\r\nContent-Length: 2\r\n\r\nok');
    assert.equal((await client.response()).body, 'PUT /p q b 2 127.0.0.1');
  });

  test('a request that is answered later says when its sender is gone', async (t) => {
    const requests = new Events<HttpRequest>();
    const answers: ((response: HttpResponse) => void)[] = [];
    const { port } = await listening(t, start, {
      request: (request) => {
        requests.push(request);
        return new Promise((resolve) => answers.push(resolve));
      },
    });
    t.after(() => answers.forEach((give) => give(answer(''))));
    const [patient, gone] = [new RawClient(t, port), new RawClient(t, port)];
    patient.send('GET /patient HTTP/1.1', 'Host: hub');
    const kept = await requests.next();
    gone.send('GET /gone HTTP/1.1', 'Host: hub');
    const lost = await requests.next();
    assert.deepEqual([kept.isGone, lost.isGone], [false, false]);
    gone.reset();
    while (!lost.isGone) await new Promise(setImmediate);
    assert.equal(kept.isGone, false);
  });

  test('bodies arrive whole, however they are cut', async (t) => {
    const { port } = await listening(t, start, {
      request: async ({ body }) => {
        await new Promise(setImmediate);
        return answer(`${body.length}:${Buffer.from(body).toString('latin1')}`);
      },
    });
    const client = new RawClient(t, port);
    client.socket.write('POST / HTTP/1.1\r\nHost: hub\r\nContent-Length: 5\r\n\r\nhe');
    client.socket.write('llo');
    assert.equal((await client.response()).body, '5:hello');
    client.send('POST / HTTP/1.1', 'Host: hub', 'Content-Length: 0');
    assert.equal((await client.response()).body, '0:');
    client.socket.write('POST / HTTP/1.1\r\nHost: hub\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n');
    client.socket.write('2\r\nlo\r\n');
    client.socket.write('0\r\n\r\n');
    assert.equal((await client.response()).body, '5:hello');
    const most = 'x'.repeat(LIMIT);
    client.socket.write(`POST / HTTP/1.1\r\nHost: hub\r\nContent-Length: ${LIMIT}\r\n\r\n${most}`);
    assert.equal((await client.response()).body, `${LIMIT}:${most}`);
  });

  test('a body over the limit is refused, and the connection closed', async (t) => {
    let served = 0;
    const { port } = await listening(t, start, { request: () => (served++, answer('')) });

    const announced = new RawClient(t, port);
    announced.send('POST / HTTP/1.1', 'Host: hub', `Content-Length: ${LIMIT + 1}`);
    const early = await announced.response();
    assert.equal(early.status, 413);
    assert.equal(early.headers.get('x-refused'), 'yes');
    assert.equal(early.headers.get('connection'), 'close');
    assert.equal((JSON.parse(early.body) as { status: number }).status, 413);
    await announced.closed;

    const endless = new RawClient(t, port);
    endless.send('POST / HTTP/1.1', 'Host: hub', 'Transfer-Encoding: chunked');
    const chunk = `1000\r\n${'x'.repeat(0x1000)}\r\n`;
    const flood = (): void => {
      while (!endless.socket.destroyed && endless.socket.write(chunk));
    };
    endless.socket.on('drain', flood);
    flood();
    assert.equal((await endless.response()).status, 413);
    await endless.closed;
    assert.equal(served, 0);
  });

  test('a client that sends too much still reads why', async (t) => {
    const { port } = await listening(t, start, {});
    for (const chunked of [false, true]) {
      const call = webRequest({ port, method: 'POST', agent: false });
      if (chunked) call.write(Buffer.alloc(LIMIT));
      call.end(Buffer.alloc(8 * LIMIT));
      const [response] = (await once(call, 'response')) as [{ statusCode: number; resume(): void }];
      assert.equal(response.statusCode, 413);
      response.resume();
    }
  });

  test('Expect: 100-continue is answered before the body', async (t) => {
    const { port } = await listening(t, start, { request: ({ body }) => answer(Buffer.from(body)) });
    const client = new RawClient(t, port);
    client.send('POST / HTTP/1.1', 'Host: hub', 'Content-Length: 2', 'Expect: 100-continue');
    assert.equal(await client.until('\r\n\r\n'), 'HTTP/1.1 100 Continue\r\n\r\n');
    client.socket.write('ok');
    assert.equal((await client.response()).body, 'ok');
    client.send('GET / HTTP/1.1', 'Host: hub', 'Expect: a-miracle');
    assert.equal((await client.response()).status, 200);
  });

  test('a response is sent as it was given', async (t) => {
    const { port } = await listening(t, start, {
      request: ({ path }) => {
        if (path === '/text') return answer('grüße €', { 'Content-Type': 'text/plain', 'X-A': 'b' }, 404);
        if (path === '/bytes') return answer(Uint8Array.of(0, 255, 10));
        if (path === '/none') return answer('', { 'X-A': 'b' }, 204);
        return answer('', { ETag: '"1"' }, 304);
      },
    });
    const client = new RawClient(t, port);
    const text = await client.get('/text');
    assert.equal(text.status, 404);
    assert.equal(text.headers.get('content-type'), 'text/plain');
    assert.equal(text.headers.get('x-a'), 'b');
    assert.equal(text.headers.get('content-length'), String(Buffer.byteLength('grüße €')));
    assert.equal(Buffer.from(text.body, 'latin1').toString(), 'grüße €');
    assert.equal((await client.get('/bytes')).body, '\x00\xff\n');
    for (const [path, status] of [
      ['/none', 204],
      ['/same', 304],
    ] as const) {
      const bare = await client.get(path);
      assert.equal(bare.status, status);
      assert.equal(bare.headers.has('content-length'), false);
      assert.equal(bare.headers.has('transfer-encoding'), false);
    }
    client.send('HEAD /text HTTP/1.1', 'Host: hub');
    const head = await client.response(false);
    assert.equal(head.status, 404);
    assert.equal(head.headers.get('content-length'), text.headers.get('content-length'));
    assert.equal((await client.get('/bytes')).body, '\x00\xff\n');
  });

  test('a large response arrives whole', async (t) => {
    const large = Buffer.alloc(8 * 1024 * 1024, 'abcdefg');
    const { port } = await listening(t, start, {
      request: ({ path }) => (path === '/later' ? Promise.resolve(answer(large)) : answer(large)),
    });
    for (const path of ['/', '/later']) {
      const call = webRequest({ port, path, agent: false }).end();
      const [response] = (await once(call, 'response')) as [IncomingMessage];
      assert.ok((await buffer(response)).equals(large));
    }
  });

  test('pipelined requests are answered in order', async (t) => {
    const { port } = await listening(t, start, {
      request: ({ path, body }) => answer(`${path} ${body.length}`),
    });
    const client = new RawClient(t, port);
    client.socket.write(
      'GET /1 HTTP/1.1\r\nHost: hub\r\n\r\n' +
        'POST /2 HTTP/1.1\r\nHost: hub\r\nContent-Length: 3\r\n\r\nabc' +
        'GET /3 HTTP/1.1\r\nHost: hub\r\n\r\n',
    );
    const bodies = [await client.response(), await client.response(), await client.response()];
    assert.deepEqual(
      bodies.map(({ body }) => body),
      ['/1 0', '/2 3', '/3 0'],
    );
  });

  test('an answer may end its connection, and what is pipelined behind it is not served', async (t) => {
    let served = 0;
    const { port } = await listening(t, start, {
      request: ({ path }) => {
        served += 1;
        return path === '/last' ? { ...answer('bye'), close: true } : answer('hello');
      },
    });
    const client = new RawClient(t, port);
    const request = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: hub\r\n\r\n`;
    client.socket.write(request('/last'));
    const last = await client.response();
    assert.deepEqual([last.body, last.headers.get('connection')], ['bye', 'close']);
    await client.closed;
    const pipelining = new RawClient(t, port);
    pipelining.socket.write(request('/') + request('/last') + request('/').repeat(1000));
    // uWebSockets.js cuts the connection with what it has not sent yet.
    if (name === 'node') {
      assert.equal((await pipelining.response()).body, 'hello');
      assert.equal((await pipelining.response()).body, 'bye');
    }
    await pipelining.closed;
    assert.equal(served, 3);
  });

  test('a connection is kept until the client says close', async (t) => {
    const { port } = await listening(t, start, {});
    const agent = new (webClient().Agent)({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    const ports = new Set<number | undefined>();
    for (let i = 0; i < 3; i++) {
      const call = webRequest({ port, agent }).end();
      const [response] = (await once(call, 'response')) as [NodeJS.ReadableStream];
      ports.add(call.socket?.localPort);
      await once(response.resume(), 'end');
    }
    assert.equal(ports.size, 1);
    const client = new RawClient(t, port);
    assert.equal((await client.get('/', 'Connection: close')).body, 'hello');
    await client.closed;
  });

  test('an answer for a client that has gone is discarded', async (t) => {
    const asked = new Events<(response: HttpResponse) => void>();
    const { port } = await listening(t, start, {
      request: ({ path }) =>
        path === '/slow' ? new Promise((resolve) => asked.push(resolve)) : answer('still here'),
    });
    for (const request of ['GET /slow HTTP/1.1', 'POST /slow HTTP/1.1\r\nContent-Length: 1']) {
      const client = new RawClient(t, port);
      client.socket.write(
        `${request}\r\nHost: hub\r\n\r\nx`.slice(0, request.startsWith('GET') ? -1 : undefined),
      );
      const resolve = await asked.next();
      client.reset();
      assert.equal((await new RawClient(t, port).get('/')).body, 'still here');
      resolve(answer('nobody hears'));
    }
    // And one that goes in the middle of its body.
    const half = new RawClient(t, port);
    half.send('POST /half HTTP/1.1', 'Host: hub', 'Content-Length: 100');
    half.reset();
    assert.equal((await new RawClient(t, port).get('/')).body, 'still here');
  });

  test('a handler that breaks its promises costs one answer, not the process', async (t) => {
    const { port } = await listening(t, start, {
      request: ({ path }) => {
        if (path === '/throws') throw new Error('broken');
        if (path === '/rejects') return Promise.reject(new Error('broken'));
        if (path === '/splits') return answer('x', { 'X-A': 'b\r\nSet-Cookie: c' });
        return answer('fine');
      },
    });
    const client = new RawClient(t, port);
    for (const path of ['/throws', '/rejects', '/splits']) {
      const response = await client.get(path);
      assert.equal(response.status, 500, path);
      assert.equal(response.headers.has('set-cookie'), false);
    }
    assert.equal((await new RawClient(t, port).get('/')).body, 'fine');
  });

  test('8 KiB of query pass, in pieces too; what is not HTTP ends the connection', async (t) => {
    const { port } = await listening(t, start, { request: ({ search }) => answer(String(search.length)) });
    const client = new RawClient(t, port);
    client.socket.setNoDelay(true);
    const head = `GET /?${'q'.repeat(8192)} HTTP/1.1\r\nHost: hub\r\n\r\n`;
    for (let at = 0; at < head.length; at += 1000) {
      await new Promise((resolve) => client.socket.write(head.slice(at, at + 1000), resolve));
    }
    assert.equal((await client.response()).body, '8192');

    // This one uWebSockets.js takes for an unfinished request, and cuts when its patience ends.
    const badName = 'GET / HTTP/1.1\r\nHost: hub\r\nBad Name: x\r\n\r\n';
    for (const broken of [
      ...(name === 'node' ? [badName] : []),
      `GET /?${'q'.repeat(20_000)} HTTP/1.1\r\nHost: hub\r\n\r\n`,
      'this is not HTTP\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: hub\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: hub\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: hub\r\nContent-Length: -1\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: hub\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      'CONNECT hub:1 HTTP/1.1\r\nHost: hub\r\n\r\n',
    ]) {
      const rude = new RawClient(t, port);
      rude.socket.write(broken);
      // uWebSockets.js says so in a page of its own, or says nothing.
      if (name === 'node') {
        const refusal = await rude.response();
        assert.equal(refusal.status, 400, broken.slice(0, 80));
        assert.equal(refusal.headers.get('x-refused'), 'yes');
      }
      await rude.closed;
    }
    assert.equal((await new RawClient(t, port).get('/?abc')).body, '3');
  });

  test('an Upgrade header elsewhere changes nothing', async (t) => {
    const { port } = await listening(t, start, {
      request: ({ method, path, body }) => answer(`${method} ${path} ${Buffer.from(body).toString()}`),
      upgrade: () => assert.fail('not a handshake'),
    });
    const client = new RawClient(t, port);
    const websocket = [
      'Host: hub',
      'Connection: keep-alive, Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ];
    const path = OPTIONS.websocketPath;
    client.send('GET /elsewhere HTTP/1.1', ...websocket);
    assert.equal((await client.response()).body, 'GET /elsewhere ');
    client.send(`GET ${path}/ HTTP/1.1`, ...websocket);
    assert.equal((await client.response()).body, `GET ${path}/ `);
    client.socket.write(`POST ${path} HTTP/1.1\r\n${websocket.join('\r\n')}\r\nContent-Length: 4\r\n\r\nbo`);
    client.socket.write('dy');
    assert.equal((await client.response()).body, `POST ${path} body`);
    client.send(`GET ${path} HTTP/1.1`, 'Host: hub');
    assert.equal((await client.response()).body, `GET ${path} `);
    client.send(`GET ${path} HTTP/1.1`, 'Host: hub', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c');
    assert.equal((await client.response()).body, `GET ${path} `);
    // Not asked for in Connection, so not asked for.
    client.send(`GET ${path} HTTP/1.1`, ...websocket.filter((line) => !line.startsWith('Connection')));
    assert.equal((await client.response()).body, `GET ${path} `);
  });

  test('a handshake behind an unanswered request ends the connection, not the process', async (t) => {
    const { port } = await listening(t, start, {
      request: ({ path }) => (path === '/slow' ? new Promise(() => undefined) : answer('fine')),
      upgrade: () => ({ accept: false, response: answer('no', {}, 403) }),
    });
    const slow = 'GET /slow HTTP/1.1\r\nHost: hub\r\n\r\n';
    const upgrade = 'Host: hub\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    for (const path of [OPTIONS.websocketPath, '/elsewhere']) {
      const client = new RawClient(t, port);
      client.socket.write(`${slow}GET ${path} HTTP/1.1\r\n${upgrade}`);
      await client.closed;
    }
    const client = new RawClient(t, port);
    client.socket.write(`GET / HTTP/1.1\r\n${upgrade}`.repeat(3));
    assert.equal((await client.response()).body, 'fine');
    assert.equal((await new RawClient(t, port).get('/')).body, 'fine');
  });
}
