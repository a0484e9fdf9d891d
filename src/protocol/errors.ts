import { toWellFormed } from './text.js';

/**
 * The error codes of the protocol with the HTTP status each one travels under.
 * `ADV_001` and `ADV_003` are 503 if the request is fine but the hub is temporarily unable to serve it.
 */
export const ERROR_STATUS = {
  AUTH_001: 401,
  AUTH_002: 401,
  AUTH_003: 401,
  AUTH_004: 403,
  AUTH_005: 403,
  ADV_001: 400,
  ADV_002: 400,
  ADV_003: 500,
  ADV_004: 404,
  RATE_001: 429,
  RATE_002: 429,
  RATE_003: 429,
  RATE_004: 429,
  RATE_005: 429,
  RATE_006: 429,
  HTTP_400: 400,
  HTTP_404: 404,
  HTTP_405: 405,
  HTTP_413: 413,
  HTTP_415: 415,
  WS_001: 400,
  WS_002: 401,
  WS_003: 429,
  WS_004: 429,
  WS_005: 503,
  WS_4507: 503,
} as const;

/** A hub's error codes; the protocol defines their meaning. */
export type ErrorCode = keyof typeof ERROR_STATUS;

/** How clients see every failure: over HTTP as the body, over a WebSocket inside an `error` frame. */
export interface ErrorBody {
  /** What went wrong, for programs. */
  code: ErrorCode;
  /** What was wrong and what to do, for people. */
  message: string;
  /** ISO 8601 UTC with milliseconds. */
  timestamp: string;
}

/**
 * A refusal with a code from the protocol. The message says what was wrong and what to do. HTTP and WebSocket each decide how to transmit
 * it, e.g. with which HTTP status.
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: ErrorCode;
  /** Whether the request is fine, but the hub cannot serve it at the moment: some codes cover both cases. */
  readonly unavailable: boolean;
  /** How long to wait before retrying; null if unknown, or if retrying does not help. */
  readonly retryAfterSeconds: number | null;

  constructor(
    code: ErrorCode,
    message: string,
    options: { unavailable?: boolean; retryAfterSeconds?: number; cause?: unknown } = {},
  ) {
    // Messages may quote what clients sent.
    super(toWellFormed(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.unavailable = options.unavailable ?? false;
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
  }

  /** @param wallMs Unix time in milliseconds. */
  toBody(wallMs: number): ErrorBody {
    return { code: this.code, message: this.message, timestamp: new Date(wallMs).toISOString() };
  }
}
