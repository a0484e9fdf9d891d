import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { EtcdClient } from '../../../src/registry/etcd/client/client.js';
import { EtcdError } from '../../../src/registry/etcd/client/endpoint.js';
import {
  DELETED,
  METHODS,
  RESULT,
  TARGET,
  type WatchAnswer,
} from '../../../src/registry/etcd/client/messages.js';
import { TestEtcd, until, WITHOUT_ETCD } from '../../support/hubs/etcd.js';

const key = (text: string): Buffer => Buffer.from(text);
const isEtcdError = (error: unknown): error is EtcdError => error instanceof EtcdError;

test('a token is renewed where it has expired, and where it is older than a change of the users', () => {
  const needsToken = (code: number, message: string): boolean => new EtcdError(message, code).needsToken;
  assert.ok(needsToken(16, 'etcdserver: invalid auth token'));
  assert.ok(needsToken(3, 'etcdserver: revision of auth store is old'));
  assert.ok(!needsToken(3, 'etcdserver: authentication failed, invalid user ID or password'));
});

test('the client of an etcd', { skip: WITHOUT_ETCD }, async (t) => {
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

  await t.test('what was put is read, with its revision, until it is deleted', async () => {
    const { header } = await client.call(METHODS.put, { key: key('a'), value: key('1') });
    const { kvs } = await client.call(METHODS.range, { key: key('a') });
    assert.deepEqual(
      kvs.map(({ key: name, value, modRevision }) => [name.toString(), value.toString(), modRevision]),
      [['a', '1', header!.revision]],
    );
    await client.call(METHODS.delete, { key: key('a') });
    assert.deepEqual((await client.call(METHODS.range, { key: key('a') })).kvs, []);
  });

  await t.test('transactions within a transaction each decide for themselves, at one revision', async () => {
    const put = (name: string, revision: number) => ({
      txn: {
        compare: [
          { target: TARGET.modRevision, result: RESULT.equal, key: key(name), modRevision: revision },
        ],
        success: [{ put: { key: key(name), value: key('new') } }],
        failure: [{ range: { key: key(name) } }],
      },
    });
    await client.call(METHODS.put, { key: key('taken'), value: key('old') });
    const answer = await client.call(METHODS.txn, { success: [put('free', 0), put('taken', 0)] });
    const [free, taken] = answer.responses.map(({ txn }) => txn!);
    assert.equal(free!.succeeded, true);
    assert.equal(taken!.succeeded, false);
    assert.equal(taken!.responses[0]?.range?.kvs[0]?.value.toString(), 'old');
    const { kvs } = await client.call(METHODS.range, { key: key('free') });
    assert.equal(kvs[0]?.modRevision, answer.header?.revision);
  });

  await t.test('a watch tells of what was put and deleted since its revision, and of progress', async () => {
    const { header } = await client.call(METHODS.put, { key: key('w/1'), value: key('x') });
    await client.call(METHODS.delete, { key: key('w/1') });
    const { endpoint, token } = await client.node(0);
    const answers: WatchAnswer[] = [];
    const stream = endpoint.open(
      METHODS.watch,
      token,
      (answer) => answers.push(answer),
      (error) => assert.fail(error),
    );
    const startRevision = header!.revision;
    stream.send({ create: { key: key('w/'), rangeEnd: key('w0'), startRevision, fragment: true } });
    const events = () => answers.flatMap((answer) => answer.events);
    await until(() => events().length === 2, 'two events');
    assert.deepEqual(
      events().map(({ type, kv }) => [type === DELETED, kv!.key.toString(), kv!.modRevision]),
      [
        [false, 'w/1', startRevision],
        [true, 'w/1', startRevision + 1],
      ],
    );
    const before = answers.length;
    stream.send({ progress: {} });
    await until(() => answers.length > before, 'progress');
    assert.equal(answers.at(-1)?.header?.revision, startRevision + 1);
    stream.cancel();
  });

  await t.test('a watch from a revision that was compacted is told so', async () => {
    const { header } = await client.call(METHODS.put, { key: key('c'), value: key('x') });
    await client.call(METHODS.put, { key: key('c'), value: key('y') });
    await client.call(METHODS.compact, { revision: header!.revision + 1 });
    await assert.rejects(
      client.call(METHODS.range, { key: key('c'), revision: header!.revision }),
      (error) => isEtcdError(error) && error.isCompacted,
    );
    const { endpoint, token } = await client.node(0);
    const canceled = new Promise<WatchAnswer>((resolve, reject) => {
      const stream = endpoint.open(
        METHODS.watch,
        token,
        (answer) => {
          if (answer.canceled) resolve(answer);
        },
        reject,
      );
      stream.send({ create: { key: key('c'), startRevision: 1 } });
    });
    assert.equal((await canceled).compactRevision, header!.revision + 1);
  });

  await t.test('what one node does not answer goes to the next', async () => {
    const endpoints = ['http://127.0.0.1:1', etcd.url];
    const both = await EtcdClient.open({ endpoints, ca: null, client: null, user: null });
    await both.call(METHODS.put, { key: key('n'), value: key('x') });
    const { version } = await both.call(METHODS.status, {});
    assert.match(version, /^3\.\d+\.\d+$/);
    both.close();
  });

  await t.test('a node that does not answer at all is an error that may pass, in time', async () => {
    etcd.pause();
    const request = client.call(METHODS.range, { key: key('a') }, 300);
    await assert.rejects(request, (error) => isEtcdError(error) && error.mayPass);
    etcd.resume();
    await client.call(METHODS.range, { key: key('a') });
  });

  await t.test(
    'what is asked of a client that is closed is refused: it used to bring down a hub that stopped',
    async () => {
      const closed = await etcd.client();
      closed.close();
      await assert.rejects(closed.exchange(METHODS.leaseKeepAlive, { id: 1n }), { name: 'EtcdError' });
      await assert.rejects(closed.call(METHODS.range, { key: Buffer.from('a') }), { name: 'EtcdError' });
    },
  );

  await t.test('a lease takes its keys with it; one that is gone is not found', async () => {
    const { id } = await client.call(METHODS.leaseGrant, { ttl: 60, id: 0n });
    await client.call(METHODS.put, { key: key('l'), value: key('x'), lease: id });
    const [{ kvs }] = [await client.call(METHODS.range, { key: key('l') })];
    assert.equal(kvs[0]?.lease, id);
    assert.equal((await client.exchange(METHODS.leaseKeepAlive, { id })).ttl, 60);
    await client.call(METHODS.leaseRevoke, { id });
    assert.equal((await client.exchange(METHODS.leaseKeepAlive, { id })).ttl, 0);
    assert.deepEqual((await client.call(METHODS.range, { key: key('l') })).kvs, []);
    await assert.rejects(
      client.call(METHODS.leaseRevoke, { id }),
      (error) => isEtcdError(error) && error.isNotFound,
    );
  });

  await t.test('a user with a password is let in, and one with another is told so', async () => {
    const auth = (path: string, fields: object, message: object) =>
      client.call(
        { path: `/etcdserverpb.Auth/${path}`, request: fields as never, response: {} },
        message as never,
      );
    const named = { name: [1, 'text'], password: [2, 'text'] };
    await auth('UserAdd', named, { name: 'root', password: 'secret' });
    await auth('RoleAdd', named, { name: 'root' });
    await auth('UserGrantRole', { user: [1, 'text'], role: [2, 'text'] }, { user: 'root', role: 'root' });
    await auth('AuthEnable', {}, {});
    const as = (password: string) =>
      EtcdClient.open({ endpoints: [etcd.url], ca: null, client: null, user: { name: 'root', password } });
    const right = await as('secret');
    await right.call(METHODS.put, { key: key('u'), value: key('x') });
    const wrong = await as('wrong');
    await assert.rejects(wrong.call(METHODS.range, { key: key('u') }), /authentication failed/);
    await assert.rejects(client.call(METHODS.range, { key: key('u') }), isEtcdError);
    right.close();
    wrong.close();
  });
});
