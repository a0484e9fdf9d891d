import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { onBothTransports } from '../support/http.js';
import { TestKey } from '../support/keys.js';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);

/** Shows a page in a browser without a screen: its document once it is at rest, and what the browser said. */
function render(url: string): Promise<{ document: string; log: string }> {
  const profile = mkdtempSync(join(tmpdir(), 'hub-browser-'));
  return new Promise((resolve, reject) => {
    const browser = spawn(
      CHROMIUM!,
      [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--disable-default-apps',
        '--disable-extensions',
        '--disable-dev-shm-usage',
        // Whatever the page asks of any other host fails, and is told in the log.
        '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
        '--enable-logging=stderr',
        '--virtual-time-budget=10000',
        `--user-data-dir=${profile}`,
        '--dump-dom',
        url,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 },
    );
    let document = '';
    let log = '';
    browser.stdout.on('data', (chunk: Buffer) => (document += chunk.toString()));
    browser.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
    browser.on('error', reject);
    browser.on('close', (code) => {
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
      if (code === 0) resolve({ document, log });
      else reject(new Error(`the browser ended with ${String(code)}: ${log}`));
    });
  });
}

onBothTransports('the documentation', {}, (hub) => {
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
        assert.match(source, /^(?:'self'|'none'|data:|'unsafe-inline'|'sha256-[\w+/=]+')$/, name);
      }
    }
    const scripts = directives.get('script-src') ?? [];
    assert.ok(!scripts.includes("'unsafe-inline'") && !scripts.includes("'unsafe-eval'"));
    const inline = [...text.matchAll(/<script>([^]*?)<\/script>/g)].map(([, script]) => script!);
    for (const script of inline) {
      const digest = createHash('sha256').update(script).digest('base64');
      assert.ok(scripts.includes(`'sha256-${digest}'`), 'the script in the page is the one that is allowed');
    }
    assert.equal(headers.get('referrer-policy'), 'no-referrer');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
  });

  test(
    'a browser shows it in full and without complaint',
    { skip: CHROMIUM === undefined && 'no Chromium is installed (e.g. apt-get install chromium)' },
    async () => {
      await hub().post(new TestKey());
      const { document, log } = await render(`${hub().url}/docs`);
      for (const shown of [
        'VM discovery hub',
        'Find providers',
        'Withdraw an advertisement',
        '/api/v1/advertisements',
        '/proof',
        'PublishedAdvertisement',
        'opblock-summary',
      ]) {
        // Swagger UI lets long paths break with elements in between.
        assert.ok(document.replaceAll(/<wbr>|\u200b/g, '').includes(shown), `${shown} is shown`);
      }
      assert.doesNotMatch(document, /Failed to load|errors-wrapper|No API definition/i);
      const complaints = log.split('\n').filter((line) => line.includes('CONSOLE'));
      assert.deepEqual(complaints, []);
    },
  );
});
