import { type Browser, chromium } from 'playwright-core';
import { CHROMIUM } from '../../../bench/chromium.js';

/** Why tests that need a browser are left out; false where there is one. */
export const NO_BROWSER: string | false =
  CHROMIUM === undefined && 'no Chromium is installed (e.g. apt-get install chromium)';

/** Starts a browser without a screen; whatever a page asks of any other host fails. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM!,
    args: ['--no-sandbox', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
  });
}
