import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { HttpRequest, HttpResponse } from '../../protocol/http-message.js';
import { assetOf } from './assets.js';
import { asyncApiPage, STYLE, STYLE_PATH } from './asyncapi-page.js';
import { buildAsyncApi } from '../descriptions/asyncapi.js';
import { loadDashboard } from './dashboard.js';
import { type Page, pageHeaders } from './page-headers.js';
import { NO_SNIFFING, OPEN_TO_READERS } from '../respond.js';
import { contactItem, securityTxt } from './security-txt.js';

/** A hub's pages for people, and their files, by path. */
export type Documentation = ReadonlyMap<string, Page>;

const START = `window.ui = SwaggerUIBundle({
  url: '/api/v1/openapi.json',
  dom_id: '#docs',
  deepLinking: true,
  supportedSubmitMethods: ['get'],
  validatorUrl: null,
});`;

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>VM discovery hub: interface</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="docs"></div>
<noscript>This page needs JavaScript; the plain description is at /api/v1/openapi.json.</noscript>
<script src="/docs/swagger-ui-bundle.js"></script>
<script>${START}</script>
</body>
</html>
`;

/** The only inline script that may run is the one above. */
const HEADERS = pageHeaders([`'sha256-${createHash('sha256').update(START).digest('base64')}'`]);

/** One year, without subdomains. */
const STRICT_TRANSPORT = { 'Strict-Transport-Security': 'max-age=31536000' } as const;

/**
 * Tells browsers to use only TLS from now on. HSTS applies to all ports of a host, so a hub only sends it on the default port; on another
 * port, the host may have other services without TLS.
 */
function staySecure(page: Page): Page {
  return (request) => {
    const response = page(request);
    if (/:\d+$/.test(request.headers.get('host') ?? '')) return response;
    return { ...response, headers: { ...response.headers, ...STRICT_TRANSPORT } };
  };
}

const PAGE_RESPONSE: HttpResponse = {
  status: 200,
  headers: {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-store',
    ...HEADERS,
  },
  body: PAGE,
};

const STYLE_RESPONSE: HttpResponse = {
  status: 200,
  headers: { 'Content-Type': 'text/css; charset=utf-8', 'Cache-Control': 'no-cache', ...NO_SNIFFING },
  body: STYLE,
};

/** Creates a page on first use, because it is rarely requested and must not delay startup. */
function onceAsked(make: () => Page): Page {
  let made: Page | undefined;
  return (request) => (made ??= make())(request);
}

function asyncApi(): Page {
  const page = asyncApiPage(buildAsyncApi());
  return () => page;
}

/** The page at `/` of a hub without the dashboard. */
const frontPage = (securityContact: string | null): HttpResponse => ({
  ...PAGE_RESPONSE,
  headers: { ...PAGE_RESPONSE.headers, Vary: 'Accept' },
  body: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>VM discovery hub</title>
<link rel="icon" href="data:,">
</head>
<body>
<h1>VM discovery hub</h1>
<p>Providers of virtual machines advertise here, and requestors find the offer that fits.</p>
<ul>
<li><a href="/api/v1/advertisements?limit=100">The providers</a>, as JSON; <a href="/api/v1/advertisements?sort=price&amp;limit=10">the ten cheapest</a></li>
<li><a href="/docs">The HTTP interface</a>, and <a href="/api/v1/openapi.json">its OpenAPI description</a></li>
<li><a href="/docs/protocol.md">The protocol</a>, with the WebSocket at <code>/api/v1/ws</code>, and <a href="/api/v1/asyncapi.json">its AsyncAPI description</a></li>
<li><a href="/client.js">The client for browsers</a>, and <a href="/client.d.ts">its types</a></li>
<li><a href="/health">Health</a> and <a href="/metrics">metrics</a></li>
${contactItem(securityContact)}</ul>
</body>
</html>
`,
});

/** Whether a browser requests the page at `/`; for other clients that path does not exist. */
export function wantsFrontPage({ method, headers }: HttpRequest): boolean {
  return (method === 'GET' || method === 'HEAD') && /\btext\/html\b/i.test(headers.get('accept') ?? '');
}

const SCRIPT = 'text/javascript; charset=utf-8';
/** TypeScript declarations have no content type of their own; browsers display this one. */
const DECLARATIONS = 'text/plain; charset=utf-8';

/** The built files, by path: file name, content type and additional headers. */
const FILES: readonly [path: string, name: string, type: string, headers?: Record<string, string>][] = [
  ['/docs/swagger-ui.css', 'swagger-ui.css', 'text/css; charset=utf-8'],
  ['/docs/swagger-ui-bundle.js', 'swagger-ui-bundle.js', SCRIPT],
  ['/docs/protocol.md', 'protocol.md', 'text/markdown; charset=utf-8'],
  ['/client.js', 'client.js', SCRIPT, OPEN_TO_READERS],
  ['/client.d.ts', 'client.d.ts', DECLARATIONS, OPEN_TO_READERS],
];

/**
 * Finds the files that the hub serves. It reads those of the dashboard at once, because they belong together, and the others, which are large, when
 * somebody asks for them. `scripts/build.mjs` creates them; after a plain compilation there are none, and the hub answers 404 instead.
 * @param tls Whether the hub itself terminates TLS.
 * @param securityContact A URI; null for none.
 * @param notice A notice at the top of every dashboard page; empty for none.
 */
export function loadDocumentation(
  tls: boolean,
  securityContact: string | null,
  notice: string,
): Documentation {
  const front = frontPage(securityContact);
  const pages = new Map<string, Page>([
    ['/', () => front],
    ['/docs', () => PAGE_RESPONSE],
    ['/docs/asyncapi', onceAsked(asyncApi)],
    [STYLE_PATH, () => STYLE_RESPONSE],
  ]);
  if (securityContact !== null)
    pages.set('/.well-known/security.txt', () => securityTxt(securityContact, Date.now()));
  for (const [path, name, type, headers] of FILES) {
    const file = new URL(`../../assets/${name}`, import.meta.url);
    if (existsSync(file))
      pages.set(
        path,
        onceAsked(() => assetOf(file, type, headers)),
      );
  }
  for (const [path, page] of loadDashboard(securityContact, notice)) pages.set(path, page);
  return new Map([...pages].map(([path, page]) => [path, tls ? staySecure(page) : page]));
}
