import assert from 'node:assert/strict';
import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { onBothTransports } from '../../support/clients/http.js';

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

onBothTransports('the dashboard', {}, (hub) => {
  const html = { Accept: 'text/html,*/*;q=0.8', 'Accept-Encoding': 'gzip, br' };

  test('its page is asked for anew each time, its files never again, and all of them are small', async () => {
    const page = await ask(`${hub().url}/`, html);
    assert.equal(page.status, 200);
    assert.equal(page.headers['cache-control'], 'no-cache');
    assert.equal(page.headers.vary, 'Accept, Accept-Encoding');
    assert.equal(
      (await ask(`${hub().url}/`, { ...html, 'If-None-Match': page.headers.etag ?? '' })).status,
      304,
    );
    const text = brotliDecompressSync(page.body).toString('utf8');
    const files = [...text.matchAll(/(?:src|href)="(assets\/[^"]+)"/g)].map(([, file]) => file!);
    const preloads = [...text.matchAll(/rel="modulepreload" href="assets\/([^"]+)"/g)].map(
      ([, file]) => file!,
    );
    assert.equal(
      files.length,
      3 + preloads.length,
      'a script, a style sheet, an icon, and what the script imports',
    );
    const imported = new Set<string>();
    let bytes = page.body.length;
    for (const file of files) {
      const answer = await ask(`${hub().url}/${file}`, { 'Accept-Encoding': 'gzip, br' });
      assert.equal(answer.status, 200, file);
      assert.match(file, /-[A-Z0-9]{8}\.(?:js|css|svg)$/, 'its name changes with its content');
      assert.equal(answer.headers['cache-control'], 'public, max-age=31536000, immutable');
      assert.equal(answer.headers['content-encoding'], 'br');
      bytes += answer.body.length;
      const script = brotliDecompressSync(answer.body).toString('utf8');
      // The entry imports the rest when its first requests are under way; what the rest imports like that belongs to other pages.
      const imports = file.startsWith('assets/dashboard-')
        ? /(?:from|import\()"\.\/([\w-]+\.js)"/g
        : /from"\.\/([\w-]+\.js)"/g;
      for (const [, chunk] of script.matchAll(imports)) imported.add(chunk!);
    }
    // Fetched beside the script, not after it; each is counted above.
    assert.deepEqual(preloads.sort(), [...imported].sort());
    assert.ok(bytes <= 150_000, `a first visit takes ${String(bytes)} bytes`);
  });

  test('its policy allows nothing inline, and nothing from elsewhere', async () => {
    const { headers, body } = await ask(`${hub().url}/`, { Accept: 'text/html' });
    const policy = String(headers['content-security-policy']);
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/);
    assert.doesNotMatch(policy, /unsafe|https?:|\*/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(body.toString('utf8'), /<script>|<style|\sstyle=|\son\w+=|https?:\/\//);
  });

  test('who is no browser is told what there is, as before', async () => {
    const { status, body } = await ask(`${hub().url}/`, { Accept: '*/*' });
    assert.equal(status, 404);
    assert.equal((JSON.parse(body.toString('utf8')) as { code: string }).code, 'HTTP_404');
    assert.equal((await ask(`${hub().url}/assets/none.js`)).status, 404);
  });
});
