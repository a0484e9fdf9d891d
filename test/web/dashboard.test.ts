import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { generateKey, type KeyPair, ProviderSession, saveKey, seedOf } from '../../src/client/node.js';
import { HubProcess } from '../process/hub-process.js';
import { NO_BROWSER, startBrowser } from '../support/hubs/chromium.js';
import {
  AXE_PROBLEMS,
  CUT_OFF,
  DIRECTION,
  FOCUSED,
  HAS_MARKS,
  NAMES,
  OBSERVE_ROWS,
  OVERFLOW,
  SEEN,
} from './in-page.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Not one that the system gives to clients: who dials a hub that is down could take it away. */
const PORT = String(21_000 + (process.pid % 9000));

const SETTINGS = { PORT, HUB_EVENTS: 'all', NOTICE: 'A "test" <of mine>' };

interface Offer {
  name: string;
  country?: string;
  cpu?: number;
  usd?: number;
}

const advertisement = ({ name, country = 'SE', cpu = 4, usd = 1 }: Offer) => ({
  ip_address: '203.0.113.7',
  country,
  name,
  resources: { cpu, memory: 8, storage: 4000 },
  pricing: { usd_per_core_month: usd, usd_per_gb_ram_month: 0, usd_per_gb_storage_month: 0 },
});

/** What is there once a page has come. */
const SHOWN: readonly (readonly [start: string, selector: string])[] = [
  ['#/providers?', '.nothing'],
  ['#/providers', '.table-row'],
  ['#/provider/', '.verdict'],
  ['#/market', '.market'],
  ['#/map', '.map .shade-1'],
  ['#/visible', '.facts'],
  ['#/hub', '.trend-line'],
];

describe('the dashboard, in a browser', { skip: NO_BROWSER, timeout: 180_000 }, () => {
  let hub: HubProcess;
  let folder: string;
  let browser: Browser;
  const sessions: ProviderSession[] = [];
  /** Everything that any page asked for. */
  const requested = new Set<string>();
  const complaints: string[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dashboard-'));
    [hub, browser] = await Promise.all([HubProcess.start(folder, SETTINGS), startBrowser()]);
  });
  after(async () => {
    await Promise.all(sessions.map((session) => session.stop()));
    await browser.close();
    await hub.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  const advertise = async (offer: Offer, key: KeyPair = generateKey()): Promise<ProviderSession> => {
    const session = new ProviderSession(hub.url, { key, advertisement: advertisement(offer) }).start();
    sessions.push(session);
    await session.published();
    return session;
  };

  const open = async (
    place = '',
    options: { width?: number; colorScheme?: 'dark' | 'light' } = {},
  ): Promise<Page> => {
    const { width = 1280, colorScheme = 'light' } = options;
    const page = await browser.newPage({
      viewport: { width, height: 800 },
      colorScheme,
      reducedMotion: 'reduce',
    });
    page.setDefaultTimeout(15_000);
    page.on('request', (request) => requested.add(request.url()));
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${hub.url}/${place}`);
    return page;
  };

  const row = (page: Page, name: string) => page.locator('.table-row', { hasText: name });

  const names = (page: Page): Promise<string[]> => page.evaluate(NAMES);

  /** Waits until the rows have these names, from top to bottom. */
  const until = async (page: Page, expected: readonly string[]): Promise<void> => {
    const deadline = Date.now() + 15_000;
    for (;;) {
      const shown = await names(page);
      if (shown.join() === expected.join()) return;
      if (Date.now() > deadline) assert.deepEqual(shown, expected);
      await setTimeout(20);
    }
  };

  test('a provider appears, changes, turns suspect and goes on an open page', async () => {
    const page = await open();
    await page.getByText('No providers yet').waitFor();
    assert.equal(await page.getByRole('note').textContent(), SETTINGS.NOTICE);
    const key = generateKey();
    const session = await advertise({ name: 'alpha', usd: 3 }, key);
    await row(page, 'alpha').getByText('live', { exact: true }).waitFor();
    await row(page, 'alpha').getByText('$3.00').waitFor();
    await session.update(advertisement({ name: 'alpha', usd: 7.5 }));
    await row(page, 'alpha').getByText('$7.50').waitFor();
    assert.deepEqual(await page.evaluate(CUT_OFF), []);
    await session.stop();
    await row(page, 'alpha').getByText('suspect').waitFor();
    assert.deepEqual(await page.evaluate(CUT_OFF), []);
    const back = await advertise({ name: 'alpha', usd: 7.5 }, key);
    await row(page, 'alpha').getByText('live', { exact: true }).waitFor();
    await back.withdraw();
    await page.getByText('No providers yet').waitFor();
    // What is too long is cut at its end: that of Arabic is on the left.
    const arabic = await advertise({ name: 'مزود الخوادم السحابية الأول في المدينة الكبيرة', usd: 3 });
    await page.getByText('مزود').waitFor();
    assert.equal(await page.evaluate(DIRECTION), 'rtl, left');
    await arabic.withdraw();
    await page.close();
  });

  test('an address gives the same view elsewhere; the order holds under the pointer and while paused', async () => {
    const [ash] = await Promise.all([
      advertise({ name: 'ash', usd: 1, cpu: 8 }),
      advertise({ name: 'birch', usd: 2, cpu: 8, country: 'NO' }),
      advertise({ name: 'cedar', usd: 3, cpu: 8, country: 'DE' }),
      advertise({ name: 'small', usd: 4, cpu: 2 }),
    ]);
    const page = await open();
    await until(page, ['ash', 'birch', 'cedar', 'small']);
    await page.getByLabel('At least').first().fill('8');
    await page.getByRole('group', { name: 'In one of these countries' }).getByLabel('Sweden').check();
    await page.getByRole('group', { name: 'In one of these countries' }).getByLabel('Norway').check();
    await until(page, ['ash', 'birch']);
    await page.getByRole('button', { name: 'USD/month' }).click();
    await until(page, ['birch', 'ash']);
    await page.getByText('Columns', { exact: true }).click();
    await page.getByRole('checkbox', { name: 'Address', exact: true }).check();

    const other = await open(new URL(page.url()).hash);
    await until(other, ['birch', 'ash']);
    await other.getByRole('columnheader', { name: 'Address' }).waitFor();
    assert.equal(await other.getByLabel('At least').first().inputValue(), '8');
    assert.ok(await other.getByLabel('Sweden').first().isChecked());

    await row(other, 'ash').hover();
    await ash.update(advertisement({ name: 'ash', usd: 9, cpu: 8 }));
    await row(other, 'ash').getByText('$72.00').waitFor();
    assert.deepEqual(await names(other), ['birch', 'ash'], 'values change under the pointer, places do not');
    // By key: on its way to the button, the pointer would let go of the order.
    await other.getByRole('button', { name: 'Pause' }).press('Enter');
    await row(page, 'ash').getByText('$72.00').waitFor();
    await until(page, ['ash', 'birch']);
    assert.deepEqual(await names(other), ['birch', 'ash']);
    await other.getByRole('button', { name: 'Paused' }).click();
    await until(other, ['ash', 'birch']);
    await Promise.all([page.close(), other.close()]);
  });

  test('where nothing matches, it says what keeps providers out, and one click lets them in', async () => {
    const page = await open('#/providers?cpu=8&country=FI');
    await page.getByText('No matching providers').waitFor();
    await page.getByRole('button', { name: 'Remove “in Finland”' }).click();
    await row(page, 'cedar').waitFor();
    assert.match(page.url(), /#\/providers\?cpu=8$/);
    await page.close();
  });

  test('values of attributes are offered as the market has them', async () => {
    for (const [name, disk, usd] of [
      ['quick', 'nvme', 1],
      ['slow', 'hdd', 2],
    ] as const) {
      const offer = { ...advertisement({ name, country: 'PT', usd }), attributes: { disk } };
      const session = new ProviderSession(hub.url, { key: generateKey(), advertisement: offer }).start();
      sessions.push(session);
      await session.published();
    }
    const page = await open('#/providers?country=PT&attr.disk=nvme');
    await until(page, ['quick']);
    const disks = page.getByRole('group', { name: 'disk, one of' });
    assert.deepEqual(
      [await disks.locator('bdi').first().textContent(), await disks.getByLabel('nvme').isChecked()],
      ['nvme', true],
    );
    await disks.getByLabel('hdd').check();
    await until(page, ['quick', 'slow']);
    await page.getByLabel('Name of an attribute or resource').fill('disk');
    await page.locator('datalist option[value=nvme]').waitFor({ state: 'attached' });
    await page.close();
  });

  test("a provider's page says whether its key signed what the hub shows", async () => {
    const key = generateKey();
    await advertise({ name: 'proven', usd: 5 }, key);
    const place = `#/provider/${key.publicKey}?cpu=4`;
    const page = await open(place);
    await page.getByText('Signature valid.').waitFor();
    await page.getByText('$20.00', { exact: true }).waitFor();
    // From now on the hub lies: it shows a lower price than the provider asks for.
    await page.route(`**/api/v1/advertisements/${key.publicKey}`, async (route) => {
      const answer = await route.fetch();
      const body = (await answer.json()) as { pricing: Record<string, number> };
      body.pricing['usd_per_core_month'] = 0.01;
      await route.fulfill({ response: answer, json: body });
    });
    await page.reload();
    await page.getByRole('alert').getByText('Invalid proof.').waitFor();
    await page.close();
  });

  test('a country of the market and of the map leads to those in it', async () => {
    await advertise({ name: 'alpine', usd: 5, country: 'AT' });
    const page = await open('#/market?country=AT');
    await page.getByRole('table', { name: 'By country' }).getByRole('link', { name: 'Austria' }).waitFor();
    await page.evaluate(`location.hash = '#/map'`);
    await page.getByRole('link', { name: 'Austria: 1 provider, median $5.00' }).click();
    await until(page, ['alpine']);
    assert.match(page.url(), /country=AT$/);
    await page.close();
  });

  test('the Hub page has the past at once and follows what happens, without a word to screen readers', async () => {
    await advertise({ name: 'measured', usd: 5, country: 'IS' });
    const page = await open('#/hub');
    const chart = (title: string) => page.getByRole('region', { name: title }).getByRole('img');
    const figure = page.locator('.figures div', { hasText: 'Sessions' }).locator('dd');
    const sessions = Number(await figure.textContent());
    assert.ok(sessions > 0);
    for (const title of ['Providers', 'Connections', 'Match-to-send latency', 'Event loop delay']) {
      assert.match(
        (await chart(title).getAttribute('aria-label'))!,
        /: between .+ and .+, now .+|no data yet/,
      );
    }
    await advertise({ name: 'one more', usd: 5, country: 'IS' });
    for (const deadline = Date.now() + 15_000; Number(await figure.textContent()) <= sessions;) {
      assert.ok(Date.now() < deadline, 'the new session is not counted');
      await setTimeout(50);
    }
    assert.equal(await page.locator('main [aria-live], main [role=status], main [role=alert]').count(), 0);
    await page.close();
  });

  test('where the hub shows counts only, or nothing, the Hub page says so', async () => {
    const page = await open();
    const says = async (status: number, body: string, text: string): Promise<void> => {
      const contentType = status === 200 ? 'text/event-stream' : 'application/json';
      await page.route('**/api/v1/hub/events', (route) => route.fulfill({ status, body, contentType }));
      await page.evaluate(`location.hash = '#/hub'`);
      await page.getByText(text).waitFor();
      await page.evaluate(`location.hash = '#/market'`);
      await page.unroute('**/api/v1/hub/events');
    };
    const history = { type: 'history', shows: 'counts', interval_seconds: 5, points: [] };
    await says(
      200,
      `retry: 5000\n\nevent: history\ndata: ${JSON.stringify(history)}\n\n`,
      'only to its operator',
    );
    const refusal = { code: 'HTTP_404', message: 'this hub does not show its own state', timestamp: '' };
    await says(404, JSON.stringify(refusal), 'Not available: this hub does not show its own state');
    complaints.splice(0, complaints.length, ...complaints.filter((text) => !text.includes('status of 404')));
    await page.close();
  });

  test('a provider learns from its key file whether it is seen, and the key stays in the page', async () => {
    const key = generateKey();
    const pem = join(folder, 'key.pem');
    await saveKey(pem, key);
    const first = await advertise({ name: 'curious', usd: 2, country: 'BE' }, key);
    await advertise({ name: 'dearer', usd: 3, country: 'BE' });
    const page = await open('#/visible');
    const sent: string[] = [];
    page.on('request', (request) => sent.push(request.url() + (request.postData() ?? '')));
    page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => sent.push(String(payload))));
    await page.getByLabel('Key file').setInputFiles(pem);
    await page.getByRole('heading', { name: 'Listed' }).waitFor();
    await page.locator('.facts div', { hasText: 'In Belgium' }).getByText('1 of 2').waitFor();
    await page.getByLabel('Check a search').fill('#/providers?cpu=64&country=BE');
    await page.getByText('Does not match: cpu (wanted 64, offers 4).').waitFor();
    const replaced = new Promise((resolve) =>
      first.on('state', ({ state }) => state === 'replaced' && resolve(state)),
    );
    await page.getByRole('button', { name: 'Sign in and ask' }).click();
    await page.getByText('1 of 2 in its country').waitFor();
    assert.equal(await replaced, 'replaced', 'as the page says');
    assert.ok(sent.some((text) => text.includes('authenticate')));
    const seed = Buffer.from(seedOf(key));
    for (const form of [seed.toString('hex'), seed.toString('base64')]) {
      assert.ok(!sent.some((text) => text.includes(form)), 'the key was sent');
    }
    await page.close();
  });

  test('when the hub is killed and comes back, the page says so, and rows that did not change are left alone', async () => {
    const lost = await advertise({ name: 'lost', usd: 1, country: 'CH' });
    await advertise({ name: 'kept', usd: 2, country: 'CH' });
    await lost.stop();
    const page = await open('#/providers?country=CH');
    await row(page, 'lost').getByText('suspect').waitFor();
    await row(page, 'kept').getByText('live', { exact: true }).waitFor();
    // Marks of what has just happened are over.
    while (await page.evaluate<boolean>(HAS_MARKS)) await setTimeout(50);
    await page.evaluate(OBSERVE_ROWS);
    // Rows are there before the page follows them.
    await page.getByRole('status').getByText('Live', { exact: true }).waitFor();
    await hub.kill();
    await page
      .getByRole('status')
      .getByText(/^Stale since/)
      .waitFor();
    assert.deepEqual((await names(page)).sort(), ['kept', 'lost'], 'what was known stays in view');
    const attempt = page.waitForEvent('websocket');
    await page.getByRole('button', { name: 'Retry now' }).click();
    await attempt;
    hub = await HubProcess.start(folder, SETTINGS);
    await page.evaluate("dispatchEvent(new Event('online'))");
    await page.getByText('Live again, nothing missed').waitFor({ timeout: 30_000 });
    await row(page, 'kept').getByText('live', { exact: true }).waitFor({ timeout: 30_000 });
    const seen = await page.evaluate<string[]>(SEEN);
    assert.deepEqual(
      seen.filter((what) => what.startsWith('lost') || what.includes('came or went')),
      [],
    );
    // Requests that failed while the hub was away.
    complaints.splice(
      0,
      complaints.length,
      ...complaints.filter((text) => !/ERR_CONNECTION|WebSocket connection/.test(text)),
    );
    await page.close();
  });

  test('it can be used at 360 pixels and by keyboard, and no rule of accessibility is broken', async () => {
    await advertise({ name: 'a name that is as long as names of providers can be, sixty-four', usd: 1 });
    await advertise({ name: 'خادم الصحراء', usd: 2 });
    const id = sessions.at(-1)!.providerId;
    const [provider, visible] = [`#/provider/${id}`, `#/visible?id=${id}`];
    for (const [width, colorScheme, places] of [
      [360, 'light', ['#/providers', provider, '#/market', '#/map', visible, '#/hub']],
      [2560, 'light', ['#/hub']],
      [
        1280,
        'dark',
        ['#/providers?cpu=4096', '#/providers', provider, '#/market', '#/map', visible, '#/hub'],
      ],
    ] as const) {
      const page = await open(places[0], { width, colorScheme });
      await page.evaluate(AXE);
      for (const place of places) {
        await page.evaluate(`location.hash = ${JSON.stringify(place)}`);
        const there = page.locator(SHOWN.find(([start]) => place.startsWith(start))![1]);
        await there.first().waitFor();
        const overflow = await page.evaluate<number>(OVERFLOW);
        assert.ok(overflow <= 0, `${place} at ${String(width)}: ${String(overflow)} pixels too wide`);
        const problems = await page.evaluate<string[]>(AXE_PROBLEMS);
        assert.deepEqual(problems, [], `${place} at ${String(width)}, ${colorScheme}`);
      }
      await page.close();
    }
    const page = await open();
    await row(page, 'ash').waitFor();
    await page.getByRole('table', { name: 'Providers' }).focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    const second = (await names(page))[1]!;
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: second }).waitFor();
    assert.equal(await page.evaluate(FOCUSED), 'MAIN');
    await page.close();
  });

  test('whatever stands in the address, the page shows rows, or says what cannot be read', async () => {
    const page = await open();
    for (const place of [
      `#/providers?country=${'A'.repeat(200_000)}`,
      `#/providers?${'cpu=4&'.repeat(20_000)}`,
      '#/providers?cpu=%E0%A4%A',
      '#/providers?country=%',
      '#/provider/%E0%A4%A',
      '#/providers?__proto__=1&constructor=2&attr.__proto__=3',
      '#/providers?attr.constructor=1&min.constructor=1&columns=provider,attr.constructor,__proto__',
      '#/providers?sort=-__proto__&columns=constructor',
      '#/providers?country=<img src=x onerror=alert(1)>',
      '#/providers?exclude=\u202e\u0645\u0632\u0648\u062f',
      '#/__proto__?<b>',
      '#//?//#?',
    ]) {
      await page.evaluate(`location.hash = '#/hub'`);
      await page.locator('.figures').waitFor();
      await page.evaluate(`location.hash = ${JSON.stringify(place)}`);
      await page.locator('.table-row, .nothing, main > .notice').first().waitFor();
      assert.equal(await page.locator('main img').count(), 0, place);
      assert.ok((await page.evaluate<number>(OVERFLOW)) <= 0, `${place.slice(0, 60)} is too wide`);
      const text = (await page.locator('main').textContent())!;
      assert.doesNotMatch(text, /native code|\[object/, place.slice(0, 60));
    }
    await page.close();
  });

  test('what is asked for before the scripts have come is not asked for again', async () => {
    const page = await open('#/market');
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.goto('about:blank');
    await page.goto(hub.url);
    await page.locator('.table-row .badge').first().waitFor();
    const first = asked.filter((url) => /\/(?:advertisements|explain)\b/.test(url));
    assert.deepEqual(first.sort(), [
      `${hub.url}/api/v1/advertisements?sort=price&limit=60`,
      `${hub.url}/api/v1/explain`,
    ]);
    await page.close();
  });

  test('nothing was asked of any other host, and the browser had nothing to complain of', () => {
    const elsewhere = [...requested].filter((url) => !url.startsWith(`${hub.url}/`));
    assert.ok(requested.size > 5);
    assert.deepEqual(elsewhere, []);
    assert.deepEqual(complaints, []);
  });
});
