import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import {
  DiscoveryClient,
  generateKey,
  ProviderSession,
  type ProviderSessionOptions,
  verifyProof,
  type Watch,
  watch,
} from '../../../src/client/node.js';
import { CODEC_NAMES, TestHub, TRANSPORTS } from '../../support/hubs/test-hub.js';
import { FakeTime } from '../support/fake-time.js';
import { freePort } from '../support/free-port.js';
import { Proxy } from '../support/proxy.js';
import { ADVERTISEMENT, cores } from '../support/session-scene.js';
import { nextChange, reached, recordChanges, recordStates } from '../support/wait.js';

/** Soon, so that a test does not wait for nothing. */
const soon = (): number => 0.02;

/** What a test that fails leaves behind would otherwise reconnect for ever. */
const begun = new Set<{ stop(): Promise<void> }>();
afterEach(async () => {
  await Promise.all([...begun].map((one) => one.stop()));
  begun.clear();
});

function watchFrom(url: string, options: Parameters<typeof watch>[2] = {}): Watch {
  const watcher = watch(url, {}, { random: soon, ...options });
  begun.add(watcher);
  return watcher;
}

function begin(url: string, options: Partial<ProviderSessionOptions> = {}): ProviderSession {
  const session = new ProviderSession(url, {
    key: generateKey(),
    advertisement: ADVERTISEMENT,
    random: soon,
    ...options,
  });
  begun.add(session);
  return session.start();
}

for (const transport of TRANSPORTS) {
  for (const codec of CODEC_NAMES) {
    describe(`a provider's session, ${transport}, ${codec}`, () => {
      async function withHub(run: (hub: TestHub, client: DiscoveryClient) => Promise<void>): Promise<void> {
        const hub = await TestHub.start({ TRANSPORT: transport });
        try {
          await run(hub, new DiscoveryClient(hub.url));
        } finally {
          await hub.stop();
        }
      }

      test('it advertises, updates, withdraws and leaves', () =>
        withHub(async (hub, client) => {
          const key = generateKey();
          const session = begin(hub.url, { key, codec, providerId: 'p1' });
          const published = await session.published();
          assert.equal(published.provider_id, 'p1');
          assert.equal(published.status, 'live');
          assert.deepEqual(await client.get('p1'), published);
          verifyProof((await client.proof('p1'))!, { published, publicKey: key.publicKey });

          assert.equal((await session.update(cores(16))).resources.cpu, 16);
          assert.equal((await client.get('p1'))?.resources.cpu, 16);

          await session.withdraw();
          assert.equal(await client.get('p1'), null);
          assert.equal(session.state, 'live');
          assert.equal((await session.refresh()).resources.cpu, 16);

          await session.stop();
          assert.equal(session.state, 'stopped');
          assert.equal(hub.hub.gateway.sessions, 0);
          assert.equal((await client.get('p1'))?.status, 'suspect');
        }));

      test('it stays live for longer than an advertisement lasts', () =>
        withHub(async (hub, client) => {
          const session = begin(hub.url, { codec });
          await session.published();
          const watcher = watchFrom(hub.url, { codec });
          await watcher.ready;
          const changes = recordChanges(watcher);
          // Each step is followed by an answer of the hub, so what the sockets had to say has been heard.
          for (let step = 0; step < 40; step += 1) {
            await hub.advance(10_000);
            await client.health();
          }
          assert.equal((await client.get(session.providerId))?.status, 'live');
          assert.equal(session.state, 'live');
          assert.deepEqual(changes, []);
          await session.stop();
          await watcher.stop();
        }));

      test('a newer session takes over, and the older one does not fight back', () =>
        withHub(async (hub) => {
          const key = generateKey();
          const first = begin(hub.url, { key, codec });
          await first.published();
          const states = recordStates(first);
          const second = begin(hub.url, { key, codec, advertisement: cores(2) });
          await second.published();
          await reached(first, 'replaced');
          assert.equal(first.error?.code, 'REPLACED');
          await assert.rejects(first.update(cores(3)), { code: 'REPLACED' });
          await hub.advance(120_000);
          assert.deepEqual(
            states.map(({ state }) => state),
            ['replaced'],
          );
          assert.equal(second.state, 'live');
          assert.equal(second.advertisement?.resources.cpu, 2);
          await second.stop();
        }));

      test('a name of somebody else is refused, for good', () =>
        withHub(async (hub) => {
          const owner = begin(hub.url, { providerId: 'taken', codec });
          await owner.published();
          const other = begin(hub.url, { providerId: 'taken', codec });
          await assert.rejects(other.published(), { code: 'AUTH_004', status: 403, retry: false });
          assert.equal(other.state, 'refused');
          assert.equal(owner.state, 'live');
          await owner.stop();
        }));
    });
  }
}

test('a hub whose clock is off is waited for, the error says by how much, and its correction brings all back', async () => {
  const hub = await TestHub.start();
  try {
    const time = new FakeTime(hub.clock.wall() + 1_000_000);
    const session = begin(hub.url, { scheduler: time });
    await reached(session, 'waiting');
    assert.equal(session.error?.code, 'AUTH_002');
    assert.match(session.error.message, /the clock here is 1000 s ahead of the hub's/);
    hub.clock.jump(1_000_000);
    time.advance(60_000);
    assert.equal((await session.published()).status, 'live');
  } finally {
    await hub.stop();
  }
});

test('a hub that is only known under another host refuses', async () => {
  const hub = await TestHub.start({ PUBLIC_HOSTS: 'hub.example' });
  try {
    const session = begin(hub.url);
    await assert.rejects(session.published(), { code: 'AUTH_005' });
    assert.equal(session.state, 'refused');
  } finally {
    await hub.stop();
  }
});

test('a refused handshake tells why, and is tried again after the time that the hub asks for', async () => {
  const hub = await TestHub.start({ RATE_LIMIT_PER_MINUTE: '1' });
  try {
    await new DiscoveryClient(hub.url).find();
    const session = begin(hub.url);
    await reached(session, 'waiting');
    assert.equal(session.error?.code, 'RATE_001');
    assert.equal(session.error.status, 429);
    assert.ok(session.error.retryAfterSeconds! >= 1);
    await session.stop();
  } finally {
    await hub.stop();
  }
});

test('after a lost connection it is live again without advertising anew', async () => {
  const hub = await TestHub.start();
  const proxy = await Proxy.start(hub.hub.port);
  try {
    const session = begin(proxy.url);
    const published = await session.published();
    const watcher = watchFrom(hub.url);
    await watcher.ready;
    const changes = recordChanges(watcher);
    const suspect = nextChange(watcher, ({ advertisement }) => advertisement.status === 'suspect');
    proxy.cut();
    await reached(session, 'waiting');
    assert.equal(session.error?.code, 'NETWORK');
    await suspect;
    const live = nextChange(watcher, ({ advertisement }) => advertisement.status === 'live');
    proxy.open();
    await live;
    assert.equal((await session.published()).created_at, published.created_at);
    assert.deepEqual(
      changes.map(({ type, advertisement }) => [type, advertisement.status]),
      [
        ['updated', 'suspect'],
        ['updated', 'live'],
      ],
    );
    const { t } = (await new DiscoveryClient(hub.url).proof(session.providerId))!;
    await session.refresh();
    assert.equal((await new DiscoveryClient(hub.url).proof(session.providerId))!.t, t);
    await session.stop();
    await watcher.stop();
  } finally {
    await proxy.stop();
    await hub.stop();
  }
});

for (const transport of TRANSPORTS) {
  test(`a hub that restarts has its providers and watchers back, without a flicker (${transport})`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'restart-'));
    const settings = {
      TRANSPORT: transport,
      PORT: await freePort(),
      DB_URL: `sqlite:///${join(folder, 'hub.db')}`,
    };
    let hub = await TestHub.start(settings);
    try {
      const { url } = hub;
      const sessions = [begin(url, { codec: 'json' }), begin(url, { codec: 'msgpack' })];
      await Promise.all(sessions.map((session) => session.published()));
      const watcher = watchFrom(url);
      await watcher.ready;
      const changes = recordChanges(watcher);
      const states = recordStates(watcher);
      const sizes = new Set<number>();
      watcher.on('change', () => sizes.add(watcher.providers.size));
      await hub.stop();
      hub = await TestHub.start(settings);
      await Promise.all([...sessions, watcher].map((one) => reached(one, 'live')));
      await Promise.all(sessions.map((session) => session.published()));
      while ([...watcher.providers.values()].some(({ status }) => status === 'suspect')) {
        await nextChange(watcher);
      }
      assert.ok(states.some(({ state, error }) => state === 'waiting' && error?.closeCode === 4503));
      assert.equal(watcher.providers.size, 2);
      assert.ok(changes.every(({ type }) => type === 'updated'));
      assert.deepEqual(
        [...sizes].filter((size) => size !== 2),
        [],
      );
      await Promise.all([...sessions, watcher].map((one) => one.stop()));
    } finally {
      await hub.stop();
      rmSync(folder, { recursive: true });
    }
  });
}

test('a hub that has forgotten everything is told again', async () => {
  const settings = { PORT: await freePort() };
  let hub = await TestHub.start(settings);
  try {
    const session = begin(hub.url);
    await session.published();
    const again = new Promise((resolve) => session.on('published', resolve));
    await hub.stop();
    hub = await TestHub.start(settings);
    await again;
    assert.equal((await new DiscoveryClient(hub.url).get(session.providerId))?.status, 'live');
    await session.stop();
  } finally {
    await hub.stop();
  }
});
