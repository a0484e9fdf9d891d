import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { EtcdClient } from '../../../src/registry/etcd/client/client.js';
import { Endpoint, EtcdError, type EtcdNode } from '../../../src/registry/etcd/client/endpoint.js';
import { METHODS } from '../../../src/registry/etcd/client/messages.js';
import { SharedLog } from '../../../src/registry/etcd/shared-log.js';
import { systemTimers } from '../../../src/lib/timers.js';
import { TestEtcd, until, WITHOUT_ETCD } from '../../support/hubs/etcd.js';
import { TestKey } from '../../support/data/keys.js';
import { ADVERTISEMENT, TestHub } from '../../support/hubs/test-hub.js';
import { TestLog } from '../mirror/support.js';

const UNAVAILABLE = 14;
/** `Maintenance/Alarm` as an operator uses it. */
const ALARM = {
  ...METHODS.alarms,
  request: { action: [1, 'number'], memberId: [2, 'big'], kind: [3, 'number'] },
} as const;
const RAISE = 1;
const DISARM = 2;
const NO_SPACE = 1;

/** A node whose streams can be ended for a while, as those of a hub that stands still; all else goes on. */
class SleepyNode {
  readonly node: EtcdNode;
  readonly #fall: (() => void)[] = [];
  #isAsleep = false;

  constructor(endpoint: Endpoint) {
    this.node = {
      call: (...asked) => endpoint.call(...asked),
      exchange: (...asked) => endpoint.exchange(...asked),
      open: (method, token, onMessage, onEnd) => {
        const error = new EtcdError('asleep', UNAVAILABLE);
        if (this.#isAsleep) throw error;
        const stream = endpoint.open(method, token, onMessage, onEnd);
        this.#fall.push(() => {
          stream.cancel();
          onEnd(error);
        });
        return stream;
      },
      close: () => {
        endpoint.close();
      },
    };
  }

  sleep(): void {
    this.#isAsleep = true;
    for (const end of this.#fall.splice(0)) end();
  }

  wake(): void {
    this.#isAsleep = false;
  }
}

test('hubs in hard times', { skip: WITHOUT_ETCD }, async (t) => {
  let etcd: TestEtcd;
  let client: EtcdClient;
  let sleepy: SleepyNode;
  let a: TestHub;
  let b: TestHub;
  before(async () => {
    etcd = await TestEtcd.start();
    client = await etcd.client();
    const prefix = etcd.prefix();
    const settings = { endpoints: [etcd.url], ca: null, client: null, user: null, prefix };
    sleepy = new SleepyNode(new Endpoint(await import('@grpc/grpc-js'), etcd.url, settings));
    const through = new EtcdClient([sleepy.node], null, systemTimers);
    const store = { ...settings, hubName: 'a', markPath: null };
    a = await TestHub.start({}, { openLog: SharedLog.over(through, store, new TestLog()) });
    b = await TestHub.start({ ETCD_ENDPOINTS: etcd.url, ETCD_PREFIX: prefix, HUB_NAME: 'b' });
  });
  after(async () => {
    await a.stop();
    await b.stop();
    client.close();
    await etcd.stop();
  });

  await t.test(
    'a hub sleeps past a compaction: its watchers see what has changed, and nobody else go',
    async () => {
      const [here, changed, gone] = [new TestKey(), new TestKey(), new TestKey()];
      const session = await b.session(here);
      session.send(b.signedFrame('advertise', here));
      await session.next('advertised');
      await b.post(changed);
      await b.post(gone);
      const all = async (hub: TestHub) =>
        (await hub.get<{ provider_id: string; status: string }[]>('/api/v1/advertisements')).body;
      await until(async () => (await all(a)).length === 3, 'all of them at the other hub');
      const watcher = await a.connect();
      await watcher.next('welcome');
      watcher.send({ type: 'subscribe', id: 1, filter: {} });
      await watcher.next('subscribed');
      while ((await watcher.next('snapshot'))['last'] !== true);

      sleepy.sleep();
      await b.post(changed, changed.publicKey, { ...ADVERTISEMENT, country: 'NO' });
      await b.delete(gone);
      session.send(b.signedFrame('advertise', here));
      await session.next('advertised');
      // Another machine of the provider takes its place.
      const moved = await b.session(here);
      const { header } = await client.call(METHODS.range, { key: Buffer.from('x') });
      await client.call(METHODS.compact, { revision: header!.revision });
      assert.equal((await all(a)).length, 3, 'it does not know yet');
      sleepy.wake();

      const { events } = (await watcher.next('events')) as unknown as {
        events: {
          type: string;
          provider_id?: string;
          advertisement?: { provider_id: string; country: string };
        }[];
      };
      const seen = events.map(
        ({ provider_id, advertisement }) =>
          provider_id ?? [advertisement!.provider_id, advertisement!.country],
      );
      assert.deepEqual(new Set(seen.map(String)), new Set([gone.publicKey, `${changed.publicKey},NO`]));
      assert.equal(watcher.frames.length, 0);
      // When a provider was last heard of over a session is known exactly to the hub that has it.
      const content = async (hub: TestHub): Promise<object[]> =>
        (await all(hub)).map((one) => ({ ...one, updated_at: null, expires_at: null }));
      assert.deepEqual(await content(a), await content(b));
      assert.match(await (await fetch(`${a.url}/metrics`)).text(), /^discovery_store_loads 2$/m);
      moved.terminate();
    },
  );

  await t.test('a full quota: lists go on, writes are refused until the alarm is disarmed', async () => {
    const { header } = await client.call(METHODS.status, {});
    const alarm = (action: number) =>
      client.call(ALARM, { action, memberId: header!.memberId, kind: NO_SPACE });
    const healthOf = async (hub: TestHub) => (await hub.get('/health')).status;
    const key = new TestKey();
    assert.equal((await b.post(key)).status, 200);
    await alarm(RAISE);
    const refused = await b.post<{ code: string }>(key);
    assert.deepEqual([refused.status, refused.body.code], [503, 'ADV_001']);
    assert.equal(await healthOf(b), 503);
    assert.equal((await b.get('/api/v1/advertisements')).status, 200);
    const late = TestHub.start({ ETCD_ENDPOINTS: etcd.url, ETCD_PREFIX: etcd.prefix(), HUB_NAME: 'c' });
    await assert.rejects(late, /space exceeded: compact and defragment it, then disarm its alarm/);
    await alarm(DISARM);
    // Nobody writes to a hub that says it cannot: it finds out by itself.
    await until(async () => (await healthOf(b)) === 200, 'health');
    assert.equal((await b.post(key)).status, 200);
  });
});
