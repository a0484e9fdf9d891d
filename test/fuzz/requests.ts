import fc from '../support/properties.js';
import { attributeParameters, resourceParameter } from '../../src/protocol/filters/fact-parameters.js';
import { canonicalFilterKey, type Filter } from '../../src/protocol/filters/filter.js';
import { toWellFormed } from '../../src/protocol/text.js';
import { type Content, filter, payloadOf } from '../support/data/arbitraries.js';
import { rawRequest } from '../support/clients/raw-http.js';
import { oddContent } from './contents.js';
import { encodeFrame } from './encoding.js';
import {
  byteMutation,
  type ByteMutation,
  mutate,
  mutateBytes,
  type Mutation,
  mutation,
  oddText,
} from './mutations.js';
import type { Speaker } from './speaker.js';

const ROUTES = ['list', 'get', 'proof', 'post', 'delete', 'page'] as const;
type Route = (typeof ROUTES)[number];

/** A request with everything that may be odd about it; what is null or empty is as it should be. */
export interface RequestItem {
  route: Route;
  content: Content;
  filter: Filter;
  /** Whether its signature is a real one, if it needs one. */
  signed: boolean;
  method: string | null;
  /** Percent-encoded, in the place of the provider's id. */
  segment: string | null;
  /** More of the query. */
  query: (readonly [name: string, value: string])[];
  headers: (readonly [name: string, value: string])[];
  /** Changes to the advertisement, before it is signed. */
  payload: Mutation[];
  /** Changes to the body, behind the signature's back. */
  body: ByteMutation[];
  chunked: boolean;
}

/** What HTTP allows in a path: percent-encoded bytes of all kinds, good and bad. */
const SEGMENTS = [
  ...[
    '%00',
    '%2F',
    '%2f..%2f',
    '%2e%2e',
    '..',
    '.',
    '%c0%af',
    '%ed%a0%80',
    '%ff',
    '%',
    '%z',
    '%2',
    '%252F',
    '%25%30%30',
  ],
  ...[
    '%0d%0aX-Injected:%20yes',
    '%0A',
    '%E2%80%A8',
    '%22%7D',
    'a%2Fproof',
    'x'.repeat(128),
    'x'.repeat(129),
    'x'.repeat(3000),
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    ';a=b',
    '*',
    '@',
    ':',
    '&',
    '=',
    '+',
    '%20',
    `0x${'a'.repeat(40)}`,
    'ab'.repeat(32),
  ],
] as const;
const PAGES = [
  '/health',
  '/',
  '//',
  '/api/v1',
  '/api/v1/',
  '/api/v1/ws',
  '/api/v1/advertisements/',
  '/metrics',
  '/%2e%2e/health',
];
const METHODS = ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS', 'PUT', 'PATCH', 'PROPFIND', 'TRACE'];
const NAMES = [
  'cpu',
  'memory',
  'country',
  'platform',
  'max_usd_per_month',
  'status',
  'sort',
  'limit',
  'after',
  'typo',
  '',
  '__proto__',
];
const HEADERS = [
  ...[
    'X-Provider-ID',
    'X-Provider-Signature',
    'Content-Type',
    'X-Forwarded-For',
    'Origin',
    'Accept',
    'Cookie',
    'X-Odd',
  ],
  ...['Sec-WebSocket-Protocol', 'If-None-Match', 'Range', 'Content-Encoding', 'Authorization', 'Referer'],
];

/** A header's value may have any byte of Latin-1 that is no control character. */
const headerValue = fc.oneof(
  fc.constantFrom(
    '',
    '*',
    'application/json',
    'text/plain',
    'gzip',
    't=1,k=,v1=',
    'bytes=0-',
    '\u00ff'.repeat(40),
    'x'.repeat(2000),
  ),
  fc
    .array(fc.integer({ min: 0x21, max: 0x7e }), { maxLength: 30 })
    .map((codes) => String.fromCharCode(...codes)),
);
const pair = fc.tuple(fc.constantFrom(...NAMES), oddText);
const header = fc.tuple(fc.constantFrom(...HEADERS), headerValue);

const seldom = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(one, { freq: 3 });
const few = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.oneof(
    { weight: 2, arbitrary: fc.constant<T[]>([]) },
    { weight: 1, arbitrary: fc.array(one, { minLength: 1, maxLength: 3 }) },
  );

/** Requests that are proper HTTP, whatever they say. */
export const requestItem: fc.Arbitrary<RequestItem> = fc.record(
  {
    route: fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom('list', 'get') },
      { weight: 1, arbitrary: fc.constantFrom(...ROUTES) },
    ),
    content: oddContent,
    filter,
    signed: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
    method: fc.option(fc.constantFrom(...METHODS), { freq: 5 }),
    segment: seldom(fc.constantFrom(...SEGMENTS)),
    query: few(pair),
    headers: few(header),
    payload: few(mutation),
    body: fc.oneof(
      { weight: 4, arbitrary: fc.constant<ByteMutation[]>([]) },
      { weight: 1, arbitrary: fc.array(byteMutation, { maxLength: 2 }) },
    ),
    chunked: fc.boolean(),
  },
  { noNullPrototype: true },
);

/** The request's bytes in parts, so that whoever damages them knows what is what. */
export interface BuiltRequest {
  bytes: Buffer;
  method: string;
  /** Whether its answer may come after that of a later one would: it waits for a signature, the disk, or, as a list, its turn. */
  isLater: boolean;
}

function queryOf(from: Filter, more: RequestItem['query']): string {
  const { min = {}, attributes = {}, ...rest } = from;
  const members = JSON.parse(canonicalFilterKey(rest)) as [string, string | number | string[]][];
  const pairs = [
    ...members.map(([name, value]) => [name, String(value)] as const),
    ...Object.entries(min).map(([name, least]) => resourceParameter(name, least)),
    ...Object.entries(attributes).flatMap(([name, asked]) => attributePairs(name, asked)),
    ...more,
  ];
  if (pairs.length === 0) return '';
  return `?${pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(toWellFormed(value))}`).join('&')}`;
}

function attributePairs(
  name: string,
  asked: NonNullable<Filter['attributes']>[string],
): [name: string, value: string][] {
  try {
    return attributeParameters(name, asked);
  } catch {
    // A query cannot ask for that; a subscription can.
    return [];
  }
}

/** In chunks of a few sizes, or in one with its length. */
function withBody(
  method: string,
  target: string,
  headers: (readonly [string, string])[],
  body: Uint8Array,
  chunked: boolean,
): Buffer {
  if (!chunked || body.length === 0) return rawRequest(method, target, headers, body);
  const chunks = [];
  for (let at = 0, size = 1; at < body.length; at += size, size = (size * 7) % 1000) {
    const chunk = body.subarray(at, at + size);
    chunks.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'));
  }
  chunks.push(Buffer.from('0\r\n\r\n'));
  return Buffer.concat([
    rawRequest(method, target, [...headers, ['Transfer-Encoding', 'chunked']]),
    ...chunks,
  ]);
}

/** A request as a speaker makes it. */
export function buildRequest(item: RequestItem, speaker: Speaker): BuiltRequest {
  const { route, signed, chunked } = item;
  const id = item.segment ?? encodeURIComponent(speaker.id);
  const base = '/api/v1/advertisements';
  const targets: Record<Route, string> = {
    list: base + queryOf(item.filter, item.query),
    get: `${base}/${id}`,
    proof: `${base}/${id}/proof`,
    post: base,
    delete: `${base}/${id}`,
    page: PAGES[canonicalFilterKey(item.filter).length % PAGES.length]!,
  };
  const usual = route === 'post' ? 'POST' : route === 'delete' ? 'DELETE' : 'GET';
  const method = item.method ?? usual;
  const headers: (readonly [string, string])[] = [...item.headers];
  let body: Uint8Array = Buffer.alloc(0);
  if (route === 'post') {
    body = encodeFrame('json', mutate(JSON.parse(payloadOf(item.content)), item.payload));
    if (signed) headers.push(...Object.entries(speaker.headers('advertise', body)));
    if (item.body.length > 0) body = mutateBytes(body, item.body);
  } else if (route === 'delete' && signed) {
    headers.push(...Object.entries(speaker.headers('withdraw', '')));
  }
  const isLater =
    route === 'list' ||
    body.length > 0 ||
    !['GET', 'HEAD', 'OPTIONS'].includes(method) ||
    targets[route] === '/metrics';
  return { bytes: withBody(method, targets[route], headers, body, chunked), method, isLater };
}

/** Whether nothing is odd about it, so that a hub has to accept it. */
export function isHonestRequest(item: RequestItem): boolean {
  const { route, method, segment, query, headers, payload, body, signed } = item;
  const isUsual = method === null && segment === null && query.length + headers.length === 0;
  return isUsual && (route === 'list' || (route === 'post' && signed && payload.length + body.length === 0));
}
