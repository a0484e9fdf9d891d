import assert from 'node:assert/strict';
import { join } from 'node:path';
import test, { after, before, type TestContext } from 'node:test';
import type { EtcdClient } from '../../../src/registry/etcd/client/client.js';
import { EtcdError } from '../../../src/registry/etcd/client/endpoint.js';
import { METHODS } from '../../../src/registry/etcd/client/messages.js';
import { Import, ImportError, type ImportSource } from '../../../src/registry/etcd/import.js';
import { Keys } from '../../../src/registry/etcd/keys.js';
import { isImporting, readState } from '../../../src/registry/etcd/store-state.js';
import { KeptProviders } from '../../../src/registry/mirror/reading/kept-providers.js';
import { scratchFolder } from '../../process/hub-process.js';
import { TestEtcd, WITHOUT_ETCD } from '../../support/hubs/etcd.js';
import { FakeClock } from '../../support/fake-clock.js';
import { TestKey } from '../../support/data/keys.js';
import { randomOf } from '../../support/random.js';
import { ADVERTISEMENT, nextT, TestHub } from '../../support/hubs/test-hub.js';

const UNAVAILABLE = 14;
const EXPIRY_SECONDS = 5;

/** So many providers without an advertisement, in the order of their ids. */
function sourceOf(count: number, fingerprint = 'a file'): ImportSource {
  const identities = Array.from({ length: count }, (_, number) => {
    const providerId = `name-${String(number).padStart(6, '0')}`;
    return { providerId, publicKey: 'ab'.repeat(32), lastT: number, seenAt: 1 };
  });
  const behind = (after: string): typeof identities => identities.filter((one) => one.providerId > after);
  return {
    fingerprint,
    count: (after) => behind(after).length,
    *behind(after) {
      for (const identity of behind(after))
        yield { providerId: identity.providerId, advertisement: null, identity };
    },
  };
}

/** A client whose connection breaks at one of its transactions: before it arrives, or with its answer. */
function breaking(client: EtcdClient, at: number, isLost: boolean): EtcdClient {
  let calls = 0;
  const call = async (...args: Parameters<EtcdClient['call']>): Promise<unknown> => {
    if (args[0].path !== METHODS.txn.path) return client.call(...args);
    calls += 1;
    if (calls < at) return client.call(...args);
    if (!isLost) await client.call(...args);
    throw new EtcdError('the connection broke', UNAVAILABLE);
  };
  return { call } as unknown as EtcdClient;
}

const always = (): boolean => true;
const ignored = (): void => undefined;

test('the import of a file into a store', { skip: WITHOUT_ETCD }, async (t) => {
  let etcd: TestEtcd;
  let client: EtcdClient;
  before(async () => {
    etcd = await TestEtcd.start();
    client = await etcd.client();
  });
  after(async () => {
    client.close();
    await etcd.stop();
  });
  const idsIn = async (prefix: string): Promise<string[]> => [
    ...(await readState(client, new Keys(prefix))).providers.keys(),
  ];

  await t.test('what a hub has kept is listed by those that start on the store, as suspect', async (one) => {
    const { path, live, expired, kept, clock } = await fileOf(one);
    const prefix = etcd.prefix();
    const file = new KeptProviders(path);
    one.after(() => {
      file.close();
    });
    const begun = await Import.begin(client, prefix, file);
    assert.equal(begun.left, 3);
    let told = 0;
    await begun.run(
      ({ updatedAt }) => updatedAt + EXPIRY_SECONDS * 1000 > clock.wall(),
      (written) => (told += written),
    );
    assert.equal(told, 3);
    const hub = await TestHub.start({ ETCD_ENDPOINTS: etcd.url, ETCD_PREFIX: prefix }, { clock });
    one.after(() => hub.stop());
    const { body } = await hub.get<{ provider_id: string; status: string }[]>('/api/v1/advertisements');
    assert.deepEqual(
      body.map(({ provider_id, status }) => [provider_id, status]),
      [[live, 'suspect']],
    );
    const proof = await hub.get(`/api/v1/advertisements/${live}/proof`);
    assert.deepEqual(proof.body, kept.proof);
    // Names still belong to whom they did, and what was signed is not taken again.
    for (const name of [live, expired]) {
      const other = await hub.post<{ code: string }>(new TestKey(), name);
      assert.deepEqual([other.status, other.body.code], [403, 'AUTH_004']);
    }
    const replay = await hub.post<{ code: string }>(kept.key, live, ADVERTISEMENT, kept.t);
    assert.deepEqual([replay.status, replay.body.code], [401, 'AUTH_002']);
    assert.equal((await hub.post(kept.key, live)).status, 200);
  });

  await t.test('wherever it is interrupted, it goes on and misses nothing', async (one) => {
    const random = randomOf(one);
    const source = sourceOf(350);
    const all = [...source.behind('')].map(({ providerId }) => providerId);
    for (const isLost of [true, false]) {
      const prefix = etcd.prefix();
      for (let tries = 0; ; tries += 1) {
        assert.ok(tries < 30, 'it makes progress');
        const faulty = breaking(client, 1 + Math.floor(random() * 4), isLost);
        try {
          await (await Import.begin(faulty, prefix, source)).run(always, ignored);
          break;
        } catch (error) {
          assert.ok(error instanceof EtcdError);
          // Its end was not heard of, and nothing is left to do.
          if (
            !isLost &&
            (await idsIn(prefix)).length === all.length &&
            !(await isImporting(client, new Keys(prefix)))
          )
            break;
        }
        if (tries > 10) {
          await (await Import.begin(client, prefix, source)).run(always, ignored);
          break;
        }
      }
      assert.deepEqual(await idsIn(prefix), all);
      assert.equal(await isImporting(client, new Keys(prefix)), false);
    }
  });

  await t.test('a store that has providers, and one that hubs use, are refused', async () => {
    const prefix = etcd.prefix();
    await (await Import.begin(client, prefix, sourceOf(1))).run(always, ignored);
    await assert.rejects(Import.begin(client, prefix, sourceOf(1)), isRefusal(/already has providers/));
    const used = etcd.prefix();
    const hub = await TestHub.start({ ETCD_ENDPOINTS: etcd.url, ETCD_PREFIX: used, HUB_NAME: 'a' });
    await assert.rejects(Import.begin(client, used, sourceOf(1)), isRefusal(/hubs use this store: a-/));
    await hub.stop();
    await (await Import.begin(client, used, sourceOf(1))).run(always, ignored);
  });

  await t.test('a hub that starts meanwhile ends it, and so does another import', async () => {
    const prefix = etcd.prefix();
    const begun = await Import.begin(client, prefix, sourceOf(150));
    const other = await Import.begin(client, prefix, sourceOf(150));
    await assert.rejects(Import.begin(client, prefix, sourceOf(150, 'b')), isRefusal(/of another file/));
    await other.run(always, ignored);
    await assert.rejects(begun.run(always, ignored), isRefusal(/another import into this store/));
    const late = etcd.prefix();
    const slow = await Import.begin(client, late, sourceOf(150));
    assert.equal(await isImporting(client, new Keys(late)), true);
    const hub = await TestHub.start({ ETCD_ENDPOINTS: etcd.url, ETCD_PREFIX: late, HUB_NAME: 'a' });
    await assert.rejects(slow.run(always, ignored), isRefusal(/hubs use this store: a-/));
    await hub.stop();
  });
});

const isRefusal =
  (message: RegExp) =>
  (error: unknown): boolean =>
    error instanceof ImportError && message.test(error.message);

/** The file of a hub that has stopped: somebody who is there, somebody who has expired, and somebody who has withdrawn. */
async function fileOf(t: TestContext): Promise<{
  path: string;
  live: string;
  expired: string;
  kept: { key: TestKey; t: number; proof: unknown };
  clock: FakeClock;
}> {
  const path = join(scratchFolder(t), 'hub.db');
  const clock = new FakeClock();
  const settings = {
    DB_URL: `sqlite:///${path}`,
    ADVERTISEMENT_EXPIRY_SECONDS: String(EXPIRY_SECONDS),
    CLEANUP_INTERVAL_SECONDS: '86400',
  };
  const hub = await TestHub.start(settings, { clock });
  const [live, expired] = ['name-live', 'name-expired'];
  await hub.post(new TestKey(), expired);
  await hub.advance(EXPIRY_SECONDS * 1000 + 1000);
  const gone = new TestKey();
  await hub.post(gone);
  await hub.delete(gone);
  const key = new TestKey();
  const signedAt = nextT(clock);
  assert.equal((await hub.post(key, live, ADVERTISEMENT, signedAt)).status, 200);
  const { body: proof } = await hub.get(`/api/v1/advertisements/${live}/proof`);
  await hub.stop();
  return { path, live, expired, kept: { key, t: signedAt, proof }, clock };
}
