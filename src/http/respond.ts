import { ERROR_STATUS, type ProtocolError } from '../protocol/errors.js';
import type { HttpResponse } from '../protocol/http-message.js';

/** Tells browsers not to guess content types. */
export const NO_SNIFFING = { 'X-Content-Type-Options': 'nosniff' } as const;

/** The headers of every JSON answer. */
export const JSON_HEADERS = {
  'Content-Type': 'application/json; charset=utf-8',
  'Cache-Control': 'no-store',
  ...NO_SNIFFING,
} as const;

/** CORS headers that let pages from anywhere read a response. */
export const OPEN_TO_READERS = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'Link, X-Discovery-Cursor, Retry-After',
} as const;

/** Status and additional headers; by default 200 and none. */
export interface AnswerOptions {
  status?: number;
  headers?: Record<string, string>;
}

/** A JSON response; `body` is JSON already, or a value to serialise. */
export function json(body: Uint8Array | object, options: AnswerOptions = {}): HttpResponse {
  return {
    status: options.status ?? 200,
    headers: { ...JSON_HEADERS, ...options.headers },
    body: body instanceof Uint8Array ? body : JSON.stringify(body),
  };
}

/**
 * The response to a refused request.
 * @param wallMs Unix time in milliseconds.
 * @param options The status, if it is not the error's usual one, and additional headers.
 */
export function errorResponse(
  error: ProtocolError,
  wallMs: number,
  options: AnswerOptions = {},
): HttpResponse {
  const wait = error.retryAfterSeconds;
  return json(error.toBody(wallMs), {
    status: options.status ?? (error.unavailable ? 503 : ERROR_STATUS[error.code]),
    headers: {
      ...(wait === null ? {} : { 'Retry-After': String(wait) }),
      ...options.headers,
      ...OPEN_TO_READERS,
    },
  });
}
