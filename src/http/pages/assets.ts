import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { HttpRequest, HttpResponse } from '../../protocol/http-message.js';
import { NO_SNIFFING } from '../respond.js';

/** The compressed forms, smallest first, each with its file extension. */
const ENCODINGS = [
  { name: 'br', ending: '.br' },
  { name: 'gzip', ending: '.gz' },
] as const;

/** One form of a file: the full response, and the 304 for clients that already have it. */
interface Form {
  readonly full: HttpResponse;
  readonly unchanged: HttpResponse;
  readonly tag: string;
}

/**
 * Reads a built file once, with its compressed forms if there are any.
 * @param headers Additional headers of every response.
 * @returns A page that answers with the form that the request accepts, or with 304 if the client already has it.
 */
export function assetOf(
  path: URL,
  type: string,
  headers: Readonly<Record<string, string>> = {},
): (request: HttpRequest) => HttpResponse {
  const encoded = ENCODINGS.flatMap(({ name, ending }): [string, Buffer][] => {
    const file = new URL(path.href + ending);
    return existsSync(file) ? [[name, readFileSync(file)]] : [];
  });
  return answerWith(readFileSync(path), () => encoded, type, headers);
}

/** Like `assetOf`, for a text created at startup, which is compressed when first requested. */
export function madeAsset(
  text: string,
  type: string,
  headers: Readonly<Record<string, string>> = {},
): (request: HttpRequest) => HttpResponse {
  const plain = Buffer.from(text);
  const compress = (): [string, Buffer][] => [
    ['br', brotliCompressSync(plain)],
    ['gzip', gzipSync(plain)],
  ];
  return answerWith(plain, compress, type, headers);
}

/** @param encode Returns the compressed forms by encoding, smallest first. Like the tags, they are made on first use, to keep startup short. */
function answerWith(
  plain: Buffer,
  encode: () => readonly (readonly [encoding: string, body: Buffer])[],
  type: string,
  headers: Readonly<Record<string, string>>,
): (request: HttpRequest) => HttpResponse {
  const form = (body: Buffer, encoding: string | null): Form => {
    const tag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
    const common = { 'Cache-Control': 'max-age=3600', ETag: tag, Vary: 'Accept-Encoding', ...headers };
    const described = {
      'Content-Type': type,
      ...NO_SNIFFING,
      ...(encoding === null ? {} : { 'Content-Encoding': encoding }),
    };
    return {
      full: { status: 200, headers: { ...described, ...common }, body },
      unchanged: { status: 304, headers: common, body: '' },
      tag,
    };
  };
  let made: { plain: Form; encoded: ReadonlyMap<string, Form> } | undefined;
  return ({ headers: asked }) => {
    made ??= {
      plain: form(plain, null),
      encoded: new Map(encode().map(([name, body]) => [name, form(body, name)])),
    };
    const encoding = pickEncoding(asked.get('accept-encoding') ?? '', [...made.encoded.keys()]);
    const chosen = (encoding === null ? undefined : made.encoded.get(encoding)) ?? made.plain;
    return knows(asked.get('if-none-match'), chosen.tag) ? chosen.unchanged : chosen.full;
  };
}

/**
 * Picks the first of these encodings that an `Accept-Encoding` (RFC 9110, 12.5.3) accepts; null if none. An encoding refused by name (`q=0`)
 * is refused, whatever `*` says.
 */
export function pickEncoding(accepted: string, available: readonly string[]): string | null {
  const weights = new Map<string, boolean>();
  for (const part of accepted.toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim());
    weights.set(name, !parameters.some((parameter) => /^q=0(?:\.0{0,3})?$/.test(parameter)));
  }
  return available.find((name) => weights.get(name) ?? weights.get('*') ?? false) ?? null;
}

/** Whether an `If-None-Match` (RFC 9110, 13.1.2) names this form. */
function knows(condition: string | undefined, tag: string): boolean {
  if (condition === undefined) return false;
  const tags = condition.split(',').map((text) => text.trim());
  return tags.some((known) => known === '*' || known === tag || known === `W/${tag}`);
}
