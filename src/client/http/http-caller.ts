import type * as z from 'zod';
import type { Scheduler } from '../scheduler.js';
import { DiscoveryError, explainFailure } from '../errors.js';
import { parse, refusal } from '../refusal.js';

/** One request. */
export interface HttpCall {
  /** `GET` by default. */
  method?: 'GET' | 'POST' | 'DELETE';
  headers?: Readonly<Record<string, string>>;
  /** JSON. */
  body?: string;
  signal?: AbortSignal | undefined;
  /** The statuses that count as success; 200 by default. */
  expect?: readonly number[];
  /** The most bytes that the body of a success may have; by default more than a single answer ever has. */
  maxBytes?: number | undefined;
}

export interface HttpAnswer<Body> {
  body: Body;
  headers: { get(name: string): string | null };
}

/** Statuses of hubs, or of proxies in front of them, that cannot serve at the moment: another hub may. */
const PASSING_STATUSES: readonly (number | null)[] = [502, 503, 504];
const DEFAULT_TIMEOUT_MS = 10_000;
const MIB = 1024 * 1024;
const DEFAULT_MAX_BYTES = MIB;
/** No error is nearly as long. */
const MAX_REFUSAL_BYTES = 64 * 1024;
/** The header has whole seconds, so half a second is the best guess for the rest. */
const DATE_ROUNDING_MS = 500;

/** Sends requests to a hub, or to one of several, and converts all failures to `DiscoveryError`s. */
export class HttpCaller {
  readonly #bases: readonly string[];
  /** The index of the hub to ask first. */
  #at = 0;
  readonly #fetch: typeof globalThis.fetch;
  readonly #timeoutMs: number;
  readonly #scheduler: Scheduler;
  #clockOffsetMs: number | null = null;

  /** @param bases `http(s)://host[:port][/prefix]`, at least one. */
  constructor(
    bases: readonly string[],
    options: {
      scheduler: Scheduler;
      timeoutMs?: number | undefined;
      fetch?: typeof globalThis.fetch | undefined;
    },
  ) {
    this.#bases = bases;
    this.#scheduler = options.scheduler;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    // Called as a plain function: browsers reject `fetch` as a method of another object.
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  }

  /** Milliseconds by which the hub's clock was ahead of this one at its last response; null while unknown. */
  get clockOffsetMs(): number | null {
    return this.#clockOffsetMs;
  }

  /**
   * Sends a request to each hub in turn, until one answers.
   * @param call The request, or a function that creates it anew for each hub, because no two accept the same signature.
   */
  async call<Body>(
    path: string,
    schema: z.ZodType<Body>,
    call: HttpCall | (() => Promise<HttpCall>),
  ): Promise<HttpAnswer<Body>> {
    const failures: { base: string; error: DiscoveryError }[] = [];
    const first = this.#at;
    for (const turn of this.#bases.keys()) {
      const at = (first + turn) % this.#bases.length;
      const base = this.#bases[at]!;
      try {
        return await this.#ask(base, path, schema, typeof call === 'function' ? await call() : call);
      } catch (error) {
        if (!(error instanceof DiscoveryError) || !mayPassElsewhere(error)) throw error;
        failures.push({ base, error });
        // Other requests may have moved on meanwhile.
        if (this.#at === at) this.#at = (at + 1) % this.#bases.length;
      }
    }
    throw allFailed(failures);
  }

  async #ask<Body>(
    base: string,
    path: string,
    schema: z.ZodType<Body>,
    call: HttpCall,
  ): Promise<HttpAnswer<Body>> {
    const { status, headers, text } = await this.#exchange(base, path, call);
    const value = parse(text);
    if (!(call.expect ?? [200]).includes(status)) throw refusal(status, headers, value);
    const result = schema.safeParse(value);
    if (result.success) return { body: result.data, headers };
    throw new DiscoveryError('UNEXPECTED', `${base} did not answer as a hub does`, {
      status,
      retry: false,
      cause: result.error,
    });
  }

  async #exchange(
    base: string,
    path: string,
    { method = 'GET', headers = {}, body, signal, expect = [200], maxBytes = DEFAULT_MAX_BYTES }: HttpCall,
  ): Promise<{ status: number; headers: HttpAnswer<unknown>['headers']; text: string }> {
    const giveUp = new AbortController();
    const onAbort = (): void => {
      giveUp.abort(stopped(signal));
    };
    if (signal?.aborted === true) throw stopped(signal);
    signal?.addEventListener('abort', onAbort, { once: true });
    const silence = new Silence(this.#scheduler, this.#timeoutMs, () => {
      const seconds = String(this.#timeoutMs / 1000);
      giveUp.abort(new DiscoveryError('TIMEOUT', `${base} did not answer within ${seconds} s`));
    });
    try {
      const response = await this.#fetch(base + path, {
        method,
        headers: body === undefined ? headers : { ...headers, 'Content-Type': 'application/json' },
        signal: giveUp.signal,
        // Signed requests must only go to the named hub.
        redirect: method === 'GET' ? 'follow' : 'error',
        ...(body === undefined ? {} : { body }),
      });
      this.#readClock(response.headers);
      const { status } = response;
      const isSuccess = expect.includes(status);
      const text = await readText(response, silence, isSuccess ? maxBytes : MAX_REFUSAL_BYTES);
      if (text !== null) return { status, headers: response.headers, text };
      giveUp.abort();
      // A refusal that long is none of a hub.
      if (!isSuccess) return { status, headers: response.headers, text: '' };
      throw new DiscoveryError(
        'UNEXPECTED',
        `${base} sent more than ${sizeOf(maxBytes)}, which no hub does`,
        {
          status,
          retry: false,
        },
      );
    } catch (error) {
      if (error instanceof DiscoveryError) throw error;
      const reason: unknown = giveUp.signal.reason;
      if (reason instanceof DiscoveryError) throw reason;
      throw new DiscoveryError('NETWORK', `${base} could not be reached: ${explainFailure(error, base)}`, {
        cause: error,
      });
    } finally {
      silence.end();
      signal?.removeEventListener('abort', onAbort);
    }
  }

  #readClock(headers: HttpAnswer<unknown>['headers']): void {
    const date = Date.parse(headers.get('Date') ?? '');
    if (!Number.isNaN(date)) this.#clockOffsetMs = date + DATE_ROUNDING_MS - this.#scheduler.now();
  }
}

function mayPassElsewhere({ code, status }: DiscoveryError): boolean {
  return code === 'NETWORK' || code === 'TIMEOUT' || PASSING_STATUSES.includes(status);
}

/** The error of the last hub; if there are several, with the messages of all. */
function allFailed(failures: readonly { base: string; error: DiscoveryError }[]): DiscoveryError {
  const { error: last } = failures.at(-1)!;
  if (failures.length === 1) return last;
  const said = failures.map(({ base, error: { message } }) =>
    message.startsWith(base) ? message : `${base}: ${message}`,
  );
  const { status, retry, retryAfterSeconds } = last;
  return new DiscoveryError(last.code, `none of ${String(failures.length)} hubs could: ${said.join('; ')}`, {
    status: status ?? undefined,
    retry,
    retryAfterSeconds,
    cause: last,
  });
}

/** Calls back once a hub has been silent for a while. */
class Silence {
  readonly #begin: () => () => void;
  #cancel: () => void;

  constructor(scheduler: Scheduler, ms: number, tooLong: () => void) {
    this.#begin = () => scheduler.after(ms, tooLong);
    this.#cancel = this.#begin();
  }

  /** Restarts the wait. */
  broken(): void {
    this.#cancel();
    this.#cancel = this.#begin();
  }

  end(): void {
    this.#cancel();
  }
}

/** Reads a body, however long it takes, as long as data keeps coming. @returns Null if it has more bytes than allowed. */
async function readText(response: Response, silence: Silence, maxBytes: number): Promise<string | null> {
  if (response.body === null) return response.text();
  const decoder = new TextDecoder();
  const parts: string[] = [];
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return parts.join('') + decoder.decode();
    silence.broken();
    bytes += value.length;
    if (bytes > maxBytes) return null;
    parts.push(decoder.decode(value, { stream: true }));
  }
}

const sizeOf = (bytes: number): string => `${String(bytes / MIB)} MiB`;

function stopped(signal: AbortSignal | undefined): DiscoveryError {
  return new DiscoveryError('STOPPED', 'the request was aborted by its signal', { cause: signal?.reason });
}
