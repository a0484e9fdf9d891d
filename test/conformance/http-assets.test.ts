import assert from 'node:assert/strict';
import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { onBothTransports } from '../support/http.js';

interface Answer {
  status: number | undefined;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Asks without what `fetch` adds and undoes by itself. */
function ask(url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) });
      });
    })
      .on('error', reject)
      .end();
  });
}

onBothTransports('the client for browsers', {}, (hub) => {
  test('it is compressed as its reader likes it, and small', async () => {
    const plain = await ask(`${hub().url}/client.js`);
    assert.equal(plain.status, 200, 'npm test puts the files of the build beside the compiled tests');
    assert.equal(plain.headers['content-encoding'], undefined);
    const gzip = await ask(`${hub().url}/client.js`, { 'Accept-Encoding': 'gzip, deflate' });
    assert.equal(gzip.headers['content-encoding'], 'gzip');
    assert.deepEqual(gunzipSync(gzip.body), plain.body);
    assert.ok(gzip.body.length <= 40_000, `${String(gzip.body.length)} bytes`);
    const brotli = await ask(`${hub().url}/client.js`, { 'Accept-Encoding': 'gzip, deflate, br, zstd' });
    assert.equal(brotli.headers['content-encoding'], 'br');
    assert.deepEqual(brotliDecompressSync(brotli.body), plain.body);
    assert.ok(brotli.body.length < gzip.body.length);
    const tags = new Set([plain, gzip, brotli].map(({ headers }) => headers.etag));
    assert.equal(tags.size, 3, 'each form has a tag of its own');
    for (const { headers } of [plain, gzip, brotli]) {
      assert.equal(headers.vary, 'Accept-Encoding');
      assert.equal(headers['content-type'], 'text/javascript; charset=utf-8');
      assert.equal(headers['access-control-allow-origin'], '*');
    }
  });

  test('who has it already is told so', async () => {
    const first = await ask(`${hub().url}/client.js`, { 'Accept-Encoding': 'br' });
    const tag = first.headers.etag ?? '';
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const again = await ask(`${hub().url}/client.js`, { 'Accept-Encoding': 'br', 'If-None-Match': known });
      assert.equal(again.status, 304, known);
      assert.equal(again.body.length, 0);
      assert.equal(again.headers.etag, tag);
      assert.equal(again.headers.vary, 'Accept-Encoding');
    }
    const other = await ask(`${hub().url}/client.js`, { 'Accept-Encoding': 'gzip', 'If-None-Match': tag });
    assert.equal(other.status, 200, 'another form is not the one that is known');
  });

  test('HEAD says what GET would', async () => {
    const headers = { 'Accept-Encoding': 'gzip' };
    const get = await ask(`${hub().url}/client.js`, headers);
    const head = await ask(`${hub().url}/client.js`, headers, 'HEAD');
    assert.equal(head.body.length, 0);
    assert.equal(head.headers['content-length'], String(get.body.length));
    assert.equal(head.headers.etag, get.headers.etag);
  });

  test('its declarations lie beside it, in one file', async () => {
    const { status, headers, body } = await ask(`${hub().url}/client.d.ts`);
    assert.equal(status, 200);
    assert.equal(headers['content-type'], 'text/plain; charset=utf-8');
    const text = body.toString('utf8');
    assert.doesNotMatch(text, /^import |\bfrom '/m);
    assert.match(text, /declare class ProviderSession/);
    assert.match(text, /declare function watch\(/);
  });
});
