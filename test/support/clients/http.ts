import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import type { PublishedAdvertisement } from '../../../src/protocol/advertisement.js';
import type { TestKey } from '../data/keys.js';
import { RawClient, rawRequest } from './raw-http.js';
import { type Answer, nextT, TestHub, TRANSPORTS } from '../hubs/test-hub.js';

export type { PublishedAdvertisement };

/** The path of the list; an advertisement is below it. */
export const LIST = '/api/v1/advertisements';

export const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/** The path of one advertisement. */
export function itemPath(providerId: string): string {
  return `${LIST}/${encodeURIComponent(providerId)}`;
}

/** Hubs that are stopping: the tests that follow need not wait for them. */
const stopping: Promise<void>[] = [];
after(() => Promise.all(stopping));

/**
 * Defines the same tests for both transports, each with one hub that these tests share.
 * @param settings Names without prefix, as for `TestHub.start`.
 */
export function onBothTransports(
  title: string,
  settings: Record<string, string>,
  define: (hub: () => TestHub) => void,
): void {
  for (const transport of TRANSPORTS) {
    describe(`${title} (${transport})`, () => {
      let hub: TestHub;
      before(async () => {
        hub = await TestHub.start({ TRANSPORT: transport, ...settings });
      });
      after(() => {
        stopping.push(hub.stop());
      });
      define(() => hub);
    });
  }
}

/** Requests one after another over one connection: much faster than `fetch`, for tests that send hundreds. */
export class Line {
  readonly #hub: () => TestHub;
  #client: RawClient | null = null;

  constructor(hub: () => TestHub) {
    this.#hub = hub;
  }

  async request<Body = unknown>(
    method: string,
    target: string,
    headers: Record<string, string> = {},
    body: string | Uint8Array = '',
  ): Promise<Answer<Body>> {
    if (this.#client === null || this.#client.ended)
      this.#client = await RawClient.open(this.#hub().hub.port);
    // As `fetch` does, encodes what cannot be in a request line.
    const { pathname, search } = new URL(target, this.#hub().url);
    await this.#client.write(rawRequest(method, pathname + search, Object.entries(headers), body));
    const answer = await this.#client.answer();
    assert.ok(answer !== null, `${method} ${target} was answered`);
    if (answer.headers.get('connection') === 'close') {
      this.#client.close();
      this.#client = null;
    }
    return { ...answer, body: JSON.parse(answer.body) as Body };
  }

  get<Body = unknown>(target: string): Promise<Answer<Body>> {
    return this.request<Body>('GET', target);
  }

  /** Posts a signed advertisement, as `TestHub.post` does. */
  post<Body = unknown>(
    key: TestKey,
    providerId: string,
    advertisement: object | string | Uint8Array,
  ): Promise<Answer<Body>> {
    const isText = typeof advertisement === 'string' || advertisement instanceof Uint8Array;
    const body = isText ? advertisement : JSON.stringify(advertisement);
    const headers = key.headers('advertise', providerId, nextT(this.#hub().clock), body);
    return this.request<Body>('POST', LIST, { 'Content-Type': 'application/json', ...headers }, body);
  }
}

/** Checks an answer in full against what the contract says of errors, on every path and for every failure. */
export function assertError(answer: Answer<unknown>, status: number, code: string, message?: RegExp): void {
  const { body, headers } = answer;
  assert.ok(typeof body === 'object' && body !== null, 'an error answer has a body');
  const error = body as Record<string, unknown>;
  assert.deepEqual(
    { status: answer.status, code: error['code'] },
    { status, code },
    `unexpected answer: ${JSON.stringify(body)}`,
  );
  assert.deepEqual(Object.keys(error).sort(), ['code', 'message', 'timestamp']);
  assert.equal(typeof error['message'], 'string');
  assert.notEqual(error['message'], '');
  if (message !== undefined) assert.match(error['message'] as string, message);
  assert.match(error['timestamp'] as string, ISO_TIME);
  assert.match(headers.get('content-type') ?? '', /^application\/json\b/);
  assert.equal(headers.get('access-control-allow-origin'), '*', 'pages may read why they were refused');
}

/** Asks again and again, as fast as answers come, until one is as wanted. */
export async function eventually<Value>(
  ask: () => Promise<Value>,
  wanted: (value: Value) => boolean,
): Promise<Value> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const value = await ask();
    if (wanted(value)) return value;
    if (Date.now() > deadline) throw new Error(`it stayed ${JSON.stringify(value)}`);
  }
}

/** Reads one advertisement that has to be there. */
export async function readAdvertisement(hub: TestHub, providerId: string): Promise<PublishedAdvertisement> {
  const answer = await hub.get<PublishedAdvertisement>(itemPath(providerId));
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

/** The ids of a list answer, in its order. */
export async function listIds(hub: TestHub, query = ''): Promise<string[]> {
  const answer = await hub.get<PublishedAdvertisement[]>(`${LIST}${query}`);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body.map((advertisement) => advertisement.provider_id);
}
