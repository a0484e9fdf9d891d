import assert from 'node:assert/strict';
import test, { after, afterEach, before } from 'node:test';
import { DiscoveryClient, generateKey, ProviderSession, watch } from '../../src/client/node.js';
import { ED25519 } from '../../src/protocol/schemes/ed25519.js';
import { verifySignature } from '../../src/protocol/schemes/table.js';
import { sessionPayload } from '../../src/protocol/signing.js';
import { TestEtcd, until, WITHOUT_ETCD } from '../support/hubs/etcd.js';
import { TestHub } from '../support/hubs/test-hub.js';
import { FakeHub, NONCE } from './support/fake-hub.js';
import { FakeTime } from './support/fake-time.js';
import { Proxy } from './support/proxy.js';
import { ADVERTISEMENT, cores, KEY, turn } from './support/session-scene.js';
import { nextChange, reached, recordChanges } from './support/wait.js';

/** In the order as they are given, with a wait that is soon over. */
const inOrder = (): number => 0.999;

test('a session that loses a hub goes on at the next, signed for that one', async () => {
  const network = new FakeHub();
  const time = new FakeTime();
  const session = new ProviderSession('http://one:1,http://two:2', {
    key: KEY,
    advertisement: ADVERTISEMENT,
    webSocket: network.webSocket,
    scheduler: time,
    random: inOrder,
  });
  session.start();
  for (const host of ['one:1', 'two:2', 'one:1']) {
    const { peer } = network;
    assert.equal(peer.url, `ws://${host}/api/v1/ws`);
    assert.equal(session.hub, `http://${host}`);
    peer.welcome();
    await turn();
    const { t, signature } = peer.last('authenticate');
    const payload = sessionPayload(NONCE, host);
    const fields = { action: 'session', providerId: KEY.publicKey, t: t as number, payload } as const;
    assert.ok(verifySignature(ED25519, fields, KEY.publicKey, signature as string));
    peer.authenticate();
    assert.equal(session.state, 'live');
    peer.end(1006);
    assert.equal(session.state, 'waiting');
    time.advance(1000);
  }
  const stopped = session.stop();
  network.peer.end(1000);
  await stopped;
});

test('hubs that share an etcd, for their clients', { skip: WITHOUT_ETCD }, async (t) => {
  let etcd: TestEtcd;
  let hubs: TestHub[] = [];
  let doors: Proxy[] = [];
  const begun: { stop(): Promise<void> }[] = [];
  const all = (): string => doors.map(({ url }) => url).join();
  const doorOf = (url: string): Proxy => doors.find((door) => door.url === url)!;
  const otherThan = (door: Proxy): TestHub => hubs[doors.findIndex((one) => one !== door)]!;
  const kept = <Thing extends { stop(): Promise<void> }>(thing: Thing): Thing => {
    begun.push(thing);
    return thing;
  };

  before(async () => {
    etcd = await TestEtcd.start();
    const settings = { ETCD_ENDPOINTS: etcd.url, ETCD_PREFIX: etcd.prefix() };
    hubs = await Promise.all(['a', 'b'].map((name) => TestHub.start({ ...settings, HUB_NAME: name })));
    doors = await Promise.all(hubs.map(({ hub }) => Proxy.start(hub.port)));
  });
  after(async () => {
    await Promise.all(doors.map((door) => door.stop()));
    await Promise.all(hubs.map((hub) => hub.stop()));
    await etcd.stop();
  });
  afterEach(async () => {
    for (const door of doors) door.open();
    await Promise.all(begun.splice(0).map((thing) => thing.stop()));
  });

  for (const transport of ['websocket', 'events'] as const) {
    await t.test(`a watch by ${transport} goes on at the other hub, exactly where it was`, async () => {
      const key = generateKey();
      await new DiscoveryClient(all()).advertise(key, ADVERTISEMENT);
      const watcher = kept(watch(all(), {}, { transport }));
      await watcher.ready;
      const changes = recordChanges(watcher);
      const door = doorOf(watcher.hub);
      const other = otherThan(door);
      // What happens while it is on its way is told there, once.
      const isThere = nextChange(watcher);
      door.cut();
      await new DiscoveryClient(other.url).advertise(key, cores(16));
      const change = await isThere;
      assert.equal(change.type, 'updated');
      await until(() => watcher.state === 'live', 'the watch at the other hub');
      assert.notEqual(watcher.hub, door.url);
      assert.equal(changes.length, 1);
      const listed = await new DiscoveryClient(other.url).find();
      assert.deepEqual([...watcher.providers.keys()].sort(), listed.map((one) => one.provider_id).sort());
      await new DiscoveryClient(other.url).withdraw(key);
    });
  }

  await t.test(
    'a provider that loses its hub is live again at the other, without advertising anew',
    async () => {
      const key = generateKey();
      const session = kept(new ProviderSession(all(), { key, advertisement: ADVERTISEMENT }));
      session.start();
      const { created_at: createdAt } = await session.published();
      const door = doorOf(session.hub);
      const client = new DiscoveryClient(otherThan(door).url);
      door.cut();
      await reached(session, 'waiting');
      await reached(session, 'live');
      assert.notEqual(session.hub, door.url);
      await until(async () => (await client.get(key.publicKey))?.status === 'live', 'live at the other hub');
      assert.equal((await client.get(key.publicKey))!.created_at, createdAt);
      // The session that it had is over, also at the first hub; whoever comes back there finds it live.
      door.open();
      assert.equal((await new DiscoveryClient(door.url).get(key.publicKey))!.status, 'live');
      await session.withdraw();
    },
  );

  await t.test('requests go on at the other hub, and answer the same', async () => {
    const client = new DiscoveryClient(all());
    const key = generateKey();
    const published = await client.advertise(key, ADVERTISEMENT);
    for (const door of doors) {
      door.cut();
      await until(async () => (await client.get(key.publicKey)) !== null, 'the advertisement at each hub');
      assert.deepEqual(await client.find(), [published]);
      assert.equal((await client.explain({ cpu: 64 })).matched, 0);
      door.open();
    }
    assert.equal(await client.withdraw(key), true);
  });
});
