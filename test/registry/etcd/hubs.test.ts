import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { EtcdClient } from '../../../src/registry/etcd/client/client.js';
import { METHODS } from '../../../src/registry/etcd/client/messages.js';
import { TestEtcd, until, WITHOUT_ETCD } from '../../support/hubs/etcd.js';
import { TestKey } from '../../support/data/keys.js';
import { ADVERTISEMENT, nextT, TestHub } from '../../support/hubs/test-hub.js';
import type { Frame, TestSocket } from '../../support/clients/test-socket.js';

interface Listed {
  provider_id: string;
  status: string;
}

const LIST = '/api/v1/advertisements';

async function listOf(hub: TestHub): Promise<{ cursor: string; all: Map<string, string> }> {
  const { body, headers } = await hub.get<Listed[]>(LIST);
  const all = new Map(body.map(({ provider_id, status }) => [provider_id, status]));
  return { cursor: headers.get('x-discovery-cursor')!, all };
}

async function subscribe(
  hub: TestHub,
  resume: string | null = null,
): Promise<{ socket: TestSocket; answer: Frame }> {
  const socket = await hub.connect();
  await socket.next('welcome');
  socket.send({ type: 'subscribe', id: 1, filter: {}, ...(resume === null ? {} : { resume }) });
  const answer = await socket.next('subscribed');
  while (resume === null && (await socket.next('snapshot'))['last'] !== true);
  return { socket, answer };
}

const idsIn = (frame: Frame): string[] =>
  (frame['events'] as { provider_id?: string; advertisement?: Listed }[])
    .map(({ provider_id, advertisement }) => provider_id ?? advertisement!.provider_id)
    .sort();

test('hubs that share an etcd are one hub with several doors', { skip: WITHOUT_ETCD }, async (t) => {
  let etcd: TestEtcd;
  let client: EtcdClient;
  let prefix: string;
  let a: TestHub;
  let b: TestHub;
  const running = new Set<TestHub>();
  const start = async (name: string): Promise<TestHub> => {
    const hub = await TestHub.start({ ETCD_ENDPOINTS: etcd.url, ETCD_PREFIX: prefix, HUB_NAME: name });
    running.add(hub);
    return hub;
  };
  const stop = async (hub: TestHub): Promise<void> => {
    running.delete(hub);
    await hub.stop();
  };
  before(async () => {
    etcd = await TestEtcd.start();
    client = await etcd.client();
    prefix = etcd.prefix();
    a = await start('a');
    b = await start('b');
  });
  after(async () => {
    // Also those that a failed test has left, which would keep the process.
    for (const hub of running) await hub.stop();
    client.close();
    await etcd.stop();
  });

  /** A provider with a session at the first hub, as the other one knows. */
  const liveAtBoth = async (): Promise<{ key: TestKey; session: TestSocket }> => {
    const key = new TestKey();
    const session = await a.session(key);
    session.send(a.signedFrame('advertise', key));
    await session.next('advertised');
    await until(async () => (await listOf(b)).all.get(key.publicKey) === 'live', 'live at the other hub');
    return { key, session };
  };

  await t.test('what is posted at one is listed and streamed at the other, at the same cursor', async () => {
    const key = new TestKey();
    const { socket } = await subscribe(b);
    assert.equal((await a.post(key)).status, 200);
    const { cursor } = await listOf(a);
    const frame = await socket.next('events');
    assert.equal(frame['cursor'], cursor);
    assert.deepEqual(idsIn(frame), [key.publicKey]);
    assert.deepEqual(await listOf(b), await listOf(a));
  });

  await t.test('a resume at the other hub is exact, also when that one is not as far yet', async () => {
    await a.post(new TestKey());
    const { cursor } = await listOf(a);
    const key = new TestKey();
    await a.post(key);
    const { socket, answer } = await subscribe(b, cursor);
    assert.deepEqual([answer['resumed'], answer['cursor']], [true, cursor]);
    const frame = await socket.next('events');
    assert.deepEqual(idsIn(frame), [key.publicKey]);
    assert.equal(frame['cursor'], (await listOf(a)).cursor);
  });

  await t.test(
    'a request that one has taken is refused as a replay at the other, and so is another key',
    async () => {
      const key = new TestKey();
      const name = 'bound-at-a';
      const t1 = nextT(a.clock);
      assert.equal((await a.post(key, name, ADVERTISEMENT, t1)).status, 200);
      await until(async () => (await listOf(b)).all.has(name), 'the advertisement at the other hub');
      const replay = await b.post<{ code: string }>(key, name, ADVERTISEMENT, t1);
      assert.deepEqual([replay.status, replay.body.code], [401, 'AUTH_002']);
      const other = await b.post<{ code: string }>(new TestKey(), name);
      assert.deepEqual([other.status, other.body.code], [403, 'AUTH_004']);
      assert.equal((await b.delete(key, name)).status, 200);
      await until(async () => !(await listOf(a)).all.has(name), 'the withdrawal at the first hub');
    },
  );

  await t.test(
    'a session is taken over across hubs: the older one is closed, the provider stays live',
    async () => {
      const key = new TestKey();
      const older = await a.session(key);
      older.send(a.signedFrame('advertise', key));
      await older.next('advertised');
      const { socket } = await subscribe(b);
      const newer = await b.session(key);
      assert.equal(await older.closed, 4409);
      assert.equal((await listOf(a)).all.get(key.publicKey), 'live');
      newer.send(b.signedFrame('advertise', key, key.publicKey, { ...ADVERTISEMENT, country: 'NO' }));
      await newer.next('advertised');
      // Nobody was told that it had gone meanwhile.
      assert.deepEqual(idsIn(await socket.next('events')), [key.publicKey]);
      assert.equal(socket.frames.length, 0);
      newer.terminate();
      await until(
        async () => (await listOf(a)).all.get(key.publicKey) === 'suspect',
        'suspect at the other hub',
      );
    },
  );

  await t.test(
    'the providers of a hub that is gone turn suspect together, at one cursor everywhere',
    async () => {
      const keys = Array.from({ length: 5 }, () => new TestKey());
      const c = await start('c');
      for (const key of keys) {
        const session = await c.session(key);
        session.send(c.signedFrame('advertise', key));
        await session.next('advertised');
      }
      await until(
        async () => (await listOf(b)).all.get(keys.at(-1)!.publicKey) === 'live',
        'the last of them',
      );
      const { socket } = await subscribe(b);
      await stop(c);
      const frame = await socket.next('events');
      assert.deepEqual(idsIn(frame), keys.map(({ publicKey }) => publicKey).sort());
      await until(async () => (await listOf(a)).cursor === frame['cursor'], 'the same cursor');
      const { all } = await listOf(a);
      for (const { publicKey } of keys) assert.equal(all.get(publicKey), 'suspect');
    },
  );

  await t.test(
    'a hub that was declared dead though it runs attaches its sessions again; they notice nothing',
    async () => {
      const { key, session } = await liveAtBoth();
      const { socket } = await subscribe(b);
      const { kvs } = await client.call(METHODS.range, {
        key: Buffer.from(`${prefix}h/a`),
        rangeEnd: Buffer.from(`${prefix}h/b`),
      });
      assert.equal(kvs.length, 1);
      await client.call(METHODS.delete, { key: kvs[0]!.key });
      assert.deepEqual(idsIn(await socket.next('events')).includes(key.publicKey), true);
      await until(async () => (await listOf(b)).all.get(key.publicKey) === 'live', 'live again');
      session.send(a.signedFrame('advertise', key, key.publicKey, { ...ADVERTISEMENT, country: 'NO' }));
      await session.next('advertised');
      session.terminate();
      await until(async () => (await listOf(b)).all.get(key.publicKey) === 'suspect', 'suspect in the end');
    },
  );

  await t.test(
    'a session whose record somebody deletes is attached again: what it advertised next stayed suspect',
    async () => {
      const { key, session } = await liveAtBoth();
      await client.call(METHODS.delete, { key: Buffer.from(`${prefix}p/${key.publicKey}`) });
      assert.equal((await session.next('removed'))['reason'], 'withdrawn');
      session.send(a.signedFrame('advertise', key));
      await session.next('advertised');
      for (const hub of [a, b])
        await until(async () => (await listOf(hub)).all.get(key.publicKey) === 'live', 'live again');
      session.terminate();
      await until(async () => (await listOf(b)).all.get(key.publicKey) === 'suspect', 'suspect in the end');
    },
  );

  await t.test(
    'a provider whose session has ended was last seen at the same moment everywhere, whatever hubs take for the time',
    async () => {
      await b.advance(60_000);
      const { key, session } = await liveAtBoth();
      for (const hub of [a, b]) await hub.advance(20_000);
      session.terminate();
      await until(async () => (await listOf(b)).all.get(key.publicKey) === 'suspect', 'suspect everywhere');
      for (const hub of [a, b]) {
        const { body } = await hub.get<{ updated_at: string; expires_at: string }>(
          `${LIST}/${key.publicKey}`,
        );
        const silentMs = hub.clock.wall() - Date.parse(body.updated_at);
        assert.ok(Math.abs(silentMs - 20_000) <= 1000, `${silentMs} ms ago`);
        assert.equal(Date.parse(body.expires_at) - Date.parse(body.updated_at), 300_000);
      }
      // The hub of the session may be gone by then, and no heartbeat counts for longer elsewhere.
      await b.advance(281_000);
      await until(async () => !(await listOf(a)).all.has(key.publicKey), 'gone everywhere');
    },
  );

  await t.test('a hub that starts later lists what is there, and its metrics tell of the store', async () => {
    const d = await start('d');
    // The session of the test before may still be on its way out.
    await until(async () => (await listOf(d)).cursor === (await listOf(a)).cursor, 'the same cursor');
    assert.deepEqual(await listOf(d), await listOf(a));
    const response = await fetch(`${d.url}/metrics`);
    assert.match(await response.text(), /^discovery_store_revision [1-9]/m);
    assert.equal((await d.get('/health')).status, 200);
    await stop(d);
  });
});
