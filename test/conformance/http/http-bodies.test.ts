import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertError,
  itemPath,
  Line,
  LIST,
  onBothTransports,
  readAdvertisement,
} from '../../support/clients/http.js';
import { TestKey } from '../../support/data/keys.js';
import { RawClient } from '../../support/clients/raw-http.js';
import { ADVERTISEMENT, type Answer, nextT } from '../../support/hubs/test-hub.js';

const JSON_TEXT = JSON.stringify(ADVERTISEMENT);
const MAX_BYTES = 16 * 1024;

/** An advertisement whose text has exactly so many bytes. */
function padded(bytes: number): string {
  return JSON_TEXT + ' '.repeat(bytes - JSON_TEXT.length);
}

onBothTransports('bodies of posts', {}, (hub) => {
  const line = new Line(hub);
  const send = (
    key: TestKey,
    body: Uint8Array | string,
    extraHeaders: Record<string, string> = {},
  ): Promise<Answer<unknown>> => {
    const bytes = Buffer.from(body);
    const headers = key.headers('advertise', key.publicKey, nextT(hub().clock), bytes);
    return line.request('POST', LIST, { ...headers, ...extraHeaders }, bytes);
  };

  test('what is not JSON is a malformed request', async () => {
    const key = new TestKey();
    for (const text of [
      '',
      ' ',
      '{',
      '}',
      '{"ip_address":',
      JSON_TEXT.slice(0, -1),
      `${JSON_TEXT}}`,
      `${JSON_TEXT}${JSON_TEXT}`,
      `${JSON_TEXT},`,
      `${JSON_TEXT}\0`,
      `// comment\n${JSON_TEXT}`,
      JSON_TEXT.replaceAll('"', "'"),
      JSON_TEXT.replace('4', 'NaN'),
      JSON_TEXT.replace('4', 'Infinity'),
      JSON_TEXT.replace('4', '04'),
      JSON_TEXT.replace('4', '+4'),
      JSON_TEXT.replace('4', '0x4'),
      JSON_TEXT.replace('4', '4.'),
      JSON_TEXT.replace('4,', '4,,'),
      JSON_TEXT.replace('SE', 'S\nE'),
      'undefined',
      'ip_address=192.168.1.100&country=SE',
      '<xml/>',
    ]) {
      assertError(await send(key, text), 400, 'HTTP_400', /advertisement/);
    }
    assertError(await hub().get(itemPath(key.publicKey)), 404, 'ADV_004');
  });

  test('a body that is absent is malformed too', async () => {
    const key = new TestKey();
    const headers = key.headers('advertise', key.publicKey, nextT(hub().clock), '');
    assertError(await hub().request('POST', LIST, { headers }), 400, 'HTTP_400');
  });

  test('JSON that is no object is no advertisement', async () => {
    const key = new TestKey();
    for (const text of ['null', 'true', '0', '"text"', '[]', `[${JSON_TEXT}]`]) {
      assertError(await send(key, text), 400, 'ADV_001', /object/);
    }
    assertError(await send(key, '{}'), 400, 'ADV_001', /ip_address/);
  });

  test('bytes that are not UTF-8 are malformed, wherever they are', async () => {
    const key = new TestKey();
    const wrong = [
      [0xff],
      [0xfe, 0xff],
      [0xc3],
      [0xc0, 0x80],
      [0xed, 0xa0, 0x80],
      [0xf5, 0x80, 0x80, 0x80],
      [0x80],
    ];
    for (const bytes of wrong) {
      for (const [before, after] of [
        ['{"name":"', `",${JSON_TEXT.slice(1)}`],
        ['{"later":"', `",${JSON_TEXT.slice(1)}`],
        ['', JSON_TEXT],
        [JSON_TEXT, ''],
      ] as const) {
        const body = Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);
        assertError(await send(key, body), 400, 'HTTP_400', /UTF-8/);
      }
    }
  });

  test('other encodings and a byte order mark are malformed', async () => {
    const key = new TestKey();
    assertError(await send(key, `\ufeff${JSON_TEXT}`), 400, 'HTTP_400');
    assertError(await send(key, Buffer.from(JSON_TEXT, 'utf16le')), 400, 'HTTP_400');
  });

  test('nesting is bounded, in members that are dropped as well', async () => {
    const key = new TestKey();
    const nested = (levels: number): string =>
      `${JSON_TEXT.slice(0, -1)},"later":${'['.repeat(levels)}${']'.repeat(levels)}}`;
    assert.equal((await send(key, nested(10))).status, 200);
    for (const levels of [17, 100, 8000])
      assertError(await send(key, nested(levels)), 400, 'HTTP_400', /nested/);
    const objects = `${'{"a":'.repeat(2000)}1${'}'.repeat(2000)}`;
    assertError(await send(key, objects), 400, 'HTTP_400', /nested/);
    assertError(await send(key, '['.repeat(MAX_BYTES)), 400, 'HTTP_400');
  });

  test('the number of values is bounded', async () => {
    const key = new TestKey();
    const many = (count: number): string =>
      `${JSON_TEXT.slice(0, -1)},"later":[${Array(count).fill('1').join()}]}`;
    assert.equal((await send(key, many(3000))).status, 200);
    assertError(await send(key, many(5000)), 400, 'HTTP_400', /values/);
  });

  test('a body may have 16 KiB and not one byte more', async () => {
    const key = new TestKey();
    assert.equal((await send(key, padded(MAX_BYTES))).status, 200);
    for (const bytes of [MAX_BYTES + 1, 2 * MAX_BYTES, 64 * MAX_BYTES]) {
      assertError(await send(key, padded(bytes)), 413, 'HTTP_413', /16384/);
    }
    assert.equal((await readAdvertisement(hub(), key.publicKey)).country, 'SE');
  });

  test('the same holds for a body that comes in chunks and does not say how long it is', async () => {
    const key = new TestKey();
    const sendInChunks = async (text: string): Promise<Answer<unknown>> => {
      const client = await RawClient.open(hub().hub.port);
      try {
        const credentials = key.headers('advertise', key.publicKey, nextT(hub().clock), text);
        const lines = Object.entries(credentials).map(([name, value]) => `${name}: ${value}\r\n`);
        await client.write(
          `POST ${LIST} HTTP/1.1\r\nHost: hub.test\r\n${lines.join('')}Transfer-Encoding: chunked\r\n\r\n`,
        );
        for (let at = 0; at < text.length; at += 5000) {
          const chunk = text.slice(at, at + 5000);
          await client.write(`${chunk.length.toString(16)}\r\n${chunk}\r\n`);
        }
        await client.write('0\r\n\r\n');
        const answer = await client.answer();
        assert.ok(answer !== null);
        return { ...answer, body: JSON.parse(answer.body) as unknown };
      } finally {
        client.close();
      }
    };
    assert.equal((await sendInChunks(padded(MAX_BYTES))).status, 200);
    assertError(await sendInChunks(padded(MAX_BYTES + 1)), 413, 'HTTP_413');
  });

  test('a body that says it is too long is refused before it is sent', async () => {
    for (const length of [MAX_BYTES + 1, 10 ** 9, 2 ** 53]) {
      const client = await RawClient.open(hub().hub.port);
      await client.write(
        `POST ${LIST} HTTP/1.1\r\nHost: hub.test\r\nContent-Length: ${String(length)}\r\n\r\n`,
      );
      const answer = await client.answer();
      assert.ok(answer !== null);
      assertError({ ...answer, body: JSON.parse(answer.body) as unknown }, 413, 'HTTP_413');
      client.close();
    }
  });

  test('a request that comes byte by byte is read all the same', async () => {
    const key = new TestKey();
    const client = await RawClient.open(hub().hub.port);
    const credentials = key.headers('advertise', key.publicKey, nextT(hub().clock), JSON_TEXT);
    const lines = Object.entries(credentials).map(([name, value]) => `${name}: ${value}\r\n`);
    // In one piece, because uWebSockets.js answers 505 when a request line is split behind its first space.
    await client.write(`POST ${LIST} HTTP/1.1\r\n`);
    const request = `Host: hub.test\r\n${lines.join('')}Content-Length: ${String(JSON_TEXT.length)}\r\n\r\n${JSON_TEXT}`;
    for (const byte of Buffer.from(request)) await client.write(Uint8Array.of(byte));
    const answer = await client.answer();
    assert.equal(answer?.status, 200, answer?.body);
    client.close();
  });

  test('a body of another type than JSON is refused', async () => {
    const key = new TestKey();
    for (const type of [
      'text/plain',
      'text/json',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/octet-stream',
      'application/jsonp',
      'application/json-seq',
      'application/json, text/plain',
      'application/json; charset=iso-8859-1',
      'application/json; charset=utf-16',
      'json',
    ]) {
      assertError(await send(key, JSON_TEXT, { 'Content-Type': type }), 415, 'HTTP_415', /application\/json/);
    }
    assertError(await hub().get(itemPath(key.publicKey)), 404, 'ADV_004');
  });

  test('JSON may be named in the usual ways, or not at all', async () => {
    const key = new TestKey();
    for (const type of [
      'application/json',
      'Application/JSON',
      'application/json;charset=utf-8',
      'application/json; charset=UTF-8',
      'application/json; charset="utf-8"',
      'application/ld+json',
      'application/vnd.api+json',
    ]) {
      assert.equal((await send(key, JSON_TEXT, { 'Content-Type': type })).status, 200, type);
    }
    assert.equal((await send(key, JSON_TEXT)).status, 200);
  });

  test('white space around the JSON is part of what is signed, and does no harm', async () => {
    const key = new TestKey();
    for (const text of [`\r\n\t ${JSON_TEXT}\n`, `${JSON_TEXT}\r\n`])
      assert.equal((await send(key, text)).status, 200);
  });
});
