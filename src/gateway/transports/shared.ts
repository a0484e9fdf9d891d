import { STATUS_CODES } from 'node:http';
import ipaddr from 'ipaddr.js';
import type { HttpRequest, HttpResponse, TransportHandler } from './port.js';
import { TlsError } from './tls.js';

/** The most bytes of a request line and headers together: room for the longest query that the protocol allows. */
export const MAX_HEADER_BYTES = 16 * 1024;

/**
 * By how many bytes a message may exceed `maxMessageBytes` before the library closes the connection by itself. Up to there, the hub sees the
 * message and can close with a code that tells the client why. It is small because every connection can make the library buffer
 * this much of a message that never ends.
 */
export const OVERSIZE_BYTES = 4 * 1024;

/** Bytes that may be queued for one peer before `send` drops. A last resort: the hub's own bound is far lower. */
export const MAX_BUFFERED_BYTES = 64 * 1024 * 1024;

/** How long a peer has to take what is queued and to answer a close frame, in milliseconds. */
export const CLOSE_TIMEOUT_MS = 5_000;

/** How long a request may take to arrive, and an idle connection to send another, in milliseconds; the same as in uWebSockets.js. */
export const PATIENCE_MS = 10_000;

/** The body of a request without one. */
export const NO_BODY = new Uint8Array(0);

/** The response if a handler throws in spite of its contract. */
export const FAILED: HttpResponse = {
  status: 500,
  headers: { 'X-Content-Type-Options': 'nosniff' },
  body: '',
};

/** A listener for an event that is handled elsewhere. */
export const ignore = (): void => undefined;

/** Joins repeated headers, some of which `node:http` would drop. */
export function addHeader(headers: Map<string, string>, name: string, value: string): void {
  const earlier = headers.get(name);
  headers.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
}

/** The message for `refuse(413)`. */
export const tooLong = (limit: number): string => `The body may have at most ${limit} bytes.`;

/** Joined heads by headers object: most responses are sent many times, and joining is a large part of the cost of a response. */
const heads = new WeakMap<HttpResponse['headers'], { readonly status: number; readonly head: string }>();

/**
 * A response's status and headers, as they follow `HTTP/1.1 `. Undefined if a header contains a line break, which only `node:http`
 * checks by itself.
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

/** Releases the body of a response that nobody will read. */
export function discard({ source, stream }: HttpResponse): void {
  source?.close();
  stream?.close();
}

/** Whether a request asks for a WebSocket; any other on the WebSocket path is a plain request. */
export function isHandshake({ method, headers }: HttpRequest): boolean {
  return (
    method === 'GET' &&
    headers.get('upgrade')?.toLowerCase() === 'websocket' &&
    /(?:^|,)[ \t]*upgrade[ \t]*(?:,|$)/i.test(headers.get('connection') ?? '')
  );
}

/** The response to a malformed handshake; undefined if it is well-formed. */
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

/** The usual form of an address: plain IPv4 also behind a dual-stack socket, and short IPv6. */
export function plainAddress(text: string): string {
  return text.includes(':') && ipaddr.isValid(text) ? ipaddr.process(text).toString() : text;
}

/** Cuts a reason to the 123 bytes that a close frame has room for: the libraries would throw, or split a character. */
export function fittingReason(reason: string): string {
  if (Buffer.byteLength(reason) <= 123) return reason;
  return Buffer.from(reason)
    .subarray(0, 123)
    .toString()
    .replace(/\uFFFD+$/, '');
}

/** The error if a transport without TLS is asked to reload its certificate. */
export const noTls = (): TlsError =>
  new TlsError(
    'the hub does not speak TLS; set DISCOVERY_TLS_CERT and DISCOVERY_TLS_KEY, and start it again',
  );

/** An error that says which address could not be listened on, why, and what to do. */
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
