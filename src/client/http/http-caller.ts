import * as z from 'zod';
import type { Scheduler } from '../scheduler.js';
import { DiscoveryError, messageOf } from '../errors.js';

/** One request. */
export interface HttpCall {
  /** `GET` unless given. */
  method?: 'GET' | 'POST' | 'DELETE';
  headers?: Readonly<Record<string, string>>;
  /** JSON. */
  body?: string;
  signal?: AbortSignal | undefined;
  /** The statuses whose body is the answer; 200 unless given. */
  expect?: readonly number[];
}

export interface HttpAnswer<Body> {
  body: Body;
  headers: { get(name: string): string | null };
}

const DEFAULT_TIMEOUT_MS = 30_000;

const errorBody = z.object({ code: z.string(), message: z.string() });

/** Makes requests of one hub, and turns whatever goes wrong into a `DiscoveryError`. */
export class HttpCaller {
  readonly #base: string;
  readonly #fetch: typeof globalThis.fetch;
  readonly #timeoutMs: number;
  readonly #scheduler: Scheduler;

  /** @param base `http(s)://host[:port][/prefix]` */
  constructor(
    base: string,
    options: {
      scheduler: Scheduler;
      timeoutMs?: number | undefined;
      fetch?: typeof globalThis.fetch | undefined;
    },
  ) {
    this.#base = base;
    this.#scheduler = options.scheduler;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    // Called as a plain function: browsers refuse a `fetch` that is called as a method of something else.
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  }

  async call<Body>(path: string, schema: z.ZodType<Body>, call: HttpCall): Promise<HttpAnswer<Body>> {
    const { status, headers, text } = await this.#exchange(path, call);
    const value = parse(text);
    if (!(call.expect ?? [200]).includes(status)) throw refusal(status, headers, value);
    const result = schema.safeParse(value);
    if (result.success) return { body: result.data, headers };
    throw new DiscoveryError('UNEXPECTED', `${this.#base} did not answer as a hub does`, {
      status,
      retry: false,
      cause: result.error,
    });
  }

  async #exchange(
    path: string,
    { method = 'GET', headers = {}, body, signal }: HttpCall,
  ): Promise<{ status: number; headers: HttpAnswer<unknown>['headers']; text: string }> {
    signal?.throwIfAborted();
    const abort = new AbortController();
    const onAbort = (): void => {
      abort.abort(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    const timeout = new DiscoveryError(
      'TIMEOUT',
      `${this.#base} did not answer within ${String(this.#timeoutMs / 1000)} s`,
    );
    const cancel = this.#scheduler.after(this.#timeoutMs, () => {
      abort.abort(timeout);
    });
    try {
      const response = await this.#fetch(this.#base + path, {
        method,
        headers: body === undefined ? headers : { ...headers, 'Content-Type': 'application/json' },
        signal: abort.signal,
        // What is signed goes to the hub that was named, and to nobody else.
        redirect: method === 'GET' ? 'follow' : 'error',
        ...(body === undefined ? {} : { body }),
      });
      return { status: response.status, headers: response.headers, text: await response.text() };
    } catch (error) {
      if (abort.signal.reason === timeout) throw timeout;
      // The caller's own reason, as `fetch` does it.
      signal?.throwIfAborted();
      throw new DiscoveryError('NETWORK', `${this.#base} could not be reached: ${messageOf(error)}`, {
        cause: error,
      });
    } finally {
      cancel();
      signal?.removeEventListener('abort', onAbort);
    }
  }
}

/** The error that an HTTP answer amounts to. */
export function refusal(
  status: number,
  headers: HttpAnswer<unknown>['headers'],
  body: unknown,
): DiscoveryError {
  const wait = /^\d{1,9}$/.exec(headers.get('Retry-After') ?? '');
  const options = { status, retryAfterSeconds: wait === null ? null : Number(wait[0]) };
  const known = errorBody.safeParse(body);
  if (known.success) return DiscoveryError.fromBody(known.data, options);
  return new DiscoveryError(
    'UNEXPECTED',
    `the answer was HTTP ${String(status)}, and not from a hub`,
    options,
  );
}

/** JSON, or undefined when it is none. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
