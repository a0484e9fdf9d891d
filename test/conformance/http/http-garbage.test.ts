import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../support/properties.js';
import { itemPath, LIST, onBothTransports } from '../../support/clients/http.js';
import { TestKey } from '../../support/data/keys.js';
import { RawClient, rawRequest } from '../../support/clients/raw-http.js';
import { ADVERTISEMENT, nextT } from '../../support/hubs/test-hub.js';

const HEALTH = 'GET /health HTTP/1.1\r\nHost: hub.test\r\n\r\n';

onBothTransports('input that is not HTTP, or not quite', {}, (hub) => {
  /** Sends bytes and then nothing more; resolves with the statuses of all answers until the hub closes. */
  const statusesOf = async (bytes: string | Uint8Array): Promise<number[]> => {
    const client = await RawClient.open(hub().hub.port);
    const statuses: number[] = [];
    await client.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    client.end();
    for (;;) {
      const answer = await client.answer();
      if (answer === null) break;
      statuses.push(answer.status);
    }
    client.close();
    return statuses;
  };

  const stillServes = async (): Promise<void> => {
    assert.equal((await hub().get('/health')).status, 200);
  };

  /** The connection is closed, perhaps with a word of why, and nothing in the bytes was taken for a good request. */
  const refused = async (bytes: string | Uint8Array): Promise<void> => {
    const statuses = await statusesOf(bytes);
    const shown = JSON.stringify(Buffer.from(bytes).toString('latin1').slice(0, 200));
    assert.ok(
      statuses.every((status) => status >= 400),
      `${shown} was answered with ${statuses.join()}`,
    );
    assert.ok(statuses.length <= 1, `${shown} was answered once, or not at all`);
    await stillServes();
  };

  test('bytes of other protocols end the connection', async () => {
    for (const bytes of [
      'HELLO\r\n\r\n',
      'EHLO example.org\r\n',
      'SSH-2.0-OpenSSH_9.6\r\n',
      '\r\n\r\n\r\n\r\n',
      '\0\0\0\0\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      Buffer.from('16030100c8010000c40303', 'hex'),
      Buffer.from('8185375a5d5b7f9f4d5158', 'hex'),
      '{"type":"subscribe"}\n',
      'x'.repeat(100_000),
    ]) {
      await refused(bytes);
    }
  });

  test('broken request lines and headers end the connection', async () => {
    for (const head of [
      'GET\r\n',
      'GET  HTTP/1.1\r\n',
      'GET /health HTTP/9.9\r\n',
      'GET /health HTTP\r\n',
      'GET /health JUNK/1.1\r\n',
      'G\u00cbT /health HTTP/1.1\r\n',
      '/health GET HTTP/1.1\r\n',
      'GET /health HTTP/1.1\r\nno colon\r\n',
      'GET /health HTTP/1.1\r\n: no name\r\n',
      'GET /health HTTP/1.1\r\nA\0B: x\r\n',
      'GET /health HTTP/1.1\r\nSpace : x\r\n',
    ]) {
      await refused(`${head}\r\n`);
    }
  });

  test('headers beyond all measure end the connection', async () => {
    await refused(`GET /health HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(100_000)}\r\n\r\n`);
    await refused(`GET /health HTTP/1.1\r\nHost: x\r\n${'X-Many: x\r\n'.repeat(10_000)}\r\n`);
    await refused(`GET /${'x'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`);
  });

  test('lengths that contradict each other let nothing through that hides behind them', async () => {
    const hidden = HEALTH;
    for (const headers of [
      `Content-Length: ${String(hidden.length)}\r\nContent-Length: 0\r\n`,
      `Content-Length: 0\r\nContent-Length: ${String(hidden.length)}\r\n`,
      `Content-Length: 0, ${String(hidden.length)}\r\n`,
      `Content-Length: ${String(hidden.length)}\r\nTransfer-Encoding: chunked\r\n`,
      `Transfer-Encoding: chunked\r\nContent-Length: ${String(hidden.length)}\r\n`,
      'Transfer-Encoding: chunked, identity\r\n',
      'Transfer-Encoding: xchunked\r\n',
      'Content-Length: -1\r\n',
      'Content-Length: +5\r\n',
      'Content-Length: 0x10\r\n',
      'Content-Length: 1e3\r\n',
      'Content-Length: five\r\n',
      'Content-Length: 99999999999999999999999\r\n',
    ]) {
      await refused(`POST ${LIST} HTTP/1.1\r\nHost: x\r\n${headers}\r\n${hidden}`);
    }
  });

  test('broken chunks end the connection', async () => {
    for (const chunks of [
      'zz\r\nabc\r\n',
      '-1\r\nabc\r\n',
      'ffffffffffffffffff\r\nabc\r\n',
      '3\r\nabcdef\r\n0\r\n\r\n',
      '\r\n\r\n',
    ]) {
      await refused(`POST ${LIST} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`);
    }
  });

  test('a client that goes away in the middle costs nothing', async () => {
    const key = new TestKey();
    const body = JSON.stringify(ADVERTISEMENT);
    const headers = Object.entries(key.headers('advertise', 'gone-away', nextT(hub().clock), body));
    const whole = rawRequest('POST', LIST, headers, body);
    for (const share of [0.1, 0.5, 0.9, 0.99]) {
      const client = await RawClient.open(hub().hub.port);
      await client.write(whole.subarray(0, Math.floor(whole.length * share)));
      client.close();
      await stillServes();
    }
    assert.equal((await hub().get(itemPath('gone-away'))).status, 404);
    const client = await RawClient.open(hub().hub.port);
    await client.write(whole);
    client.close();
    await stillServes();
  });

  test('random bytes never take the hub down', async () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc
        .constantFrom(
          'GET ',
          'POST ',
          LIST,
          ' HTTP/1.1',
          '\r\n',
          '\r\n\r\n',
          'Host: x',
          'Content-Length: 5',
          ': ',
          '?',
          '%',
        )
        .map((text) => Buffer.from(text)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        await statusesOf(Buffer.concat(pieces));
      }),
      { numRuns: 60 },
    );
    await stillServes();
  });
});

onBothTransports('unusual but proper HTTP', {}, (hub) => {
  test('requests that come all at once are answered in their order', async () => {
    const client = await RawClient.open(hub().hub.port);
    const paths = ['/health', '/nowhere', `${LIST}?limit=1`, `${LIST}?typo=1`, '/health'];
    await client.write(Buffer.concat(paths.map((path) => rawRequest('GET', path))));
    const statuses = [];
    for (const _ of paths) statuses.push((await client.answer())?.status);
    assert.deepEqual(statuses, [200, 404, 200, 400, 200]);
    client.close();
  });

  test('what comes behind a post is answered after it, or the connection ends; the post is whole either way', async () => {
    const key = new TestKey();
    const body = JSON.stringify(ADVERTISEMENT);
    const post = (id: string): Buffer =>
      rawRequest('POST', LIST, Object.entries(key.headers('advertise', id, nextT(hub().clock), body)), body);
    const client = await RawClient.open(hub().hub.port);
    await client.write(Buffer.concat([post('first'), post('second'), rawRequest('GET', '/health')]));
    const answers = [];
    while (answers.length < 3) {
      const answer = await client.answer();
      if (answer === null) break;
      answers.push(JSON.parse(answer.body) as { provider_id?: string; status: string });
    }
    client.close();
    assert.deepEqual(
      answers.map(({ provider_id, status }) => provider_id ?? status),
      ['first', 'second', 'healthy'].slice(0, answers.length),
    );
    const { status } = await hub().get(itemPath('first'));
    assert.ok(status === 200 || (status === 404 && answers.length === 0));
  });

  test('a request that comes byte by byte is answered like any other', async () => {
    const client = await RawClient.open(hub().hub.port);
    for (const byte of Buffer.from(HEALTH)) await client.write(Uint8Array.of(byte));
    assert.equal((await client.answer())?.status, 200);
    client.close();
  });

  test('a connection serves many requests, refusals included', async () => {
    const client = await RawClient.open(hub().hub.port);
    for (const [method, path, status] of [
      ['GET', '/nowhere', 404],
      ['PATCH', LIST, 405],
      ['GET', `${LIST}?cpu=x`, 400],
      ['POST', LIST, 401],
      ['GET', '/health', 200],
    ] as const) {
      await client.write(rawRequest(method, path));
      assert.equal((await client.answer())?.status, status, path);
    }
    client.close();
  });

  test('a client that wants the connection closed gets that', async () => {
    const client = await RawClient.open(hub().hub.port);
    await client.write(rawRequest('GET', '/health', [['Connection', 'close']]));
    assert.equal((await client.answer())?.status, 200);
    assert.equal(await client.closed(), '');
  });

  test('a body where none is asked for changes nothing', async () => {
    const client = await RawClient.open(hub().hub.port);
    await client.write(rawRequest('GET', '/health', [], 'some body'));
    assert.equal((await client.answer())?.status, 200);
    await client.write(rawRequest('GET', '/health'));
    assert.equal((await client.answer())?.status, 200);
    client.close();
  });

  test('a client that asks before it sends its body is told to go on', async () => {
    const key = new TestKey();
    const body = JSON.stringify(ADVERTISEMENT);
    const headers: [string, string][] = [
      ...Object.entries(key.headers('advertise', key.publicKey, nextT(hub().clock), body)),
      ['Expect', '100-continue'],
    ];
    const request = rawRequest('POST', LIST, headers, body);
    const client = await RawClient.open(hub().hub.port);
    await client.write(request.subarray(0, request.length - body.length));
    // A hub may also wait for the body at once, as it would of any other client.
    await client.write(body);
    let answer = await client.answer();
    if (answer?.status === 100) answer = await client.answer();
    assert.equal(answer?.status, 200);
    client.close();
  });
});
