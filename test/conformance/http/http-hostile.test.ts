import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import {
  assertError,
  itemPath,
  LIST,
  onBothTransports,
  type PublishedAdvertisement,
} from '../../support/clients/http.js';
import { TestKey } from '../../support/data/keys.js';
import { exchange, RawClient, rawRequest } from '../../support/clients/raw-http.js';
import { ADVERTISEMENT } from '../../support/hubs/test-hub.js';

onBothTransports('clients that mean harm', {}, (hub) => {
  const stillServes = async (): Promise<void> => {
    assert.equal((await hub().get('/health')).status, 200);
  };

  /** Everything that comes back until the connection ends, as it came. */
  const answerTo = async (bytes: string | Uint8Array): Promise<string> => {
    const client = await RawClient.open(hub().hub.port);
    await client.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    client.end();
    return client.closed();
  };

  test('hundreds of requests in one segment are all answered, in their order', async () => {
    const client = await RawClient.open(hub().hub.port);
    const paths = Array.from({ length: 500 }, (_, index) =>
      index % 3 === 0 ? `/nowhere-${String(index)}` : `${LIST}?limit=1`,
    );
    await client.write(Buffer.concat(paths.map((path) => rawRequest('GET', path))));
    for (const path of paths) {
      const answer = await client.answer();
      assert.ok(answer !== null);
      assert.equal(answer.status, path.startsWith('/nowhere') ? 404 : 200);
      if (answer.status === 404) assert.ok(answer.body.includes(path), path);
    }
    client.close();
  });

  test('encoded ids are decoded once, and never lead anywhere else', async () => {
    const key = new TestKey();
    const id = 'Some.One:1-a_b';
    assert.equal((await hub().post(key, id)).status, 200);
    for (const same of ['Some%2eOne%3A1-a_b', 'Some%2EOne%3a1%2Da%5Fb', '%53ome.One:1-a_b']) {
      const { status, body } = await exchange(hub().hub.port, rawRequest('GET', `${LIST}/${same}`));
      assert.deepEqual([status, (body as PublishedAdvertisement).provider_id], [200, id], same);
    }
    for (const other of [
      ...[
        `${id}%00`,
        `%00${id}`,
        `${id}%20`,
        `${id}%0a`,
        `${id}%0D%0A`,
        `${id}%2Fproof`,
        `${id}%2fproof`,
        `%2F${id}`,
      ],
      ...[
        'Some%252EOne:1-a_b',
        '%2553ome.One:1-a_b',
        'some.one:1-a_b',
        `${id};x`,
        `x%2F..%2F${id}`,
        `%2e%2e%2F${id}`,
      ],
      ...[
        '%E2%80%AE',
        '%EF%BC%8E',
        '__proto__',
        'constructor',
        '%5f%5fproto%5f%5f',
        `${id}%E2%80%8B`,
        'x'.repeat(4000),
      ],
    ]) {
      for (const path of [`${LIST}/${other}`, `${LIST}/${other}/proof`]) {
        assertError(await exchange(hub().hub.port, rawRequest('GET', path)), 404, 'ADV_004');
      }
    }
    // Not UTF-8, or not even percent-encoding.
    for (const broken of [
      '%',
      '%2',
      '%zz',
      '%c0%af',
      '%C0%AE%C0%AE',
      '%e0%80%af',
      '%ed%a0%80',
      '%f4%90%80%80',
      '%ff',
      'a%80',
    ]) {
      assertError(await exchange(hub().hub.port, rawRequest('GET', `${LIST}/${broken}`)), 400, 'HTTP_400');
    }
    const { body } = await hub().get<PublishedAdvertisement>(itemPath(id));
    assert.equal(body.provider_id, id);
  });

  test('what a client says is never part of the headers of an answer', async () => {
    const evil = '%0d%0aX-Injected:%20yes%0d%0a%0d%0a<script>';
    const plain = 'evil", <http://evil>; rel="next"';
    const headers: [string, string][] = [
      ['Origin', `https://evil.example/${plain}`],
      ['X-Forwarded-Host', 'evil.example'],
      ['X-Provider-ID', plain],
      ['X-Provider-Signature', plain],
      ['Referer', plain],
    ];
    const requests = [
      rawRequest('GET', `${LIST}/${evil}`, headers),
      rawRequest('GET', `/${evil}`, headers),
      rawRequest('GET', `${LIST}?${evil}=1`, headers),
      rawRequest('GET', `${LIST}?limit=1&country=${evil}`, headers),
      rawRequest('GET', `${LIST}?after=${evil}`, headers),
      rawRequest('POST', LIST, [...headers, ['Content-Type', plain]], JSON.stringify(ADVERTISEMENT)),
      rawRequest('DELETE', `${LIST}/${evil}`, headers),
      rawRequest('PROPFIND', `${LIST}/${evil}`, headers),
      rawRequest('GET', '/api/v1/ws', [
        ...headers,
        ['Connection', 'Upgrade'],
        ['Upgrade', 'websocket'],
        ['Sec-WebSocket-Version', '13'],
        ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
        ['Sec-WebSocket-Protocol', 'evil, X-Injected'],
      ]),
    ];
    for (const request of requests) {
      const client = await RawClient.open(hub().hub.port);
      await client.write(request);
      const answer = await client.answer();
      client.close();
      assert.ok(answer !== null && answer.status >= 400 && answer.status < 500, request.toString());
      for (const [name, value] of answer.headers) assert.doesNotMatch(`${name}: ${value}`, /evil|injected/i);
      assert.match(
        answer.headers.get('content-type') ?? '',
        /^application\/json\b/,
        'no browser takes it for a page',
      );
      assert.equal(typeof (JSON.parse(answer.body) as { code: unknown }).code, 'string');
    }
  });

  test('the link to the next page has one address, whatever was asked for', async () => {
    const network = '>; rel="x" <http://evil>';
    for (let count = 0; count < 2; count += 1) {
      await hub().post(new TestKey(), undefined, { ...ADVERTISEMENT, payments_network: network });
    }
    const { headers } = await hub().get(`${LIST}?limit=1&payments_network=${encodeURIComponent(network)}`);
    const link = headers.get('link') ?? '';
    assert.match(link, /^<\/api\/v1\/advertisements\?[^<>", ]+>; rel="next"$/);
    const { body } = await hub().get<PublishedAdvertisement[]>(link.slice(1, link.indexOf('>')));
    assert.equal(body[0]?.payments_network, network);
  });

  test('TLS and HTTP/2 on this port fail at once', async () => {
    const { port } = hub().hub;
    const secure = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    const [error] = (await once(secure, 'error')) as [NodeJS.ErrnoException];
    assert.ok(error.code !== undefined);
    secure.destroy();
    const session = connectHttp2(`http://127.0.0.1:${String(port)}`);
    await once(session, 'error');
    session.destroy();
    await stillServes();
  });

  test('targets of other kinds than a path are refused, or served by their path alone', async () => {
    for (const target of [
      'http://evil.example/health',
      'HTTPS://evil.example:99/health',
      'http://user:pass@evil.example/health',
    ]) {
      const answer = await answerTo(`GET ${target} HTTP/1.1\r\nHost: hub.test\r\n\r\n`);
      // One library serves them, as RFC 9112 asks for; the other refuses.
      assert.match(answer, /^(?:$|HTTP\/1\.1 (?:200|400|404|505) )/, target);
      assert.doesNotMatch(answer, /evil\.example:|^Location/im);
    }
    for (const request of [
      'CONNECT evil.example:443 HTTP/1.1',
      'CONNECT 127.0.0.1:22 HTTP/1.1',
      'GET * HTTP/1.1',
    ]) {
      const answer = await answerTo(`${request}\r\nHost: hub.test\r\n\r\n`);
      assert.match(answer, /^(?:$|HTTP\/1\.1 (?:400|404|405|505) )/, request);
    }
    await stillServes();
  });

  test('folded headers and NUL bytes hide nothing', async () => {
    const hidden = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n';
    for (const head of [
      `Content-Length:\r\n ${String(hidden.length)}\r\n`,
      `X-Folded: a\r\n Content-Length: ${String(hidden.length)}\r\n`,
      'Transfer-Encoding:\r\n chunked\r\n',
      'Transfer-Encoding\0: chunked\r\n',
      'Transfer-Encoding: chun\0ked\r\n',
      'Content-Length: 3\0\r\n',
      `Content-Length : ${String(hidden.length)}\r\n`,
      `\tContent-Length: ${String(hidden.length)}\r\n`,
      `Content-Length: ${String(hidden.length)}\rX: y\r\n`,
      `Content-Length: ${String(hidden.length)}\nX: y\r\n`,
    ]) {
      const answer = await answerTo(`POST ${LIST} HTTP/1.1\r\nHost: x\r\n${head}\r\n${hidden}`);
      assert.doesNotMatch(answer, /^HTTP\/1\.1 2/m, JSON.stringify([head, answer.slice(0, 300)]));
      assert.doesNotMatch(answer, /process_cpu/);
    }
    for (const request of [
      'GET /health\0 HTTP/1.1',
      'GET /hea\0lth HTTP/1.1',
      'G\0T /health HTTP/1.1',
      'GET /health HTTP/1.1\0',
    ]) {
      const answer = await answerTo(`${request}\r\nHost: x\r\n\r\n`);
      assert.match(answer, /^(?:$|HTTP\/1\.1 (?:400|404|405|505) )/, JSON.stringify(request));
    }
    await stillServes();
  });
});
