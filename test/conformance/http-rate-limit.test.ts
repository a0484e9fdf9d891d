import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { assertError, LIST } from '../support/http.js';
import { TestKey } from '../support/keys.js';
import { RawClient, rawRequest } from '../support/raw-http.js';
import { type Answer, TestHub, TRANSPORTS } from '../support/test-hub.js';

type Headers = Record<string, string>;

/** Uses up what an address may do, and checks that the next request is one too many. */
async function exhaust(hub: TestHub, allowed: number, headers: Headers = {}): Promise<Answer<unknown>> {
  for (let count = 1; count <= allowed; count += 1) {
    const { status } = await hub.request('GET', LIST, { headers });
    assert.equal(status, 200, `request ${String(count)} of ${String(allowed)}`);
  }
  const refused = await hub.request('GET', LIST, { headers });
  assertError(refused, 429, 'RATE_001');
  return refused;
}

async function isLimited(hub: TestHub, headers: Headers): Promise<boolean> {
  const answer = await hub.request('GET', LIST, { headers });
  if (answer.status === 200) return false;
  assertError(answer, 429, 'RATE_001');
  return true;
}

/** The status that a handshake is answered with; 101 when it succeeds. */
function handshake(hub: TestHub, headers: Headers = {}): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://${hub.host}/api/v1/ws`, { headers });
    socket.on('open', () => {
      socket.terminate();
      resolve({ status: 101, body: '' });
    });
    socket.on('unexpected-response', (_, response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body });
      });
    });
    socket.on('error', reject);
  });
}

for (const transport of TRANSPORTS) {
  describe(`the rate limit (${transport})`, () => {
    const withHub = async (settings: Headers, use: (hub: TestHub) => Promise<void>): Promise<void> => {
      const hub = await TestHub.start({ TRANSPORT: transport, ...settings });
      try {
        await use(hub);
      } finally {
        await hub.stop();
      }
    };

    test('what is over it is refused with the time to wait', () =>
      withHub({ RATE_LIMIT_PER_MINUTE: '5' }, async (hub) => {
        const refused = await exhaust(hub, 5);
        const wait = refused.headers.get('retry-after') ?? '';
        assert.match(wait, /^[1-9]\d?$/);
        assert.ok(Number(wait) <= 60);
        assert.match(JSON.stringify(refused.body), /5 requests a minute/);
      }));

    test('when the time to wait has passed, all may go on again', () =>
      withHub({ RATE_LIMIT_PER_MINUTE: '5' }, async (hub) => {
        for (let minute = 0; minute < 3; minute += 1) {
          const refused = await exhaust(hub, 5);
          const wait = Number(refused.headers.get('retry-after'));
          await hub.advance(wait * 1000 - 1500);
          assert.equal(await isLimited(hub, {}), true);
          await hub.advance(1500);
        }
        hub.clock.jump(-3_600_000);
        await exhaust(hub, 5);
        await hub.advance(60_000);
        assert.equal(await isLimited(hub, {}), false, 'the wall clock does not matter');
      }));

    test('every request counts, whatever comes of it, but for /health and /metrics', () =>
      withHub({ RATE_LIMIT_PER_MINUTE: '6' }, async (hub) => {
        const free = async (): Promise<void> => {
          for (const path of ['/health', '/metrics', '/health?x', '/metrics']) {
            for (const method of ['GET', 'HEAD']) {
              const response = await fetch(hub.url + path, { method });
              assert.equal(response.status, 200);
              await response.arrayBuffer();
            }
          }
        };
        await free();
        assert.equal((await hub.post(new TestKey())).status, 200);
        assert.equal((await hub.get('/nowhere')).status, 404);
        assert.equal((await hub.request('PATCH', LIST)).status, 405);
        assert.equal((await hub.request('OPTIONS', LIST)).status, 204);
        assert.equal((await hub.request('HEAD', LIST)).status, 200);
        assert.equal((await hub.post(new TestKey(), 'x', {})).status, 400);
        for (const [method, path] of [
          ['GET', LIST],
          ['POST', LIST],
          ['GET', '/nowhere'],
          ['DELETE', `${LIST}/x`],
          ['OPTIONS', LIST],
          ['GET', '/docs'],
          ['GET', '/healthy'],
          ['GET', '/health/'],
        ] as const) {
          assertError(await hub.request(method, path), 429, 'RATE_001');
        }
        await free();
      }));

    test('handshakes count and are refused like requests', () =>
      withHub({ RATE_LIMIT_PER_MINUTE: '3' }, async (hub) => {
        for (let count = 0; count < 3; count += 1) assert.equal((await handshake(hub)).status, 101);
        const refused = await handshake(hub);
        assert.equal(refused.status, 429);
        assert.equal((JSON.parse(refused.body) as { code: string }).code, 'RATE_001');
        assertError(await hub.get(LIST), 429, 'RATE_001');
      }));

    test('X-Forwarded-For from whoever is no trusted proxy changes nothing', () =>
      withHub({ RATE_LIMIT_PER_MINUTE: '4', TRUST_PROXY: '10.0.0.0/8, 192.0.2.1' }, async (hub) => {
        for (let count = 1; count <= 4; count += 1) {
          assert.equal(await isLimited(hub, { 'X-Forwarded-For': `198.51.100.${String(count)}` }), false);
        }
        assert.equal(await isLimited(hub, { 'X-Forwarded-For': '198.51.100.99' }), true);
        assert.equal(await isLimited(hub, {}), true);
        assert.equal((await handshake(hub, { 'X-Forwarded-For': '198.51.100.98' })).status, 429);
      }));

    test('behind a trusted proxy each client counts by itself', () =>
      withHub({ RATE_LIMIT_PER_MINUTE: '2', TRUST_PROXY: '127.0.0.1,10.0.0.0/8' }, async (hub) => {
        const from = (forwarded: string): Headers => ({ 'X-Forwarded-For': forwarded });
        const refused = await exhaust(hub, 2, from('198.51.100.1'));
        assert.match(JSON.stringify(refused.body), /198\.51\.100\.1/);
        // What the client itself claimed stands in front of what the proxy saw.
        assert.equal(await isLimited(hub, from('203.0.113.5, 198.51.100.1')), true);
        assert.equal(await isLimited(hub, from('198.51.100.1, 198.51.100.2')), false);
        assert.equal(await isLimited(hub, from('198.51.100.2, 10.1.2.3')), false);
        assert.equal(await isLimited(hub, from('198.51.100.2')), true);
        assert.equal((await handshake(hub, from('198.51.100.2'))).status, 429);
        assert.equal((await handshake(hub, from('198.51.100.3'))).status, 101);
        // Without the header, or with one that says nothing, it is the proxy's own.
        assert.equal(await isLimited(hub, {}), false);
        assert.equal(await isLimited(hub, from('unknown')), false);
        assert.equal(await isLimited(hub, from('')), true);
      }));

    test('an IPv6 client counts by its /64', () =>
      withHub({ RATE_LIMIT_PER_MINUTE: '2', TRUST_PROXY: '127.0.0.1' }, async (hub) => {
        const from = (forwarded: string): Headers => ({ 'X-Forwarded-For': forwarded });
        assert.equal(await isLimited(hub, from('2001:db8:0:1::1')), false);
        assert.equal(await isLimited(hub, from('2001:db8:0:1:ffff::2')), false);
        assert.equal(await isLimited(hub, from('2001:0DB8:0:1::3')), true);
        assert.equal(await isLimited(hub, from('2001:db8:0:2::1')), false);
      }));

    test('headers that are given several times are one list', () =>
      withHub({ RATE_LIMIT_PER_MINUTE: '1', TRUST_PROXY: '127.0.0.1' }, async (hub) => {
        const ask = async (...hops: string[]): Promise<number | undefined> => {
          const client = await RawClient.open(hub.hub.port);
          await client.write(
            rawRequest(
              'GET',
              LIST,
              hops.map((hop) => ['X-Forwarded-For', hop]),
            ),
          );
          const answer = await client.answer();
          client.close();
          return answer?.status;
        };
        assert.equal(await ask('198.51.100.1', '198.51.100.2'), 200);
        assert.equal(await ask('198.51.100.3', '198.51.100.2'), 429);
        assert.equal(await ask('198.51.100.2', '198.51.100.1'), 200);
      }));

    test('0 turns it off', () =>
      withHub({ RATE_LIMIT_PER_MINUTE: '0' }, async (hub) => {
        const answers = await Promise.all(Array.from({ length: 250 }, () => hub.get(LIST)));
        assert.ok(answers.every(({ status }) => status === 200));
      }));

    test('refusals are counted in the metrics', () =>
      withHub({ RATE_LIMIT_PER_MINUTE: '1' }, async (hub) => {
        await exhaust(hub, 1);
        await handshake(hub);
        const text = await (await fetch(`${hub.url}/metrics`)).text();
        assert.match(text, /^discovery_rate_limited_total\{kind="request"\} 1$/m);
        assert.match(text, /^discovery_rate_limited_total\{kind="handshake"\} 1$/m);
      }));
  });
}
