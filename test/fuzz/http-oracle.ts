import assert from 'node:assert/strict';
import { ERROR_STATUS, type ErrorCode } from '../../src/protocol/errors.js';
import type { RawAnswer } from '../support/clients/raw-http.js';
import type { TransportName } from '../support/hubs/test-hub.js';
import { assertErrorShape } from './frame-oracle.js';

/** Every header that a hub, or a library under it, sends of its own accord: anything else came from a client. */
const HEADERS = new Set([
  ...[
    'content-type',
    'content-length',
    'cache-control',
    'date',
    'connection',
    'keep-alive',
    'transfer-encoding',
  ],
  ...['link', 'x-discovery-cursor', 'allow', 'upgrade', 'location', 'etag', 'sec-websocket-version'],
  ...['access-control-allow-origin', 'access-control-expose-headers', 'access-control-allow-methods'],
  ...['access-control-allow-headers', 'access-control-max-age', 'uwebsockets', 'content-security-policy'],
  ...['x-content-type-options', 'referrer-policy', 'vary'],
]);
const GOOD = [200, 204];
const REFUSED = [400, 401, 403, 404, 405, 413, 415];
/** Pages of uWebSockets.js itself: for what is not HTTP, for headers that are too long, for another version. */
const LIBRARY_PAGES = [400, 431, 505];

/**
 * Checks an answer against what the contract says of all answers.
 * @param proper Whether the request was proper HTTP, so that the answer has to be the hub's own.
 */
export function assertAnswer(
  answer: RawAnswer,
  method: string,
  transport: TransportName,
  proper: boolean,
): void {
  const said = JSON.stringify({ ...answer, headers: [...answer.headers] }).slice(0, 1500);
  const { status, headers, body } = answer;
  for (const name of headers.keys()) assert.ok(HEADERS.has(name), `${name} in ${said}`);
  if (GOOD.includes(status)) return;
  if (!proper && status === 100) return;
  const isPage = !(headers.get('content-type') ?? '').startsWith('application/json');
  if (!proper && transport === 'uws' && isPage && LIBRARY_PAGES.includes(status)) return;
  assert.ok(REFUSED.includes(status), said);
  assert.equal(isPage, false, said);
  if (method === 'HEAD') return;
  const error = JSON.parse(body) as Record<string, unknown>;
  assertErrorShape(error, ['code', 'message', 'timestamp']);
  assert.equal(ERROR_STATUS[error['code'] as ErrorCode], status, said);
}
