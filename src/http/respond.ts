import { ERROR_STATUS, type ProtocolError } from '../protocol/errors.js';
import type { HttpResponse } from '../protocol/http-message.js';

/** Has browsers take every answer for what it says it is, and nothing else. */
export const NO_SNIFFING = { 'X-Content-Type-Options': 'nosniff' } as const;

/** The headers of every JSON answer. */
export const JSON_HEADERS = {
  'Content-Type': 'application/json; charset=utf-8',
  'Cache-Control': 'no-store',
  ...NO_SNIFFING,
} as const;

/** Headers that let pages from anywhere read an answer. */
export const OPEN_TO_READERS = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'Link, X-Discovery-Cursor, Retry-After',
} as const;

/** What an answer says besides its body: 200 and no further headers, if left out. */
export interface AnswerOptions {
  status?: number;
  headers?: Record<string, string>;
}

/** A JSON answer; `body` is either JSON already or a value to be written as JSON. */
export function json(body: Uint8Array | object, options: AnswerOptions = {}): HttpResponse {
  return {
    status: options.status ?? 200,
    headers: { ...JSON_HEADERS, ...options.headers },
    body: body instanceof Uint8Array ? body : JSON.stringify(body),
  };
}

/**
 * The answer to a refused request.
 * @param wallMs Unix time in milliseconds.
 * @param options The status, where it is not the one that goes with the error, and further headers.
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
