import { setTimeout } from 'node:timers/promises';
import { type Browser, chromium, type Page } from 'playwright-core';
import { CHROMIUM } from '../chromium.js';
import { seedDatabase } from '../database.js';
import { Hub } from '../hub.js';
import { type Family, type Outcome, WrongAnswerError } from '../part.js';

const PROVIDERS = 100_000;
const SECONDS = 5;
const VISITS = 5;
/** The speed of a mouse wheel: three rows. */
const PIXELS_A_FRAME = 114;
const SLOWER = 4;

/** Scrolls the table on each frame; resolves with the frames per second. */
const SCROLL = `((seconds) => new Promise((resolve) => {
  const table = document.querySelector('.table');
  const started = performance.now();
  let frames = 0;
  const next = (now) => {
    if (now - started >= seconds * 1000) return resolve(frames / ((now - started) / 1000));
    frames += 1;
    table.scrollTop += ${String(PIXELS_A_FRAME)};
    requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
}))`;

/**
 * Notes, in each page, when rows have been painted and the page would answer to input; asking from outside would slow the page down.
 */
const WATCH_ROWS = `{
  const observer = new MutationObserver(() => {
    if (document.querySelector('.table-row a') === null) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => { globalThis.shownAt = performance.now(); }));
  });
  observer.observe(document, { subtree: true, childList: true });
}`;
const SHOWN_AT = 'globalThis.shownAt ?? null';
const LOOK_MS = 250;
const ROW = '.table-row a';

/** The dashboard in a browser. Only measured on request; needs a Chromium. */
export const dashboard: Family = {
  title: 'the dashboard in Chromium',
  parts: [
    {
      name: 'dashboard-scroll',
      work: 'frames while the table of 100,000 providers is scrolled by 3 rows with each',
      baseline: '–',
      unit: 'per second',
      aim: { of: 'figure', sense: 'at least', value: 50 },
    },
    {
      name: 'dashboard-start',
      work: 'from the navigation until rows of 100,000 providers are painted and input is answered, the browser 4 times slower, nothing in its cache',
      baseline: '–',
      unit: 'ms',
      aim: { of: 'figure', sense: 'at most', value: 1000 },
    },
  ],
  async run(bench, wanted) {
    if (CHROMIUM === undefined) throw new WrongAnswerError('no Chromium is installed');
    const providers = bench.size(PROVIDERS);
    bench.say(`filling a database with ${providers.toLocaleString('en')} providers`);
    await seedDatabase(bench, 'dashboard.db', providers, []);
    const hub = await Hub.start(bench, 'dashboard.db');
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
    bench.own({ kill: () => void browser.close() });
    // The start also stalls the hub, but does not count here.
    await hub.state();
    const outcomes: Outcome[] = [];
    const note = async (name: string, figure: number, text: string): Promise<void> => {
      const { longestStopMs } = await hub.state();
      const nothing = { baseline: null, loadShare: null, baselineLoadShare: null };
      outcomes.push({ name, hub: figure, ...nothing, longestStopMs, note: text });
    };
    if (wanted.has('dashboard-scroll')) {
      bench.say('scrolling');
      const page = await visit(browser, hub);
      const rate = await page.evaluate<number>(`${SCROLL}(${String(bench.size(SECONDS))})`);
      await page.close();
      await note('dashboard-scroll', rate, 'a browser without a screen makes 60 at most');
    }
    if (wanted.has('dashboard-start')) {
      const times: number[] = [];
      for (let visits = 0; visits < VISITS; visits += 1) {
        bench.say('opening it');
        times.push(await timeStart(browser, hub));
      }
      const [median] = times.sort((a, b) => a - b).slice(Math.floor(VISITS / 2));
      await note('dashboard-start', median!, `median of ${String(VISITS)}`);
    }
    await browser.close();
    await hub.end();
    return outcomes;
  },
};

async function visit(browser: Browser, hub: Hub): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(hub.url);
  await page.locator(ROW).first().waitFor();
  return page;
}

async function timeStart(browser: Browser, hub: Hub): Promise<number> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  const devTools = await context.newCDPSession(page);
  await devTools.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
  await page.addInitScript(WATCH_ROWS);
  await page.goto(hub.url, { waitUntil: 'commit' });
  for (;;) {
    await setTimeout(LOOK_MS);
    const shownAt = await page.evaluate<number | null>(SHOWN_AT);
    if (shownAt === null) continue;
    await context.close();
    return shownAt;
  }
}
