import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { assetOf, madeAsset } from './assets.js';
import { type Page, pageHeaders } from './page-headers.js';
import { contactItem, inAttribute } from './security-txt.js';

/** The folder of the built dashboard. */
const FOLDER = new URL('../../assets/dashboard/', import.meta.url);

/** The content types of its files, by extension. */
const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const TEXT = 'text/plain; charset=utf-8';

/** File names contain a content hash. */
const FOR_EVER = { 'Cache-Control': 'public, max-age=31536000, immutable' };
const ASK_AGAIN = { 'Cache-Control': 'no-cache' };

/** The path prefix of the dashboard's files. */
export const DASHBOARD_FILES = '/assets/';

/**
 * Reads the dashboard, once, at startup.
 * @param securityContact A URI to show on the page; null for none.
 * @param notice A notice at the top of every page; empty for none.
 * @returns Its page and its files by path; empty if the dashboard was not built.
 */
export function loadDashboard(securityContact: string | null, notice: string): ReadonlyMap<string, Page> {
  if (!existsSync(FOLDER)) return new Map();
  const names = readdirSync(FOLDER).filter((name) => !/\.(?:br|gz)$/.test(name));
  return new Map(
    names.map((name): [string, Page] => {
      const file = new URL(name, FOLDER);
      if (name === 'index.html') {
        const page = readFileSync(file, 'utf8')
          .replace('{contact}', () => inAttribute(securityContact ?? ''))
          .replace('{notice}', () => inAttribute(notice))
          .replace('</ul>', () => `${contactItem(securityContact)}</ul>`);
        const headers = { ...ASK_AGAIN, ...pageHeaders(), Vary: 'Accept, Accept-Encoding' };
        return ['/', madeAsset(page, 'text/html; charset=utf-8', headers)];
      }
      const type = TYPES[extname(name)];
      return [DASHBOARD_FILES + name, assetOf(file, type ?? TEXT, type === undefined ? ASK_AGAIN : FOR_EVER)];
    }),
  );
}
