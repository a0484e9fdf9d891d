import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { EtcdClient } from '../../../src/registry/etcd/client/client.js';
import { METHODS } from '../../../src/registry/etcd/client/messages.js';
import { SharedLog } from '../../../src/registry/etcd/shared-log.js';
import type { CopyChange, CopyMark } from '../../../src/registry/local-copy.js';
import { FileCopy } from '../../../src/registry/mirror/copy/file-copy.js';
import { FakeClock } from '../../support/fake-clock.js';
import { TestEtcd, until, WITHOUT_ETCD } from '../../support/hubs/etcd.js';
import { TestKey } from '../../support/data/keys.js';
import { ADVERTISEMENT, TestHub } from '../../support/hubs/test-hub.js';
import type { Frame, TestSocket } from '../../support/clients/test-socket.js';
import { TestLog } from '../mirror/support.js';

/** Short enough for tests, and long enough for several revisions in one transaction. */
const LAG_MS = 60;
const LIST = '/api/v1/advertisements';
const FROM_COPY = /starting from the local copy/;

/** A copy in a file that says how far it has come. */
class WatchedCopy extends FileCopy {
  revision = -1;

  override async write(changes: readonly CopyChange[], mark: CopyMark | null): Promise<void> {
    await super.write(changes, mark);
    if (mark !== null) this.revision = mark.revision;
  }
}

/** A hub with a copy, and its log. */
interface Copying {
  hub: TestHub;
  log: SharedLog;
  copy: WatchedCopy;
  lines: TestLog;
}

interface Listed {
  provider_id: string;
  updated_at: string;
  expires_at: string;
}

interface Lists {
  cursor: string;
  text: string;
  /** Without the times of heartbeats, which hubs do not share. */
  rows: string[];
}

async function listOf({ url }: TestHub): Promise<Lists> {
  const response = await fetch(url + LIST);
  const text = await response.text();
  const rows = (JSON.parse(text) as Listed[]).map((row) =>
    JSON.stringify({ ...row, updated_at: '', expires_at: '' }),
  );
  return { cursor: response.headers.get('x-discovery-cursor')!, text, rows };
}

async function resume(hub: TestHub, cursor: string): Promise<{ socket: TestSocket; answer: Frame }> {
  const socket = await hub.connect();
  await socket.next('welcome');
  socket.send({ type: 'subscribe', id: 1, filter: {}, resume: cursor });
  return { socket, answer: await socket.next('subscribed') };
}

const idsIn = (frame: Frame): string[] =>
  (frame['events'] as { provider_id?: string; advertisement?: Listed }[])
    .map(({ provider_id, advertisement }) => provider_id ?? advertisement!.provider_id)
    .sort();

test('a hub that shares a store starts from its local copy', { skip: WITHOUT_ETCD }, async (t) => {
  let etcd: TestEtcd;
  let client: EtcdClient;
  let folder: string;
  let prefix: string;
  let path: string;
  /** Another hub, without a copy. */
  let other: TestHub;
  const running = new Set<TestHub>();
  // One for all, because signing times only grow.
  const clock = new FakeClock();

  const start = async (copyPath: string | null = path): Promise<Copying> => {
    const settings = { endpoints: [etcd.url], ca: null, client: null, user: null, prefix };
    const copy = new WatchedCopy(copyPath ?? '');
    const lines = new TestLog();
    const logs: SharedLog[] = [];
    const copying = copyPath === null ? null : { copy, lagMs: LAG_MS };
    const open = SharedLog.in({ ...settings, hubName: 'hub', markPath: null }, lines, copying);
    const hub = await TestHub.start(
      {},
      {
        clock,
        openLog: async (sink) => {
          const log = await open(sink);
          logs.push(log);
          return log;
        },
      },
    );
    running.add(hub);
    return { hub, log: logs[0]!, copy, lines };
  };
  const stop = async (hub: TestHub): Promise<void> => {
    running.delete(hub);
    await hub.stop();
  };
  /** Waits until the copy has all that is applied now. */
  const copied = async ({ log, copy }: Copying): Promise<void> => {
    const { position } = log;
    await until(() => copy.revision >= position, 'the copy of what is applied');
  };
  const sameAsOther = async ({ hub }: Copying): Promise<void> => {
    let here: string[] = [];
    let there: string[] = [];
    const isSame = async (): Promise<boolean> => {
      here = (await listOf(hub)).rows;
      there = (await listOf(other)).rows;
      return isDeepStrictEqual(here, there);
    };
    await until(isSame, 'the same list').catch(() => undefined);
    assert.deepEqual(here, there);
  };

  before(async () => {
    etcd = await TestEtcd.start();
    client = await etcd.client();
    folder = mkdtempSync(join(tmpdir(), 'copy-'));
    prefix = etcd.prefix();
    path = join(folder, 'hub.db.copy');
    other = (await start(null)).hub;
  });
  after(async () => {
    for (const hub of running) await hub.stop();
    client.close();
    await etcd.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const keys = Array.from({ length: 6 }, () => new TestKey());
  const [posted, withdrawn, atOther, leaving, changing, named] = keys as [
    TestKey,
    TestKey,
    TestKey,
    TestKey,
    TestKey,
    TestKey,
  ];

  await t.test('the list is the same to the byte, and a resume across the restart is exact', async () => {
    const first = await start();
    assert.equal(first.log.figures.loads, 1);
    for (const key of [posted, withdrawn, changing]) assert.equal((await first.hub.post(key)).status, 200);
    await first.hub.post(named, 'a-name', { ...ADVERTISEMENT, attributes: { disk: 'nvme' } });
    assert.equal((await first.hub.delete(withdrawn)).status, 200);
    const before = await listOf(first.hub);
    await copied(first);
    await stop(first.hub);

    const again = await start();
    assert.match(again.lines.lines.join('\n'), FROM_COPY);
    assert.equal(again.log.figures.loads, 0, 'the store was not read');
    const { cursor, text } = await listOf(again.hub);
    assert.deepEqual({ cursor, text }, { cursor: before.cursor, text: before.text });
    const { socket, answer } = await resume(again.hub, before.cursor);
    assert.equal(answer['resumed'], true);
    await again.hub.post(posted, posted.publicKey, { ...ADVERTISEMENT, country: 'NO' });
    assert.deepEqual(idsIn(await socket.next('events')), [posted.publicKey], 'nothing else has changed');
    await copied(again);
    await stop(again.hub);
  });

  await t.test(
    'what happened while the hub was down has happened after it: the cursor of before leads there',
    async () => {
      const sessions: TestSocket[] = [];
      for (const key of [atOther, leaving]) {
        const session = await other.session(key);
        session.send(other.signedFrame('advertise', key));
        await session.next('advertised');
        sessions.push(session);
      }
      const first = await start();
      const own = await first.hub.session(changing);
      await sameAsOther(first);
      const before = await listOf(first.hub);
      await copied(first);
      await stop(first.hub);
      await own.closed;
      sessions[1]!.terminate();
      const added = new TestKey();
      await other.post(added);
      assert.equal((await other.delete(posted)).status, 200);
      const { socket } = await resume(other, before.cursor);
      const told = new Set<string>();
      while (told.size < 4) for (const id of idsIn(await socket.next('events'))) told.add(id);

      const again = await start();
      assert.equal(again.log.figures.loads, 0, again.lines.lines.join('\n'));
      await sameAsOther(again);
      const resumed = await resume(again.hub, before.cursor);
      assert.equal(resumed.answer['resumed'], true);
      assert.deepEqual(idsIn(await resumed.socket.next('events')), [...told].sort());
      assert.ok(!(await listOf(again.hub)).text.includes(posted.publicKey), 'who has withdrawn is gone');

      // Bindings come back, and what is known of records, too: whoever writes next does so on top of it.
      const stranger = await again.hub.post<{ code: string }>(new TestKey(), 'a-name');
      assert.deepEqual([stranger.status, stranger.body.code], [403, 'AUTH_004']);
      for (const key of [withdrawn, changing, atOther]) assert.equal((await again.hub.post(key)).status, 200);
      assert.equal(again.log.figures.conflicts, 0);
      // The copy has to know which hub holds a session, or the end of one that began before the copy would be missed.
      sessions[0]!.terminate();
      await sameAsOther(again);
      await until(
        async () =>
          (await listOf(again.hub)).rows.some(
            (row) => row.includes(atOther.publicKey) && row.includes('suspect'),
          ),
        'the end of the session',
      );
      await sameAsOther(again);
      await copied(again);
      await stop(again.hub);
    },
  );

  await t.test(
    'where etcd has compacted what came since, the store is read, and the copy made anew',
    async () => {
      await other.post(new TestKey());
      await other.post(new TestKey());
      const { header } = await client.call(METHODS.range, { key: Buffer.from('x') });
      await client.call(METHODS.compact, { revision: header!.revision });
      const hub = await start();
      assert.match(hub.lines.lines.join('\n'), /of no use.*compacted/);
      assert.equal(hub.log.figures.loads, 1);
      await sameAsOther(hub);
      await copied(hub);
      await stop(hub.hub);
      const again = await start();
      assert.equal(again.log.figures.loads, 0);
      await sameAsOther(again);
      await stop(again.hub);
    },
  );

  await t.test('a file that is damaged, and one of another epoch, are made anew', async () => {
    truncateSync(path, 20_000);
    const damaged = await start();
    assert.match(damaged.lines.lines.join('\n'), /of no use/);
    await sameAsOther(damaged);
    await copied(damaged);
    await stop(damaged.hub);
    await client.call(METHODS.delete, { key: Buffer.from(`${prefix}e`) });
    const renewed = await start();
    assert.match(renewed.lines.lines.join('\n'), /another store, or of an earlier epoch/);
    assert.notEqual(renewed.log.epoch, damaged.log.epoch);
    await stop(renewed.hub);
  });
});
