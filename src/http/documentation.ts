import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { HttpRequest, HttpResponse } from '../protocol/http-message.js';
import { NO_SNIFFING, OPEN_TO_READERS } from './respond.js';

/** The pages and files of the interface's documentation, by path. */
export type Documentation = ReadonlyMap<string, (request: HttpRequest) => HttpResponse>;

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

/** Nothing from elsewhere is loaded, no script runs but the package's and the one above, and no page gets hold of this one. */
const SECURITY_HEADERS = {
  'Content-Security-Policy': [
    "default-src 'none'",
    `script-src 'self' 'sha256-${createHash('sha256').update(START).digest('base64')}'`,
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'Referrer-Policy': 'no-referrer',
  ...NO_SNIFFING,
} as const;

/** A year, for this host alone. */
const STRICT_TRANSPORT = { 'Strict-Transport-Security': 'max-age=31536000' } as const;

/**
 * Has browsers never ask for this without TLS again. That holds for a host with all its ports, so a hub only says it
 * where it is what the host's default port leads to; on another port it may have neighbours without TLS.
 */
function staySecure(response: HttpResponse): (request: HttpRequest) => HttpResponse {
  const strict = { ...response, headers: { ...response.headers, ...STRICT_TRANSPORT } };
  return ({ headers }) => (/:\d+$/.test(headers.get('host') ?? '') ? response : strict);
}

/**
 * Reads the files that the hub serves, once, at the start: the documentation from its package, and the client for
 * browsers, which a plain compilation without bundling does not have.
 * @param tls Whether the hub itself speaks TLS.
 */
export function loadDocumentation(tls: boolean): Documentation {
  const require = createRequire(import.meta.url);
  const client = new URL('../client/browser.js', import.meta.url);
  const file = (path: string | URL, type: string): HttpResponse => ({
    status: 200,
    headers: { 'Content-Type': type, 'Cache-Control': 'max-age=3600', ...NO_SNIFFING },
    body: readFileSync(path),
  });
  const swagger = (name: string): string => require.resolve(`swagger-ui-dist/${name}`);
  const script = 'text/javascript; charset=utf-8';
  const pages = new Map<string, HttpResponse>([
    [
      '/docs',
      {
        status: 200,
        headers: {
          'Content-Type': 'text/html; charset=utf-8',
          'Cache-Control': 'no-store',
          ...SECURITY_HEADERS,
        },
        body: PAGE,
      },
    ],
    ['/docs/swagger-ui.css', file(swagger('swagger-ui.css'), 'text/css; charset=utf-8')],
    ['/docs/swagger-ui-bundle.js', file(swagger('swagger-ui-bundle.js'), script)],
  ]);
  if (existsSync(client)) {
    const { headers, ...rest } = file(client, script);
    pages.set('/client.js', { ...rest, headers: { ...headers, ...OPEN_TO_READERS } });
  }
  return new Map([...pages].map(([path, page]) => [path, tls ? staySecure(page) : () => page]));
}
