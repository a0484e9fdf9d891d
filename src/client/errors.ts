import { ERROR_STATUS, type ErrorBody, type ErrorCode, ProtocolError } from '../protocol/errors.js';

/**
 * Failures that are not refusals by the hub:
 * - `NETWORK`: the hub could not be reached, or the connection broke;
 * - `TIMEOUT`: it did not answer in time;
 * - `UNEXPECTED`: it answered with something outside this protocol;
 * - `REPLACED`: a newer session of the same provider has taken over;
 * - `REFUSED`: it closed the connection with a code that makes reconnecting unchanged pointless;
 * - `SUPERSEDED`: a later call on the same session, or a withdrawal elsewhere with the same key, replaced this one before it was done;
 * - `STOPPED`: the session, watch or request was stopped, by `stop()` or its signal, whose reason is the `cause`;
 * - `SOURCE`: the function that provides the advertisement failed;
 * - `PROOF`: a proof does not hold;
 * - `KEY`: a key, or its file, is unusable;
 * - `USAGE`: an invalid call, e.g. with a malformed URL.
 */
export type LocalErrorCode =
  | 'NETWORK'
  | 'TIMEOUT'
  | 'UNEXPECTED'
  | 'REPLACED'
  | 'REFUSED'
  | 'SUPERSEDED'
  | 'STOPPED'
  | 'SOURCE'
  | 'PROOF'
  | 'KEY'
  | 'USAGE';

/** The hub's codes, and those of the client. */
export type DiscoveryErrorCode = ErrorCode | LocalErrorCode;

/** Additional properties of a `DiscoveryError`, null by default; `retry` is derived from the code by default. */
export interface DiscoveryErrorOptions {
  /** The HTTP status; by default that of the code. */
  status?: number | undefined;
  /** Whether retrying unchanged can help. */
  retry?: boolean | undefined;
  /** How many seconds the hub asks to wait first. */
  retryAfterSeconds?: number | null | undefined;
  /** The code that the WebSocket was closed with. */
  closeCode?: number | undefined;
  /** The underlying error. */
  cause?: unknown;
}

/** The only error that the client throws, rejects with, or reports. */
export class DiscoveryError extends Error {
  /** Always `DiscoveryError`. */
  override readonly name = 'DiscoveryError';
  /** What went wrong, for programs: a code of the hub, or of the client. */
  readonly code: DiscoveryErrorCode;
  /** The corresponding HTTP status; null if there is none. */
  readonly status: number | null;
  /** Whether trying again, unchanged, can help. */
  readonly retry: boolean;
  /** How many seconds the hub asks to wait first; null if it does not say. */
  readonly retryAfterSeconds: number | null;
  /** The code that the WebSocket was closed with; null if that was not the cause. */
  readonly closeCode: number | null;

  /** @param message What was wrong and what to do, for people. */
  constructor(code: DiscoveryErrorCode, message: string, options: DiscoveryErrorOptions = {}) {
    super(shortened(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = options.status ?? statusOf(code);
    this.retry = options.retry ?? canPass(code, this.status);
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
    this.closeCode = options.closeCode ?? null;
  }

  /** The error described by a hub, in the body of a response or in an `error` frame. */
  static fromBody(
    body: Pick<ErrorBody, 'message'> & {
      /** What went wrong, for programs; one of the hub's codes, or of a newer hub's. */
      code: string;
    },
    options: DiscoveryErrorOptions = {},
  ): DiscoveryError {
    if (Object.hasOwn(ERROR_STATUS, body.code)) {
      return new DiscoveryError(body.code as ErrorCode, body.message, options);
    }
    return new DiscoveryError('UNEXPECTED', `${body.code}: ${body.message}`, options);
  }

  /** Converts anything thrown to a `DiscoveryError`: itself, a refusal by the shared validation, or `code`. */
  static from(error: unknown, code: DiscoveryErrorCode): DiscoveryError {
    if (error instanceof DiscoveryError) return error;
    if (error instanceof ProtocolError)
      return new DiscoveryError(error.code, error.message, { cause: error });
    return new DiscoveryError(code, messageOf(error), { cause: error });
  }
}

/** Far more than any hub of ours has to say, in characters; what an odd one says would fill a terminal or a log. */
const MAX_MESSAGE = 2000;

function shortened(message: string): string {
  return message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)}…` : message;
}

/** The message of an unknown thrown value. The reason may be hidden: `fetch` puts it in the cause, Node in a list of errors. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const hidden = error instanceof AggregateError ? (error.errors[0] as unknown) : error.cause;
  const own = error.message;
  if (!(hidden instanceof Error)) return own === '' ? error.name : own;
  return own === '' ? messageOf(hidden) : `${own}: ${messageOf(hidden)}`;
}

/** Why a connection to a URL failed, for people, with advice if the platform's message has none. */
export function explainFailure(error: unknown, url: string): string {
  const { code, message = '' } = innermost(error);
  if (
    /wrong version number|packet length too long/i.test(`${String(code)} ${message}`.replaceAll('_', ' '))
  ) {
    return 'there is no TLS on this port; write http:// instead of https://';
  }
  const isPlain = /^(?:http|ws):/.test(url);
  if (isPlain && /^(?:HPE_|ECONNRESET$|UND_ERR_SOCKET$)/.test(String(code))) {
    return `${messageOf(error)}; if this port speaks TLS, write https:// instead of http://`;
  }
  return messageOf(error);
}

/** The innermost cause: `fetch` hides it there. */
function innermost(error: unknown): { code?: unknown; message?: string } {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? innermost(cause) : (error ?? {});
}

function statusOf(code: DiscoveryErrorCode): number | null {
  return Object.hasOwn(ERROR_STATUS, code) ? ERROR_STATUS[code as ErrorCode] : null;
}

function canPass(code: DiscoveryErrorCode, status: number | null): boolean {
  if (status !== null) return (status >= 500 || status === 429) && code !== 'WS_003';
  return code === 'NETWORK' || code === 'TIMEOUT' || code === 'SOURCE';
}
