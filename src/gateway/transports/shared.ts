import { STATUS_CODES } from 'node:http';
import ipaddr from 'ipaddr.js';
import type { HttpRequest, HttpResponse, TransportHandler } from './port.js';
import { TlsError } from './tls.js';

/** Bytes of a request line and its headers together. Room for the longest query that the protocol allows. */
export const MAX_HEADER_BYTES = 16 * 1024;

/**
 * By how many bytes a message may be longer than `maxMessageBytes` before the library ends the connection by itself.
 * Up to there the hub sees the message and can close with a code that tells the client why. Not more, because that is
 * what every connection can make the library keep of a message that never ends.
 */
export const OVERSIZE_BYTES = 4 * 1024;

/** Bytes that may wait for one peer before `send` drops. A last resort: the hub's own bound is far lower. */
export const MAX_BUFFERED_BYTES = 64 * 1024 * 1024;

/** Milliseconds that a peer has to take what is queued and to answer a close frame. */
export const CLOSE_TIMEOUT_MS = 5_000;

/** Milliseconds for a request to arrive in full, and for an idle connection to send another: as uWebSockets.js. */
export const PATIENCE_MS = 10_000;

/** What a request without a body has as its body. */
export const NO_BODY = new Uint8Array(0);

/** Sent when a handler breaks its promise not to throw: nothing is known that could be said. */
export const FAILED: HttpResponse = {
  status: 500,
  headers: { 'X-Content-Type-Options': 'nosniff' },
  body: '',
};

/** Listens to an event whose news comes another way. */
export const ignore = (): void => undefined;

/** Joins repeated headers, which `node:http` itself would partly drop. */
export function addHeader(headers: Map<string, string>, name: string, value: string): void {
  const earlier = headers.get(name);
  headers.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
}

/** What `refuse(413)` is told. */
export const tooLong = (limit: number): string => `The body may have at most ${limit} bytes.`;

/** By headers: most answers are given many times, and joining their heads would be a good part of what each costs. */
const heads = new WeakMap<HttpResponse['headers'], { readonly status: number; readonly head: string }>();

/**
 * A response's status and headers as they follow `HTTP/1.1 `. Undefined when a header would break out of its line,
 * which only `node:http` checks by itself.
 */
export function joinHead({ status, headers }: HttpResponse): string | undefined {
  const known = heads.get(headers);
  if (known?.status === status) return known.head;
  let head = `${status} ${STATUS_CODES[status] ?? 'Unknown'}`;
  for (const name in headers) {
    const value = headers[name] ?? '';
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) return undefined;
    head += `\r\n${name}: ${value}`;
  }
  heads.set(headers, { status, head });
  return head;
}

/** Whether a response with this status has neither a body nor a `Content-Length`. */
export function isBodiless(status: number): boolean {
  return status === 204 || status === 304;
}

/** Gives back what a response holds that nobody will read. */
export function discard({ source, stream }: HttpResponse): void {
  source?.close();
  stream?.close();
}

/** Whether this request asks for a WebSocket; anything else on the WebSocket's path is a plain request. */
export function isHandshake({ method, headers }: HttpRequest): boolean {
  return (
    method === 'GET' &&
    headers.get('upgrade')?.toLowerCase() === 'websocket' &&
    /(?:^|,)[ \t]*upgrade[ \t]*(?:,|$)/i.test(headers.get('connection') ?? '')
  );
}

/** The answer to a handshake that is not well-formed; undefined when it is. */
export function refuseHandshake(
  { headers }: HttpRequest,
  handler: TransportHandler,
): HttpResponse | undefined {
  if (headers.get('sec-websocket-version') !== '13') {
    const refusal = handler.refuse(400, 'Sec-WebSocket-Version must be 13.');
    return { ...refusal, headers: { ...refusal.headers, 'Sec-WebSocket-Version': '13' } };
  }
  if (!/^[A-Za-z0-9+/]{22}==$/.test(headers.get('sec-websocket-key') ?? '')) {
    return handler.refuse(400, 'Sec-WebSocket-Key must be 16 bytes in base64.');
  }
  return undefined;
}

/** An address as people write it: IPv4 seen through a dual-stack socket as IPv4, IPv6 in its short form. */
export function plainAddress(text: string): string {
  return text.includes(':') && ipaddr.isValid(text) ? ipaddr.process(text).toString() : text;
}

/** A close frame has room for 123 bytes of reason; the libraries throw, or cut through a character. */
export function fittingReason(reason: string): string {
  if (Buffer.byteLength(reason) <= 123) return reason;
  return Buffer.from(reason)
    .subarray(0, 123)
    .toString()
    .replace(/\uFFFD+$/, '');
}

/** The error of a transport without TLS that is to renew its certificate. */
export const noTls = (): TlsError =>
  new TlsError(
    'the hub does not speak TLS; set DISCOVERY_TLS_CERT and DISCOVERY_TLS_KEY, and start it again',
  );

/** An error that says what could not be listened on, why, and what to do. */
export function listenError(address: { host: string; port: number }, cause: unknown): Error {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return new Error(`Cannot listen on ${host}:${address.port}: ${explain(cause)}`, { cause });
}

function explain(cause: unknown): string {
  switch (cause instanceof Error && 'code' in cause ? cause.code : undefined) {
    case 'EADDRINUSE':
      return 'the port is in use. Stop what listens there, or choose another port.';
    case 'EACCES':
      return 'this user may not use the port. Choose a port above 1023.';
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EINVAL':
      return 'this machine has no such address. Choose one of its own, or 0.0.0.0 or :: for all.';
    default:
      return cause instanceof Error ? cause.message : String(cause);
  }
}
