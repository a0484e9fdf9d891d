import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { loadDocumentation } from '../../../src/http/pages/documentation.js';
import type { Page } from 'playwright-core';
import { NO_BROWSER, startBrowser } from '../../support/hubs/chromium.js';
import { onBothTransports } from '../../support/clients/http.js';
import { TestKey } from '../../support/data/keys.js';
import { ADVERTISEMENT } from '../../support/hubs/test-hub.js';

/** Opens a page in a browser without a screen, and what the browser complained of until the test has done with it. */
async function browse(url: string, use: (page: Page) => Promise<void>): Promise<string[]> {
  const browser = await startBrowser();
  try {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('requestfailed', (request) => complaints.push(`${request.url()} failed`));
    await page.goto(url);
    await use(page);
    return complaints;
  } finally {
    await browser.close();
  }
}

onBothTransports('the documentation', { SECURITY_CONTACT: 'security@example.org' }, (hub) => {
  const page = async (): Promise<{ text: string; headers: Headers }> => {
    const response = await fetch(`${hub().url}/docs`);
    assert.equal(response.status, 200);
    return { text: await response.text(), headers: response.headers };
  };

  test('it is a page of the hub, and all that it needs is there too', async () => {
    const { text, headers } = await page();
    assert.match(headers.get('content-type') ?? '', /^text\/html; charset=utf-8$/i);
    const files = [...text.matchAll(/\s(?:src|href)="([^"]*)"/g)].map(([, target]) => target!);
    assert.ok(files.length >= 2);
    for (const file of files.filter((target) => target !== 'data:,')) {
      assert.match(file, /^\/docs\/[\w.-]+$/);
      const response = await fetch(hub().url + file);
      assert.equal(response.status, 200, file);
      const type = file.endsWith('.css') ? /^text\/css/ : /^text\/javascript/;
      assert.match(response.headers.get('content-type') ?? '', type);
      assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
      assert.ok((await response.arrayBuffer()).byteLength > 10_000);
    }
  });

  test('the frames and events are readable, all of them, without any script', async () => {
    const response = await fetch(`${hub().url}/docs/asyncapi`);
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'none'/);
    const text = await response.text();
    assert.doesNotMatch(text, /<script|\sstyle=|\son\w+=/);
    const ids = new Set([...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id!));
    const links = [...text.matchAll(/ href="([^"]+)"/g)].map(([, link]) => link!);
    for (const link of links.filter((target) => target !== 'data:,')) {
      if (link.startsWith('#')) assert.ok(ids.has(link.slice(1)), link);
      else assert.equal((await fetch(hub().url + link)).status, 200, link);
    }
    const described = await fetch(`${hub().url}/api/v1/asyncapi.json`);
    const { channels, operations, components } = (await described.json()) as {
      channels: Record<string, { address: string }>;
      operations: object;
      components: { messages: Record<string, { payload: { properties: object } }> };
    };
    assert.deepEqual([...ids], Object.keys(components.messages));
    for (const { address } of Object.values(channels)) assert.ok(text.includes(`<code>${address}</code>`));
    for (const name of Object.keys(operations)) assert.ok(text.includes(`<code>${name}</code>`), name);
    for (const { payload } of Object.values(components.messages)) {
      for (const name of Object.keys(payload.properties))
        assert.ok(text.includes(`<li><code>${name}</code>`));
    }
  });

  test('a browser finds a page with links at /, others are told what there is', async () => {
    const accept = 'text/html,application/xhtml+xml,*/*;q=0.8';
    const front = await fetch(hub().url, { headers: { Accept: accept } });
    assert.equal(front.status, 200);
    assert.match(front.headers.get('content-type') ?? '', /^text\/html; charset=utf-8$/i);
    const links = [...(await front.text()).matchAll(/ href="(\/[^"]*)"/g)].map(([, link]) => link!);
    assert.ok(links.includes('/docs') && links.includes('/docs/protocol.md'));
    for (const link of links) {
      const response = await fetch(hub().url + link.replaceAll('&amp;', '&'));
      assert.equal(response.status, 200, link);
      await response.arrayBuffer();
    }
    const other = await hub().get<{ code: string; message: string }>('/');
    assert.equal(other.status, 404);
    assert.equal(other.body.code, 'HTTP_404');
    assert.match(other.body.message, /\/api\/v1\/advertisements.* and \/docs, which explains them/);
  });

  test('whoever finds a vulnerability learns where to report it', async () => {
    const response = await fetch(`${hub().url}/.well-known/security.txt`);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'text/plain; charset=utf-8');
    const text = await response.text();
    const [, contact, expires] = /^Contact: (.*)\nExpires: (.*)\n$/.exec(text) ?? [];
    assert.equal(contact, 'mailto:security@example.org');
    const days = (Date.parse(expires!) - Date.now()) / 86_400_000;
    assert.ok(days > 28 && days <= 30, text);
    const front = await fetch(hub().url, { headers: { Accept: 'text/html' } });
    assert.match(await front.text(), /<a href="mailto:security@example\.org">Report a vulnerability<\/a>/);
    assert.equal(
      loadDocumentation(false, null, '').has('/.well-known/security.txt'),
      false,
      'nobody is named',
    );
  });

  test('it refers to no other host', async () => {
    const { text } = await page();
    assert.doesNotMatch(text, /https?:|\/\/[a-z]/i);
  });

  test('its policy lets nothing in from elsewhere, and no script that is not its own', async () => {
    const { text, headers } = await page();
    const policy = headers.get('content-security-policy') ?? '';
    const directives = new Map(
      policy.split('; ').map((directive): [string, string[]] => {
        const [name, ...sources] = directive.split(' ');
        return [name!, sources];
      }),
    );
    assert.deepEqual(directives.get('default-src'), ["'none'"]);
    assert.deepEqual(directives.get('frame-ancestors'), ["'none'"]);
    assert.deepEqual(directives.get('base-uri'), ["'none'"]);
    assert.deepEqual(directives.get('connect-src'), ["'self'"]);
    for (const [name, sources] of directives) {
      for (const source of sources) {
        assert.match(source, /^(?:'self'|'none'|data:|'sha256-[\w+/=]+')$/, name);
      }
    }
    const scripts = directives.get('script-src') ?? [];
    const inline = [...text.matchAll(/<script>([^]*?)<\/script>/g)].map(([, script]) => script!);
    for (const script of inline) {
      const digest = createHash('sha256').update(script).digest('base64');
      assert.ok(scripts.includes(`'sha256-${digest}'`), 'the script in the page is the one that is allowed');
    }
    assert.equal(headers.get('referrer-policy'), 'no-referrer');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin');
    assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin');
    assert.match(headers.get('permissions-policy') ?? '', /camera=\(\), geolocation=\(\), microphone=\(\)/);
    assert.equal(headers.has('strict-transport-security'), false, 'there is no TLS to insist on');
  });

  test('a browser shows it in full and without complaint', { skip: NO_BROWSER }, async () => {
    await hub().post(new TestKey());
    const complaints = await browse(`${hub().url}/docs`, async (page) => {
      const list = page.locator('.opblock', { hasText: 'Find providers' });
      await list.locator('.opblock-summary').click();
      await list.locator('.try-out__btn').click();
      await list.locator('.execute').click();
      await list.locator('.live-responses-table', { hasText: ADVERTISEMENT.ip_address }).waitFor();
      const text = (await page.locator('body').innerText()).replaceAll('\u200b', '');
      for (const shown of [
        'VM discovery hub',
        'Find providers',
        'Withdraw an advertisement',
        '/api/v1/advertisements',
        '/proof',
        'PublishedAdvertisement',
      ]) {
        assert.ok(text.includes(shown), `${shown} is shown`);
      }
      assert.doesNotMatch(text, /Failed to load|No API definition/i);
    });
    assert.deepEqual(complaints, []);
  });
});
