import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { WebSocket } from 'ws';
import { assertError, LIST, onBothTransports } from '../../support/clients/http.js';
import { TestKey } from '../../support/data/keys.js';
import { RawClient, rawRequest } from '../../support/clients/raw-http.js';
import { ADVERTISEMENT, type Answer, firstOf, nextT, type TestHub } from '../../support/hubs/test-hub.js';

type Headers = Record<string, string>;
const LIMIT = 5;

/** Uses up what an address may do, and checks that the next request is one too many. */
async function exhaust(hub: TestHub, headers: Headers = {}): Promise<Answer<unknown>> {
  for (let count = 1; count <= LIMIT; count += 1) {
    const { status } = await hub.request('GET', LIST, { headers });
    assert.equal(status, 200, `request ${String(count)} of ${String(LIMIT)}`);
  }
  const refused = await hub.request('GET', LIST, { headers });
  assertError(refused, 429, 'RATE_001');
  return refused;
}

async function isLimited(hub: TestHub, headers: Headers = {}): Promise<boolean> {
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

const from = (forwarded: string): Headers => ({ 'X-Forwarded-For': forwarded });

const UNKNOWN_PROXIES = { RATE_LIMIT_PER_MINUTE: String(LIMIT), TRUST_PROXY: '10.0.0.0/8, 192.0.2.1' };

onBothTransports('the rate limit', UNKNOWN_PROXIES, (hubs) => {
  const hub = firstOf(hubs);
  /** A minute later all counts begin anew. */
  beforeEach(() => hub().advance(60_200));

  test('whoever goes on and on loses the connection, pipelined requests and all', async () => {
    await exhaust(hub());
    const client = await RawClient.open(hub().hub.port);
    await client.write(Buffer.concat(Array.from({ length: 1000 }, () => rawRequest('GET', LIST))));
    let answers = 0;
    for (let answer = await client.answer(); answer !== null; answer = await client.answer()) {
      assert.equal(answer.status, 429);
      answers += 1;
      if (answer.headers.get('connection') === 'close') assert.equal(answers, 20);
    }
    // One library cuts whoever pipelines on, with what it has not sent yet.
    assert.ok(answers <= 20, `${String(answers)} were answered`);
    // Nor is a new one kept.
    const next = await RawClient.open(hub().hub.port);
    await next.write(rawRequest('GET', LIST));
    const refused = await next.answer();
    assert.deepEqual([refused?.status, refused?.headers.get('connection')], [429, 'close']);
    assert.equal(await next.answer(), null);
    assert.equal((await hub().get('/health')).status, 200);
  });

  test('health is always told, but nobody keeps a connection busy with it', async () => {
    const client = await RawClient.open(hub().hub.port);
    await client.write(Buffer.concat(Array.from({ length: 2000 }, () => rawRequest('GET', '/health'))));
    let answers = 0;
    for (let answer = await client.answer(); answer !== null; answer = await client.answer()) {
      assert.equal(answer.status, 200);
      answers += 1;
    }
    assert.ok(answers <= 601, `${String(answers)} were answered`);
    assert.equal((await hub().get('/health')).status, 200);
  });

  test('pages do not count, and are there for those who may do nothing else any more', async () => {
    const pages = async (): Promise<void> => {
      for (let count = 0; count <= LIMIT; count += 1) {
        assert.equal((await fetch(`${hub().url}/docs`)).status, 200);
        assert.equal((await fetch(hub().url, { headers: { Accept: 'text/html' } })).status, 200);
      }
    };
    await pages();
    await exhaust(hub());
    await pages();
  });

  test('what is over it is refused with the time to wait', async () => {
    const refused = await exhaust(hub());
    const wait = refused.headers.get('retry-after') ?? '';
    assert.match(wait, /^[1-9]\d?$/);
    assert.ok(Number(wait) <= 60);
    assert.match(JSON.stringify(refused.body), /5 requests a minute/);
  });

  test('when the time to wait has passed, all may go on again', async () => {
    const refused = await exhaust(hub());
    const wait = Number(refused.headers.get('retry-after'));
    await hub().advance(wait * 1000 - 1500);
    assert.equal(await isLimited(hub()), true);
    await hub().advance(1500);
    await exhaust(hub());
    hub().clock.jump(3_600_000);
    assert.equal(await isLimited(hub()), true, 'the wall clock does not matter');
    hub().clock.jump(-3_600_000);
  });

  test('every request counts, whatever comes of it, but for /health, /metrics and pages', async () => {
    const free = async (): Promise<void> => {
      for (const path of ['/health', '/metrics', '/health?x', '/metrics']) {
        for (const method of ['GET', 'HEAD']) {
          const response = await fetch(hub().url + path, { method });
          assert.equal(response.status, 200);
          await response.arrayBuffer();
        }
      }
    };
    await free();
    assert.equal((await hub().post(new TestKey())).status, 200);
    assert.equal((await hub().get('/nowhere')).status, 404);
    assert.equal((await hub().request('PATCH', LIST)).status, 405);
    assert.equal((await hub().request('OPTIONS', LIST)).status, 204);
    assert.equal((await hub().post(new TestKey(), 'x', {})).status, 400);
    for (const [method, path] of [
      ['GET', LIST],
      ['POST', LIST],
      ['GET', '/nowhere'],
      ['DELETE', `${LIST}/x`],
      ['OPTIONS', LIST],
      ['GET', '/documents'],
      ['GET', '/healthy'],
      ['GET', '/health/'],
    ] as const) {
      assertError(await hub().request(method, path), 429, 'RATE_001');
    }
    await free();
  });

  test('handshakes count and are refused like requests', async () => {
    for (let count = 0; count < LIMIT; count += 1) assert.equal((await handshake(hub())).status, 101);
    const refused = await handshake(hub());
    assert.equal(refused.status, 429);
    assert.equal((JSON.parse(refused.body) as { code: string }).code, 'RATE_001');
    assertError(await hub().get(LIST), 429, 'RATE_001');
  });

  test('X-Forwarded-For from whoever is no trusted proxy changes nothing', async () => {
    for (let count = 1; count <= LIMIT; count += 1) {
      assert.equal(await isLimited(hub(), from(`198.51.100.${String(count)}`)), false);
    }
    assert.equal(await isLimited(hub(), from('198.51.100.99')), true);
    assert.equal(await isLimited(hub()), true);
    assert.equal((await handshake(hub(), from('198.51.100.98'))).status, 429);
  });

  test('refusals are counted in the metrics', async () => {
    const count = async (kind: string): Promise<number> => {
      const text = await (await fetch(`${hub().url}/metrics`)).text();
      const found = new RegExp(`^discovery_rate_limited_total\\{kind="${kind}"\\} (\\d+)$`, 'm').exec(text);
      return Number(found?.[1] ?? 0);
    };
    const [requests, handshakes] = [await count('request'), await count('handshake')];
    await exhaust(hub());
    await handshake(hub());
    assert.equal(await count('request'), requests + 1);
    assert.equal(await count('handshake'), handshakes + 1);
  });
});

const TRUSTED_PROXIES = { RATE_LIMIT_PER_MINUTE: String(LIMIT), TRUST_PROXY: '127.0.0.1,10.0.0.0/8' };

onBothTransports('the rate limit behind a proxy', TRUSTED_PROXIES, (hubs) => {
  const hub = firstOf(hubs);
  beforeEach(() => hub().advance(60_200));

  test('each client counts by itself, by what the proxy saw and not by what it claims', async () => {
    const refused = await exhaust(hub(), from('198.51.100.1'));
    assert.match(JSON.stringify(refused.body), /198\.51\.100\.1/);
    assert.equal(await isLimited(hub(), from('203.0.113.5, 198.51.100.1')), true);
    assert.equal(await isLimited(hub(), from('198.51.100.1, 198.51.100.2')), false);
    await hub().advance(60_200);
    await exhaust(hub(), from('198.51.100.2, 10.1.2.3'));
    assert.equal(await isLimited(hub(), from('198.51.100.2')), true);
    assert.equal((await handshake(hub(), from('198.51.100.2'))).status, 429);
    assert.equal((await handshake(hub(), from('198.51.100.3'))).status, 101);
  });

  test('without the header, or with one that says nothing, it is the proxy itself that counts', async () => {
    await exhaust(hub());
    for (const nothing of ['', 'unknown', '198.51.100.1, unknown']) {
      assert.equal(await isLimited(hub(), from(nothing)), true, nothing);
    }
    assert.equal(await isLimited(hub(), from('198.51.100.1')), false);
  });

  test('an IPv6 client counts by its /64', async () => {
    await exhaust(hub(), from('2001:db8:0:1::1'));
    assert.equal(await isLimited(hub(), from('2001:db8:0:1:ffff::2')), true);
    assert.equal(await isLimited(hub(), from('2001:0DB8:0:1::3')), true);
    assert.equal(await isLimited(hub(), from('2001:db8:0:2::1')), false);
  });

  test('headers that are given several times are one list', async () => {
    const ask = async (...hops: string[]): Promise<number | undefined> => {
      const client = await RawClient.open(hub().hub.port);
      await client.write(
        rawRequest(
          'GET',
          LIST,
          hops.map((hop) => ['X-Forwarded-For', hop] as const),
        ),
      );
      const answer = await client.answer();
      client.close();
      return answer?.status;
    };
    await exhaust(hub(), from('198.51.100.2'));
    assert.equal(await ask('198.51.100.1', '198.51.100.2'), 429);
    assert.equal(await ask('198.51.100.2', '198.51.100.1'), 200);
    assert.equal(await ask('198.51.100.2', '10.0.0.1'), 429);
  });
});

onBothTransports('no rate limit', { RATE_LIMIT_PER_MINUTE: '0' }, (hub) => {
  test('0 turns it off', async () => {
    const answers = await Promise.all(Array.from({ length: 150 }, () => hub().get(LIST)));
    assert.ok(answers.every(({ status }) => status === 200));
  });
});

onBothTransports(
  'posts that refresh what stands',
  { ...UNKNOWN_PROXIES, TRUST_PROXY: '127.0.0.1' },
  (hubs) => {
    const hub = firstOf(hubs);
    beforeEach(() => hub().advance(60_200));

    /** Posts from an address; a forged post carries another text than the one that was signed. */
    function post(key: TestKey, headers: Headers, forged = false): Promise<Answer<unknown>> {
      const body = JSON.stringify(ADVERTISEMENT);
      const signed = key.headers('advertise', key.publicKey, nextT(hub().clock), forged ? '{}' : body);
      return hub().request('POST', LIST, {
        headers: { 'Content-Type': 'application/json', ...signed, ...headers },
        body,
      });
    }

    // A refusal ended the provider's task for good.
    test('do not count, even where their address has used up what it may do; a thirteenth in a minute does', async () => {
      const headers = from('198.51.100.1');
      const key = new TestKey();
      assert.equal((await post(key, headers)).status, 200);
      for (let count = 0; count < 6; count += 1) assert.equal((await post(key, headers)).status, 200);
      for (let count = 0; count < LIMIT - 1; count += 1) assert.equal(await isLimited(hub(), headers), false);
      assert.equal(await isLimited(hub(), headers), true);
      for (let count = 0; count < 6; count += 1) assert.equal((await post(key, headers)).status, 200);
      assertError(await post(key, headers), 429, 'RATE_001');
      assertError(await post(new TestKey(), headers), 429, 'RATE_001');
      await hub().advance(60_200);
      assert.equal((await post(key, headers)).status, 200);
    });

    test('are no way in for others: what is refused counts, and not even that goes on for ever', async () => {
      const headers = from('198.51.100.2');
      const key = new TestKey();
      assert.equal((await post(key, from('198.51.100.3'))).status, 200);
      for (let count = 0; count < LIMIT; count += 1) {
        assertError(await post(key, headers, true), 401, 'AUTH_001');
      }
      assert.equal(await isLimited(hub(), headers), true);
      assertError(await post(key, headers, true), 429, 'RATE_001');
      assertError(await post(key, headers), 429, 'RATE_001');
      assert.equal((await post(key, from('198.51.100.3'))).status, 200, 'elsewhere it goes on');
    });
  },
);

onBothTransports(
  'honest clients behind one NAT, with the default limits',
  { RATE_LIMIT_PER_MINUTE: '100' },
  (hubs) => {
    const hub = firstOf(hubs);
    test('a crowd of providers begins, and all of them go on while their neighbours read too much', async () => {
      const keys = Array.from({ length: 90 }, () => new TestKey());
      for (const key of keys) assert.equal((await hub().post(key)).status, 200);
      let reads = 0;
      while (!(await isLimited(hub()))) reads += 1;
      assert.equal(reads, 10);
      for (let minute = 0; minute < 2; minute += 1) {
        const answers = await Promise.all(keys.map((key) => hub().post(key)));
        assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
      }
    });
  },
);
