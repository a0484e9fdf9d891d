import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { EtcdClient } from '../../../src/registry/etcd/client/client.js';
import { Endpoint } from '../../../src/registry/etcd/client/endpoint.js';
import { METHODS } from '../../../src/registry/etcd/client/messages.js';
import { systemTimers } from '../../../src/lib/timers.js';
import { SharedLog } from '../../../src/registry/etcd/shared-log.js';
import { StoreMark } from '../../../src/registry/etcd/store-mark.js';
import type { KeptSink } from '../../../src/registry/log.js';
import { advertised } from '../../support/data/entries.js';
import { TestEtcd, until, WITHOUT_ETCD } from '../../support/hubs/etcd.js';
import { TestKey } from '../../support/data/keys.js';
import { TestHub } from '../../support/hubs/test-hub.js';
import { advertisementOf, TestLog } from '../mirror/support.js';

const KEY = '/p/e';
const NO_SINK = {} as KeptSink;
const BACK = /an older backup was restored.*delete the key .*\/e in etcd/;
const ANOTHER = /not the store that this hub has followed: it was made anew.*restart this hub/;

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'mark-'));
});
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('how far a hub has come is remembered: less of the same store is refused, another one is told', async () => {
  const path = join(folder, 'one.store');
  const log = new TestLog();
  const mark = new StoreMark(path, log);
  await mark.check({ epoch: 'a', revision: 1 }, KEY);
  mark.note({ epoch: 'a', revision: 10 }, 0);
  await mark.close({ epoch: 'a', revision: 12 });
  await new StoreMark(path, log).check({ epoch: 'a', revision: 12 }, KEY);
  assert.deepEqual(log.lines, []);
  await assert.rejects(new StoreMark(path, log).check({ epoch: 'a', revision: 11 }, KEY), BACK);
  await new StoreMark(path, log).check({ epoch: 'b', revision: 3 }, KEY);
  assert.match(log.lines.join(), /epoch a at revision 12 then, epoch b at revision 3 now/);
  assert.deepEqual(readdirSync(folder), ['one.store'], 'nothing else is left on the disk');
});

test('it is written at most every five seconds, and only when there is something new', async () => {
  const path = join(folder, 'often.store');
  const written = (): number => (JSON.parse(readFileSync(path, 'utf8')) as { revision: number }).revision;
  const mark = new StoreMark(path, new TestLog());
  mark.note({ epoch: 'a', revision: 1 }, 1000);
  await mark.close({ epoch: 'a', revision: 1 });
  mark.note({ epoch: 'a', revision: 2 }, 5999);
  await mark.close({ epoch: 'a', revision: 1 });
  assert.equal(written(), 1);
  mark.note({ epoch: 'a', revision: 2 }, 6000);
  await mark.close({ epoch: 'a', revision: 2 });
  assert.equal(written(), 2);
});

test('a file that cannot be read, and a disk that cannot be written, are told and keep nobody from starting', async () => {
  const path = join(folder, 'two.store');
  const log = new TestLog();
  for (const text of ['{"epoch":', 'null', '{"epoch":"a","revision":"12"}']) {
    writeFileSync(path, text);
    await new StoreMark(path, log).check({ epoch: 'a', revision: 1 }, KEY);
    assert.match(log.lines.pop() ?? '', /two\.store cannot be read/);
  }
  const nowhere = new StoreMark(join(folder, 'missing', 'x.store'), log);
  await nowhere.close({ epoch: 'a', revision: 1 });
  await nowhere.close({ epoch: 'a', revision: 2 });
  assert.equal(log.lines.length, 1, 'told once');
  assert.match(log.lines[0]!, /cannot be written to disk/);
});

test('a store that is not the one it was', { skip: WITHOUT_ETCD }, async (t) => {
  const etcd = await TestEtcd.start();
  const prefix = etcd.prefix();
  const backup = join(folder, 'backup');
  const opened: SharedLog[] = [];
  const hubs: TestHub[] = [];
  const lines = new TestLog();
  t.after(async () => {
    // Also those that a failed test has left, which would keep the process.
    await Promise.allSettled([...hubs.map((hub) => hub.stop()), ...opened.map((log) => log.close())]);
    await etcd.stop();
  });
  const open = async (name: string): Promise<SharedLog> => {
    const settings = { endpoints: [etcd.url], ca: null, client: null, user: null, prefix, hubName: name };
    const markPath = join(folder, `${name}.store`);
    const log = await SharedLog.in({ ...settings, markPath }, lines)(NO_SINK);
    opened.push(log);
    log.deliverTo(() => undefined);
    return log;
  };
  /** Puts a folder in the place of what etcd has kept; nothing where there is none. */
  const replaceBy = async (data: string | null): Promise<void> => {
    await etcd.kill();
    rmSync(etcd.data, { recursive: true, force: true });
    if (data !== null) cpSync(data, etcd.data, { recursive: true });
    await etcd.run();
  };
  const renewEpoch = async (): Promise<void> => {
    const client = await etcd.client();
    await client.call(METHODS.delete, { key: Buffer.from(`${prefix}e`) });
    client.close();
  };
  /** Opens a log by way of a node that a test has changed. */
  const openBy = async (node: Endpoint): Promise<SharedLog> => {
    const settings = { endpoints: [etcd.url], prefix, hubName: 'hub', markPath: null };
    const log = await SharedLog.over(new EtcdClient([node], null, systemTimers), settings, lines)(NO_SINK);
    opened.push(log);
    log.deliverTo(() => undefined);
    return log;
  };
  const nodeOf = ({ url }: TestEtcd): Endpoint =>
    new Endpoint(grpc, url, { endpoints: [url], ca: null, client: null, user: null });
  const write = (log: SharedLog, ...ids: string[]) =>
    Promise.all(ids.map((id) => log.propose(advertised(advertisementOf(id)))));

  await t.test(
    'an older backup: hubs that run write no more, others do not start until the epoch is renewed',
    async () => {
      const first = await open('first');
      await write(first, 'a');
      await first.close();
      await etcd.kill();
      cpSync(etcd.data, backup, { recursive: true });
      await etcd.run();

      const running = await open('running');
      const stopped = await open('stopped');
      for (const id of ['b', 'c', 'd', 'e']) await write(running, id);
      await until(() => stopped.position === running.position, 'the same revision');
      await stopped.close();
      await replaceBy(backup);
      await until(() => running.problem !== null && BACK.test(running.problem), 'the problem');
      assert.match(lines.lines.join('\n'), BACK);
      await assert.rejects(write(running, 'f'), BACK);
      assert.equal(running.hub, '', 'it counts itself as no member');
      await running.close();

      await assert.rejects(open('stopped'), BACK);
      await renewEpoch();
      const again = await open('stopped');
      assert.notEqual(again.epoch, running.epoch);
      assert.match(lines.lines.at(-1)!, new RegExp(`epoch ${running.epoch} .* epoch ${again.epoch} `));
      await write(again, 'f');
      await again.close();
    },
  );

  await t.test(
    'one made anew: a hub that runs says so in its health, and restarts under another epoch',
    async () => {
      const start = async (): Promise<TestHub> => {
        const store = { endpoints: [etcd.url], ca: null, client: null, user: null, prefix };
        const openLog = SharedLog.in(
          { ...store, hubName: 'hub', markPath: join(folder, 'hub.store') },
          lines,
        );
        const started = await TestHub.start({}, { openLog });
        hubs.push(started);
        return started;
      };
      const hub = await start();
      const key = new TestKey();
      assert.equal((await hub.post(key)).status, 200);
      const cursor = (await hub.get('/api/v1/advertisements')).headers.get('x-discovery-cursor')!;
      await replaceBy(null);
      await until(() => lines.lines.some((line) => ANOTHER.test(line)), 'that it is noticed');
      assert.deepEqual((await hub.get('/health')).status, 503);
      const refused = await hub.post<{ code: string }>(key);
      assert.deepEqual([refused.status, refused.body.code], [503, 'ADV_001']);
      await hub.stop();
      hubs.length = 0;

      const anew = await start();
      assert.match(lines.lines.at(-1)!, /made anew.*clients take a new snapshot/);
      const socket = await anew.connect();
      await socket.next('welcome');
      socket.send({ type: 'subscribe', id: 1, filter: {}, resume: cursor });
      assert.equal((await socket.next('subscribed'))['resumed'], false);
      assert.deepEqual((await socket.next('snapshot'))['advertisements'], []);
      assert.equal((await anew.post(key)).status, 200);
    },
  );

  await t.test('one made anew while a hub asks whether it is the same', async () => {
    const node = nodeOf(etcd);
    const call = node.call.bind(node);
    let isAnew = false;
    node.call = async (method, message, token, timeoutMs) => {
      const answer = await call(method, message, token, timeoutMs);
      const { key } = message as { key?: Uint8Array };
      if (!isAnew && method.path === METHODS.range.path && String(key) === `${prefix}e`) {
        isAnew = true;
        await replaceBy(null);
      }
      return answer;
    };
    const log = await openBy(node);
    await until(() => ANOTHER.test(log.problem ?? ''), 'that it is noticed');
  });

  await t.test('a node of another cluster among those of the store', async (s) => {
    const other = await TestEtcd.start();
    s.after(() => other.stop());
    const [node, stranger] = [nodeOf(etcd), nodeOf(other)];
    s.after(() => {
      stranger.close();
    });
    node.open = stranger.open.bind(stranger);
    const log = await openBy(node);
    await until(() => ANOTHER.test(log.problem ?? ''), 'that it is noticed');
  });
});
