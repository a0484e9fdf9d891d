import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { DiscoveryClient, type DiscoveryError, generateKey, watch } from '../../../src/client/node.js';
import { FakeTime } from '../support/fake-time.js';
import { ADVERTISEMENT } from '../support/session-scene.js';

async function withServer(listener: RequestListener, run: (url: string) => Promise<void>): Promise<void> {
  const server: Server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await run(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('what answers without being a hub is told from one', async () => {
  await withServer(
    (request, response) => {
      response.statusCode = request.url === '/health' ? 502 : 200;
      response.end('<html>hello</html>');
    },
    async (url) => {
      const client = new DiscoveryClient(url);
      await assert.rejects(client.find(), { code: 'UNEXPECTED', status: 200, retry: false });
      await assert.rejects(client.health(), { code: 'UNEXPECTED', status: 502, retry: true });
    },
  );
});

test('a code of a newer hub is passed on in the message', async () => {
  await withServer(
    (_, response) => {
      response.writeHead(503, { 'Retry-After': '7' });
      response.end('{"code":"ADV_099","message":"new trouble","timestamp":""}');
    },
    async (url) => {
      await assert.rejects(new DiscoveryClient(url).get('p1'), {
        code: 'UNEXPECTED',
        status: 503,
        retry: true,
        retryAfterSeconds: 7,
        message: 'ADV_099: new trouble',
      });
    },
  );
});

test('a message that would fill the terminal is cut', async () => {
  await withServer(
    (_, response) => {
      response.writeHead(500);
      response.end(JSON.stringify({ code: 'ADV_003', message: 'x'.repeat(60_000), timestamp: '' }));
    },
    async (url) => {
      await assert.rejects(new DiscoveryClient(url).get('p1'), {
        code: 'ADV_003',
        message: `${'x'.repeat(2000)}…`,
      });
    },
  );
});

test('a prefix that a proxy keeps the hub under is kept on all pages', async () => {
  const asked: string[] = [];
  await withServer(
    (request, response) => {
      asked.push(request.url!);
      if (!request.url!.includes('after'))
        response.setHeader('Link', '</api/v1/advertisements?limit=2&after=x%3D1>; rel="next"');
      response.end('[]');
    },
    async (url) => {
      const pages = new DiscoveryClient(`${url}/hub/`).pages({}, { pageSize: 2 });
      for await (const page of pages) assert.deepEqual(page.advertisements, []);
    },
  );
  assert.deepEqual(asked, [
    '/hub/api/v1/advertisements?limit=2',
    '/hub/api/v1/advertisements?limit=2&after=x%3D1',
  ]);
});

test('what is signed does not follow a redirect', async () => {
  let requests = 0;
  await withServer(
    (_, response) => {
      requests += 1;
      response.writeHead(307, { Location: '/elsewhere' }).end();
    },
    async (url) => {
      const client = new DiscoveryClient(url);
      await assert.rejects(client.advertise(generateKey(), ADVERTISEMENT), { code: 'NETWORK' });
      await assert.rejects(client.withdraw(generateKey()), { code: 'NETWORK' });
    },
  );
  assert.equal(requests, 2);
});

test('a hub that does not answer, or is not there, or is given up', async () => {
  const time = new FakeTime();
  await withServer(
    () => {
      time.advance(2000);
    },
    async (url) => {
      const client = new DiscoveryClient(url, { scheduler: time, timeoutMs: 2000 });
      await assert.rejects(client.find(), { code: 'TIMEOUT', retry: true, message: /within 2 s/ });
    },
  );
  const abort = new AbortController();
  await withServer(
    () => {
      abort.abort(new Error('enough'));
    },
    async (url) => {
      const client = new DiscoveryClient(url);
      for (const given of [
        client.find({}, { signal: abort.signal }),
        client.health({ signal: abort.signal }),
      ]) {
        await assert.rejects(given, (error: DiscoveryError) => {
          assert.deepEqual([error.name, error.code, error.retry], ['DiscoveryError', 'STOPPED', false]);
          assert.equal(error.cause, abort.signal.reason);
          return true;
        });
      }
    },
  );
  let gone = '';
  await withServer(
    () => undefined,
    (url) => {
      gone = url;
      return Promise.resolve();
    },
  );
  await assert.rejects(new DiscoveryClient(gone).find(), {
    code: 'NETWORK',
    retry: true,
    status: null,
    message: /ECONNREFUSED/,
  });
  // A name with several addresses fails with several errors.
  await assert.rejects(new DiscoveryClient(gone.replace('127.0.0.1', 'localhost')).find(), {
    code: 'NETWORK',
    message: /ECONNREFUSED/,
  });
});

test('an answer may take longer than the patience with a silent hub, as long as something of it comes', async () => {
  const time = new FakeTime();
  const parts = ['[', ' ', ' ', ']'];
  await withServer(
    (_request, response) => {
      const [first = '', ...rest] = parts;
      response.write(first);
      // The client has read a part once its timer has begun anew.
      const next = (): void => {
        const part = rest.shift();
        if (part === undefined) response.end();
        else response.write(part, () => setTimeout(next, 20));
        time.advance(1500);
      };
      setTimeout(next, 50);
    },
    async (url) => {
      const client = new DiscoveryClient(url, { scheduler: time, timeoutMs: 2000 });
      assert.deepEqual(await client.find(), []);
    },
  );
});

test('an endless answer is given up, not kept in memory', async () => {
  let status = 200;
  const answered: Promise<unknown>[] = [];
  await withServer(
    (_request, response) => {
      answered.push(once(response, 'close'));
      response.writeHead(status);
      const more = (): void => {
        while (!response.destroyed && response.write(' '.repeat(65_536)));
      };
      response.on('drain', more);
      more();
    },
    async (url) => {
      const client = new DiscoveryClient(url);
      for (const answer of [client.get('a'), client.market(), client.health()]) {
        await assert.rejects(answer, {
          code: 'UNEXPECTED',
          retry: false,
          message: `${url} sent more than 1 MiB, which no hub does`,
        });
      }
      await assert.rejects(client.pages({}, { pageSize: 16 }).next(), {
        code: 'UNEXPECTED',
        message: /more than 1 MiB/,
      });
      status = 400;
      await assert.rejects(client.find(), { code: 'UNEXPECTED', message: /HTTP 400, and not from a hub/ });
    },
  );
  assert.equal((await Promise.all(answered)).length, 5);
});

test('an answer about another provider than was asked for is none', async () => {
  const key = generateKey();
  const other = generateKey().publicKey;
  const proof = {
    provider_id: other,
    scheme: 'ed25519',
    public_key: other,
    t: 1,
    payload: '',
    signature: 'ab'.repeat(64),
  };
  const explanation = {
    cursor: 'a:1',
    provider_id: other,
    matches: true,
    misses: [],
    rank: { by_price: 1, of: 1 },
  };
  await withServer(
    (request, response) => {
      response.end(JSON.stringify(request.url?.includes('explain') ? explanation : proof));
    },
    async (url) => {
      const client = new DiscoveryClient(url);
      for (const ask of ['proof', 'explainProvider'] as const) {
        assert.equal((await client[ask](other))?.provider_id, other);
        await assert.rejects(client[ask](key.publicKey), {
          code: 'UNEXPECTED',
          message: `the hub was asked about ${key.publicKey}, and answered about ${other}`,
        });
      }
    },
  );
});

test('the wrong scheme is named as the cause', async () => {
  await withServer(
    () => undefined,
    async (url) => {
      const secure = url.replace('http:', 'https:');
      await assert.rejects(new DiscoveryClient(secure).find(), {
        code: 'NETWORK',
        message: /there is no TLS on this port; write http:\/\/ instead/,
      });
      const watching = watch(secure);
      watching.on('state', ({ state }) => {
        if (state === 'waiting') void watching.stop();
      });
      const error = await new Promise<DiscoveryError | null>((resolve) => {
        watching.on('state', ({ error }) => {
          if (error !== null) resolve(error);
        });
      });
      assert.match(error?.message ?? '', /there is no TLS on this port/);
    },
  );
});

test('a client knows how far the clock of its hub is from its own', async () => {
  await withServer(
    (_request, response) => {
      response.setHeader('Date', new Date(Date.now() - 3_600_000).toUTCString());
      response.end('[]');
    },
    async (url) => {
      const client = new DiscoveryClient(url);
      assert.equal(client.clockOffsetMs, null);
      await client.find();
      assert.ok(Math.abs(Number(client.clockOffsetMs) + 3_600_000) < 2000);
    },
  );
});
