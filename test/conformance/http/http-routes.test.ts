import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertError, itemPath, LIST, onBothTransports } from '../../support/clients/http.js';
import { TestKey } from '../../support/data/keys.js';
import { exchange, RawClient, rawRequest } from '../../support/clients/raw-http.js';

const METHODS = ['GET', 'POST', 'DELETE', 'PUT', 'PATCH'] as const;

/** What can be done where, as the contract says. */
const ROUTES: readonly { path: string; methods: readonly string[] }[] = [
  { path: LIST, methods: ['GET', 'POST'] },
  { path: `${LIST}/routed`, methods: ['GET', 'DELETE'] },
  { path: `${LIST}/routed/proof`, methods: ['GET'] },
  { path: '/health', methods: ['GET'] },
  { path: '/metrics', methods: ['GET'] },
  { path: '/api/v1/openapi.json', methods: ['GET'] },
  { path: '/api/v1/asyncapi.json', methods: ['GET'] },
  { path: '/docs', methods: ['GET'] },
  { path: '/api/v1/ws', methods: ['GET'] },
];
/** Everything that a plain GET is answered with 200. */
const READS = ROUTES.map(({ path }) => path).filter((path) => path !== '/api/v1/ws');

onBothTransports('routes', {}, (hub) => {
  const advertise = async (): Promise<void> => {
    const key = TestKey.fromSeed('11'.repeat(32));
    assert.equal((await hub().post(key, 'routed')).status, 200);
  };

  test('every read of the contract is there', async () => {
    await advertise();
    for (const path of READS) {
      const response = await fetch(hub().url + path);
      assert.equal(response.status, 200, path);
      assert.notEqual(await response.text(), '');
    }
  });

  test('an unknown path is a 404 that says where things are', async () => {
    for (const path of [
      '/',
      '/api',
      '/api/v1',
      '/api/v1/',
      '/api/v1/advertisement',
      '/api/v1/advertisements/',
      '/api/v1/advertisements/routed/',
      '/api/v1/advertisements/routed/proofs',
      '/api/v1/advertisements/routed/proof/',
      '/api/v1/advertisements/a/b/c',
      '/api/v1/advertisements//proof',
      '/api/v2/advertisements',
      '/API/v1/advertisements',
      '//api/v1/advertisements',
      '/api//v1/advertisements',
      '/health/',
      '/Health',
      '/healthz',
      '/metrics/x',
      '/docs/',
      '/docs/index.html',
      '/docs/swagger-ui.css/x',
      '/favicon.ico',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/api/v1/openapi.yaml',
    ]) {
      for (const method of ['GET', 'POST', 'DELETE']) {
        const answer = await hub().request(method, path);
        assertError(answer, 404, 'HTTP_404', /\/api\/v1\/advertisements/);
      }
    }
  });

  test('paths that climb, which browsers would tidy up first, lead nowhere', async () => {
    for (const target of [
      '/docs/../health',
      '/docs/../../package.json',
      '/./health',
      '/docs/..%2f..%2fpackage.json',
    ]) {
      assertError(await exchange(hub().hub.port, rawRequest('GET', target)), 404, 'HTTP_404');
    }
  });

  test('a query changes nothing where none is asked for', async () => {
    for (const path of READS.filter((read) => read !== LIST)) {
      const response = await fetch(`${hub().url}${path}?x=1&y`);
      assert.equal(response.status, 200, path);
      await response.arrayBuffer();
    }
  });

  test('another method than the possible ones is a 405 that names them', async () => {
    for (const { path, methods } of ROUTES) {
      for (const method of [...METHODS.filter((known) => !methods.includes(known)), 'PROPFIND', 'TRACE']) {
        const answer = await exchange(hub().hub.port, rawRequest(method, path));
        assertError(answer, 405, 'HTTP_405', new RegExp(method));
        const allow = (answer.headers.get('allow') ?? '').split(', ').sort();
        assert.deepEqual(allow, [...methods, 'HEAD', 'OPTIONS'].sort(), path);
      }
    }
  });

  test('OPTIONS tells pages that they may read, and nothing else', async () => {
    for (const { path, methods } of ROUTES) {
      const response = await fetch(hub().url + path, {
        method: 'OPTIONS',
        headers: { Origin: 'https://pages.example', 'Access-Control-Request-Method': 'GET' },
      });
      assert.equal(response.status, 204, path);
      assert.equal(response.headers.get('access-control-allow-origin'), '*');
      assert.deepEqual(
        (response.headers.get('allow') ?? '').split(', ').sort(),
        [...methods, 'HEAD', 'OPTIONS'].sort(),
      );
      const allowed = (response.headers.get('access-control-allow-methods') ?? '').split(', ');
      assert.ok(allowed.includes('GET'));
      assert.ok(!allowed.includes('POST') && !allowed.includes('DELETE'));
      assert.equal(response.headers.get('access-control-allow-credentials'), null);
    }
    assertError(await hub().request('OPTIONS', '/nowhere'), 404, 'HTTP_404');
  });

  test('pages from anywhere may read advertisements, with the headers that go with them', async () => {
    await advertise();
    for (const path of [
      LIST,
      `${LIST}?limit=1`,
      itemPath('routed'),
      `${itemPath('routed')}/proof`,
      '/health',
    ]) {
      const response = await fetch(hub().url + path, { headers: { Origin: 'https://pages.example' } });
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('access-control-allow-origin'), '*', path);
      const exposed = (response.headers.get('access-control-expose-headers') ?? '').toLowerCase();
      for (const header of ['link', 'x-discovery-cursor', 'retry-after'])
        assert.ok(exposed.includes(header), path);
      await response.arrayBuffer();
    }
  });

  test('HEAD has the headers of GET and no body', async () => {
    await advertise();
    const client = await RawClient.open(hub().hub.port);
    for (const path of [...READS, '/nowhere', itemPath('nobody'), `${LIST}?cpu=x`, '/api/v1/ws']) {
      await client.write(rawRequest('HEAD', path));
      const head = await client.answer(true);
      // Were there a body after all, it would be taken for the beginning of this answer.
      await client.write(rawRequest('GET', path));
      const get = await client.answer();
      assert.ok(head !== null && get !== null, path);
      assert.equal(head.status, get.status, path);
      assert.equal(head.headers.get('content-type'), get.headers.get('content-type'), path);
      assert.equal(head.headers.get('x-discovery-cursor'), get.headers.get('x-discovery-cursor'), path);
      if (path !== '/metrics') {
        assert.equal(head.headers.get('content-length'), get.headers.get('content-length'), path);
      }
      assert.equal(Buffer.byteLength(get.body), Number(get.headers.get('content-length')), path);
    }
    client.close();
  });

  test('answers are not to be cached, but for the files of the documentation', async () => {
    await advertise();
    for (const path of [LIST, itemPath('routed'), '/health', '/metrics', '/nowhere']) {
      const response = await fetch(hub().url + path);
      assert.equal(response.headers.get('cache-control'), 'no-store', path);
      await response.arrayBuffer();
    }
  });

  test('every answer is what it says it is, refusals included', async () => {
    await advertise();
    const port = hub().hub.port;
    const tooLong = [['Content-Length', '999999']] as const;
    const handshake = [
      ['Connection', 'Upgrade'],
      ['Upgrade', 'websocket'],
      ['Sec-WebSocket-Version', '13'],
      ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
      ['Sec-WebSocket-Protocol', 'unheard-of'],
    ] as const;
    for (const [method, target, headers] of [
      ['GET', LIST, []],
      ['GET', `${LIST}?nonsense=1`, []],
      ['GET', itemPath('routed'), []],
      ['GET', `${itemPath('routed')}/proof`, []],
      ['GET', '/api/v1/openapi.json', []],
      ['GET', '/health', []],
      ['GET', '/metrics', []],
      ['GET', '/nowhere', []],
      ['GET', '/api/v1/ws', []],
      ['GET', '/api/v1/ws', handshake],
      ['GET', '/api/v1/ws', handshake.slice(0, 2)],
      ['POST', LIST, []],
      ['POST', LIST, tooLong],
      ['PUT', LIST, []],
      ['DELETE', itemPath('routed'), []],
      ['OPTIONS', LIST, []],
    ] as const) {
      const client = await RawClient.open(port);
      await client.write(rawRequest(method, target, headers));
      const answer = await client.answer();
      client.close();
      const what = `${method} ${target} ${JSON.stringify(headers)}`;
      assert.equal(answer?.headers.get('x-content-type-options'), 'nosniff', what);
      if (answer.status === 204) continue;
      const type =
        target === '/metrics' ? /^text\/plain;.*charset=utf-8/ : /^application\/json; charset=utf-8$/;
      assert.match(answer.headers.get('content-type') ?? '', type, what);
    }
  });

  test('plain HTTP to the path of WebSockets is told what is there', async () => {
    assertError(await hub().get('/api/v1/ws'), 400, 'HTTP_400', /WebSocket/);
    for (const headers of [
      { Connection: 'Upgrade', Upgrade: 'h2c' },
      { Connection: 'keep-alive', Upgrade: 'websocket' },
    ]) {
      const request = rawRequest('GET', '/api/v1/ws', Object.entries(headers));
      assertError(await exchange(hub().hub.port, request), 400, 'HTTP_400');
    }
  });

  test('a handshake that is none, or offers only unknown subprotocols, is a 400', async () => {
    const upgrade: [string, string][] = [
      ['Connection', 'Upgrade'],
      ['Upgrade', 'websocket'],
    ];
    const key: [string, string] = ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='];
    const version: [string, string] = ['Sec-WebSocket-Version', '13'];
    const send = (headers: [string, string][]) =>
      exchange(hub().hub.port, rawRequest('GET', '/api/v1/ws', [...upgrade, ...headers]));
    assertError(await send([version]), 400, 'HTTP_400');
    assertError(await send([version, ['Sec-WebSocket-Key', 'short']]), 400, 'HTTP_400');
    assertError(await send([key]), 400, 'HTTP_400');
    assertError(await send([key, ['Sec-WebSocket-Version', '8']]), 400, 'HTTP_400');
    const unknown: [string, string] = ['Sec-WebSocket-Protocol', 'chat, vm-discovery.v2.json'];
    assertError(await send([key, version, unknown]), 400, 'HTTP_400', /vm-discovery\.v1/);
  });
});
