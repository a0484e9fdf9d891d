import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DiscoveryClient, type DiscoveryError, generateKey } from '../../../src/client/index.js';
import { FakeTime } from '../support/fake-time.js';
import { ADVERTISEMENT } from '../support/session-scene.js';
import { publishedAs } from '../support/fake-hub.js';

interface Asked {
  host: string;
  method: string;
  signature: string | null;
}

/** What each host answers: a status with a body, or an error of the network. */
type Answers = Readonly<Record<string, readonly [number, unknown] | Error>>;

const refusal = (code: string): object => ({ code, message: 'not now', timestamp: '2026-01-01T00:00:00Z' });
const away = new Error('connection refused');

/** A client of hubs a, b and c, in this order, that play what they are told. */
function clientOf(answers: Answers): { client: DiscoveryClient; asked: Asked[] } {
  const asked: Asked[] = [];
  const fetch = ((input: string, init: RequestInit) => {
    const { host } = new URL(input);
    const signature = new Headers(init.headers).get('X-Provider-Signature');
    asked.push({ host, method: init.method ?? 'GET', signature });
    const answer = answers[host]!;
    if (answer instanceof Error) return Promise.reject(answer);
    return Promise.resolve(new Response(JSON.stringify(answer[1]), { status: answer[0] }));
  }) as typeof globalThis.fetch;
  const options = { fetch, scheduler: new FakeTime(), random: () => 0.999 };
  return { client: new DiscoveryClient(['http://a', 'http://b', 'http://c'], options), asked };
}

const hostsOf = (asked: readonly Asked[]): string[] => asked.map(({ host }) => host);

test('what a hub cannot do now the next one is asked for, and first from then on', async () => {
  const { client, asked } = clientOf({ a: away, b: [503, refusal('ADV_003')], c: [200, []] });
  assert.deepEqual(await client.find(), []);
  assert.deepEqual(await client.find(), []);
  assert.deepEqual(hostsOf(asked), ['a', 'b', 'c', 'c']);
});

test('what a hub refuses no other is asked for', async () => {
  for (const [status, code] of [
    [400, 'ADV_002'],
    [429, 'RATE_001'],
    [500, 'ADV_003'],
  ] as const) {
    const { client, asked } = clientOf({ a: [status, refusal(code)], b: [200, []], c: [200, []] });
    await assert.rejects(client.find(), { code, status });
    assert.deepEqual(hostsOf(asked), ['a']);
  }
});

test('a write is signed anew for each hub: the one that failed may have taken the signature', async () => {
  const { client, asked } = clientOf({
    a: [503, refusal('ADV_001')],
    b: [200, publishedAs('p1')],
    c: away,
  });
  await client.advertise(generateKey(), ADVERTISEMENT);
  assert.deepEqual(hostsOf(asked), ['a', 'b']);
  assert.notEqual(asked[0]!.signature, asked[1]!.signature);
});

test('when all have failed, the error says what each did', async () => {
  const { client, asked } = clientOf({ a: away, b: [503, refusal('ADV_003')], c: away });
  await assert.rejects(client.find(), (error: DiscoveryError) => {
    assert.equal(error.code, 'NETWORK');
    assert.equal(error.retry, true);
    assert.match(
      error.message,
      /none of 3 hubs.*http:\/\/a could not.*http:\/\/b: not now.*http:\/\/c could/,
    );
    return true;
  });
  assert.deepEqual(hostsOf(asked), ['a', 'b', 'c']);
});

test('a request that was given up is given up at all hubs', async () => {
  const giveUp = new AbortController();
  giveUp.abort();
  const { client, asked } = clientOf({ a: away, b: away, c: away });
  await assert.rejects(client.find({}, { signal: giveUp.signal }), { code: 'STOPPED' });
  assert.deepEqual(asked, []);
});
