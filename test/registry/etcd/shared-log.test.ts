import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Entry } from '../../../src/registry/entry.js';
import type { EtcdClient } from '../../../src/registry/etcd/client/client.js';
import { METHODS } from '../../../src/registry/etcd/client/messages.js';
import { encodeRecord } from '../../../src/registry/etcd/record.js';
import { SharedLog } from '../../../src/registry/etcd/shared-log.js';
import { ConflictError, type KeptSink } from '../../../src/registry/log.js';
import { State } from '../../../src/registry/state.js';
import { LIMITS } from '../../../src/protocol/limits.js';
import { advertised, bound, withdrawn } from '../../support/data/entries.js';
import { TestEtcd, until, WITHOUT_ETCD } from '../../support/hubs/etcd.js';
import { randomOf } from '../../support/random.js';
import { advertisementOf, identityOf, T0, TestLog } from '../mirror/support.js';

/** A log that is followed by a state of its own. */
class Followed {
  readonly log: SharedLog;
  readonly state = new State('', 1000, (at) => ({ updatedAt: at, expiresAt: at, deadline: at }));
  readonly delivered: { entry: Entry; position: number }[] = [];
  /** Fails for entries of this kind. */
  failing: Entry['kind'] | null = null;

  constructor(log: SharedLog, isFollowing = true) {
    this.log = log;
    if (isFollowing) this.follow();
  }

  follow(): void {
    this.log.deliverTo((entry, position) => {
      if (entry.kind === this.failing) throw new Error(`no ${entry.kind}`);
      this.delivered.push({ entry, position });
      this.state.apply(entry, position);
    });
  }

  /** All that is seen, and who has a session. */
  get seen(): unknown {
    const { store } = this.state;
    const rows = store.ids.flatMap((id, slot) =>
      id === undefined ? [] : [[id, store.isLive(slot), store.advertisement(slot).resources]],
    );
    const sessions = [...this.state.allSessions()].map(([id, { hub, token }]) => [id, hub, token]);
    return { rows: rows.sort(), sessions: sessions.sort() };
  }

  /** Those delivered after the first read. */
  get names(): string[] {
    return this.delivered.map(({ entry }) => entry.kind);
  }
}

const NO_SINK = {} as KeptSink;
const attach = (providerId: string, hub: string, token: number, again = false): Entry => ({
  kind: 'attach',
  providerId,
  hub,
  token,
  at: T0,
  from: null,
  again,
});
const detach = (providerId: string, hub: string, token: number): Entry => ({
  kind: 'detach',
  providerId,
  hub,
  token,
  heartbeatAgeMs: 0,
});

test('the log that several hubs share', { skip: WITHOUT_ETCD }, async (t) => {
  let etcd: TestEtcd;
  let client: EtcdClient;
  before(async () => {
    etcd = await TestEtcd.start();
    client = await etcd.client();
  });
  const opened: SharedLog[] = [];
  after(async () => {
    // A test that failed has left its own open, whose timers would keep the process.
    await Promise.allSettled(opened.map((log) => log.close()));
    client.close();
    await etcd.stop();
  });
  const open = async (prefix: string, isFollowing = true): Promise<Followed> => {
    const settings = { endpoints: [etcd.url], ca: null, client: null, user: null };
    const log = new TestLog();
    const shared = await SharedLog.in({ ...settings, prefix, hubName: 'test', markPath: null }, log)(NO_SINK);
    opened.push(shared);
    return new Followed(shared, isFollowing);
  };
  /** A log that is not followed until then. */
  const asleepIn = async (prefix: string) => {
    const asleep = await open(prefix, false);
    return {
      log: asleep.log,
      follow: () => {
        asleep.follow();
      },
    };
  };
  const haveMet = (...all: Pick<Followed, 'log'>[]) =>
    until(() => new Set(all.map(({ log }) => log.position)).size === 1, 'the same revision');

  await t.test(
    'whoever writes what, all hubs and one that comes later see the same, in one order',
    async (s) => {
      const prefix = etcd.prefix();
      const random = randomOf(s);
      const hubs = await Promise.all([open(prefix), open(prefix), open(prefix)]);
      const proposals: Promise<unknown>[] = [];
      const outcomes = { taken: 0, conflicts: 0 };
      for (let round = 0; round < 40; round += 1) {
        for (const { log } of hubs) {
          const id = `p${Math.floor(random() * 5)}`;
          const cpu = 1 + Math.floor(random() * 50);
          const entries: Entry[] = [
            advertised(
              advertisementOf(id, { resources: { cpu, memory: 1, storage: 1 } }),
              identityOf(id, { lastT: cpu }),
              random() < 0.5,
            ),
            withdrawn(id, identityOf(id)),
            bound(identityOf(id)),
            attach(id, log.hub, round),
            detach(id, log.hub, Math.floor(random() * round)),
            { kind: 'expire', providerId: id, seenAt: T0 },
          ];
          const entry = entries[Math.floor(random() * entries.length)]!;
          const proposal = log.propose(entry).then(
            (position) => {
              outcomes.taken += 1;
              assert.ok(log.position >= position, 'resolved before it was applied');
            },
            (error: unknown) => {
              assert.ok(error instanceof ConflictError, String(error));
              outcomes.conflicts += 1;
            },
          );
          proposals.push(proposal);
        }
        if (random() < 0.3) await Promise.all(proposals);
      }
      await Promise.all(proposals);
      assert.ok(outcomes.taken > 0 && outcomes.conflicts > 0, JSON.stringify(outcomes));
      await haveMet(...hubs);
      const [first, ...others] = hubs;
      const plain = ({ delivered }: Followed) =>
        delivered.map(({ entry, position }) => {
          const { kind } = entry;
          return [kind, position, kind === 'advertise' ? entry.record.resources : null];
        });
      for (const other of others) {
        assert.deepEqual(plain(other), plain(first));
        assert.deepEqual(other.seen, first.seen);
        assert.equal(other.log.epoch, first.log.epoch);
      }
      const late = await open(prefix);
      assert.deepEqual(late.seen, first.seen);
      assert.equal(late.log.epoch, first.log.epoch);
      for (const { log } of [...hubs, late]) await log.close();
    },
  );

  await t.test('what was decided upon before another hub wrote is decided anew', async () => {
    const prefix = etcd.prefix();
    const [a, b] = await Promise.all([open(prefix), open(prefix)]);
    const outcomes = await Promise.allSettled(
      [a, b].map(({ log }) => log.propose(advertised(advertisementOf('x'), identityOf('x')))),
    );
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const loser = outcomes[0]!.status === 'rejected' ? a : b;
    assert.deepEqual(loser.names, ['advertise'], 'it was not told before it has to decide again');
    await loser.log.propose(advertised(advertisementOf('x'), identityOf('x')));
    await a.log.close();
    await b.log.close();
  });

  await t.test('a hub that ends takes all its sessions with it, at one position', async () => {
    const prefix = etcd.prefix();
    const [a, b] = await Promise.all([open(prefix), open(prefix)]);
    for (const id of ['x', 'y', 'z']) await a.log.propose(advertised(advertisementOf(id), null, true));
    const { hub } = a.log;
    await Promise.all(['x', 'y'].map((id, token) => a.log.propose(attach(id, hub, token))));
    await b.log.propose(attach('z', b.log.hub, 1));
    assert.equal(b.state.store.suspects, 0);
    await a.log.close();
    await until(() => b.names.at(-1) === 'end', 'the end');
    assert.equal(b.state.store.suspects, 2);
    const late = await open(prefix);
    assert.deepEqual(late.seen, b.seen);
    await b.log.close();
    await late.log.close();
  });

  await t.test('a hub that was declared dead writes no more as the one it was, and joins anew', async () => {
    const prefix = etcd.prefix();
    const { log, state } = await open(prefix);
    const { hub } = log;
    await log.propose(attach('x', hub, 7));
    await client.call(METHODS.delete, { key: Buffer.from(`${prefix}h/${hub}`) });
    await until(() => log.hub !== hub && log.hub !== '', 'another run');
    assert.equal(state.sessions, 0);
    await log.propose(attach('x', log.hub, 7, true));
    assert.deepEqual({ ...state.sessionOf('x') }, { hub: log.hub, token: 7, from: null });
    // One that is attached again gives way to any other.
    const other = await open(prefix);
    await other.log.propose(attach('x', other.log.hub, 1));
    await haveMet({ log }, other);
    await log.propose(attach('x', log.hub, 7, true));
    assert.equal(state.sessionOf('x')?.hub, other.log.hub);
    await log.close();
    await other.log.close();
  });

  await t.test('a session of a run that is over is not attached: nobody would ever end it', async () => {
    const { log } = await open(etcd.prefix());
    await assert.rejects(log.propose(attach('x', `${log.hub}-before`, 1)), /declared this one dead/);
    await log.close();
  });

  await t.test('whoever is told of an entry and fails fails its proposer, and nobody else', async () => {
    const followed = await open(etcd.prefix());
    followed.failing = 'withdraw';
    const outcomes = await Promise.allSettled([
      followed.log.propose(advertised(advertisementOf('a'))),
      followed.log.propose(withdrawn('a')),
      followed.log.propose(advertised(advertisementOf('b'))),
    ]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    await followed.log.close();
    await assert.rejects(followed.log.propose(withdrawn('a')), /shutting down/);
  });

  await t.test(
    'what has no effect is not written: detaches of what is gone, expiries of who is here',
    async () => {
      const { log, delivered, state } = await open(etcd.prefix());
      const { hub } = log;
      await log.propose(advertised(advertisementOf('x'), null, true));
      await log.propose(attach('x', hub, 2));
      const { position } = log;
      await log.propose(detach('x', hub, 1));
      await log.propose({ kind: 'expire', providerId: 'x', seenAt: T0 });
      await log.propose({ kind: 'expire', providerId: 'nobody', seenAt: T0 });
      assert.equal(log.position, position);
      assert.equal(state.store.size, 1);
      assert.equal(delivered.length, 2);
      await log.close();
    },
  );

  await t.test('a hub that has slept through a compaction reads everything anew', async () => {
    const prefix = etcd.prefix();
    const awake = await open(prefix);
    await awake.log.propose(advertised(advertisementOf('stays'), identityOf('stays')));
    await awake.log.propose(advertised(advertisementOf('goes'), identityOf('goes')));
    const asleep = await open(prefix, false);
    await awake.log.propose(withdrawn('goes', identityOf('goes')));
    await awake.log.propose(
      advertised(
        advertisementOf('stays', { resources: { cpu: 99, memory: 1, storage: 1 } }),
        identityOf('stays'),
      ),
    );
    await awake.log.propose(attach('comes', awake.log.hub, 1));
    await client.call(METHODS.compact, { revision: awake.log.position });
    asleep.follow();
    await until(() => asleep.log.position >= awake.log.position, 'the present');
    assert.deepEqual(asleep.seen, awake.seen);
    await awake.log.close();
    await asleep.log.close();
  });

  await t.test('a hub that has slept through its own end and a compaction joins anew', async () => {
    const prefix = etcd.prefix();
    const { log, follow } = await asleepIn(prefix);
    const { hub } = log;
    await client.call(METHODS.delete, { key: Buffer.from(`${prefix}h/${hub}`) });
    const { header } = await client.call(METHODS.put, { key: Buffer.from('other'), value: Buffer.from('x') });
    await client.call(METHODS.compact, { revision: header!.revision });
    follow();
    await until(() => log.hub !== hub && log.hub !== '', 'another run');
    await log.propose(advertised(advertisementOf('x')));
    await log.close();
  });

  await t.test(
    'a write that lands late with a session of a hub that has ended meanwhile can expire',
    async () => {
      const prefix = etcd.prefix();
      const { log, state } = await open(prefix);
      const late = encodeRecord({
        writeId: 'gone/1',
        made: { by: 'advertise' },
        advertisement: advertisementOf('x'),
        needsSession: true,
        identity: null,
        session: { hub: 'gone', token: 1, from: null },
      });
      await client.call(METHODS.put, { key: Buffer.from(`${prefix}p/x`), value: late });
      await until(() => state.store.size === 1, 'the advertisement');
      assert.equal(state.store.suspects, 1);
      await log.propose({ kind: 'expire', providerId: 'x', seenAt: T0 });
      assert.equal(state.store.size, 0);
      await log.close();
    },
  );

  await t.test('what an operator deletes is gone at every hub, its session included', async () => {
    const prefix = etcd.prefix();
    const [a, b] = [await open(prefix), await open(prefix)];
    for (const id of ['deleted', 'kept']) {
      await a.log.propose(attach(id, a.log.hub, 1));
      await a.log.propose(advertised(advertisementOf(id), identityOf(id), true));
    }
    await haveMet(a, b);
    await client.call(METHODS.delete, { key: Buffer.from(`${prefix}p/deleted`) });
    await until(() => [a, b].every(({ state }) => state.store.size === 1), 'the deletion');
    const late = await open(prefix);
    assert.deepEqual([a.seen, b.seen], [late.seen, late.seen]);
    await a.log.propose(attach('deleted', a.log.hub, 1, true));
    await a.log.propose(advertised(advertisementOf('deleted'), identityOf('deleted', { lastT: 2 }), true));
    await haveMet(a, b, late);
    assert.deepEqual([a.seen, b.seen], [late.seen, late.seen]);
    for (const { log } of [a, b, late]) await log.close();
  });

  for (const [what, wiped] of [
    ['all that hubs keep is deleted', ''],
    ['the key of the epoch is deleted', 'e'],
  ] as const) {
    await t.test(`where ${what} beneath running hubs, each says so and writes no more`, async () => {
      const prefix = etcd.prefix();
      const [a, b] = [await open(prefix), await open(prefix)];
      await a.log.propose(advertised(advertisementOf('x'), identityOf('x')));
      await haveMet(a, b);
      const key = Buffer.from(prefix + wiped);
      const rangeEnd = wiped === '' ? Buffer.from(prefix.replace(/\/$/, '0')) : undefined;
      await client.call(METHODS.delete, rangeEnd === undefined ? { key } : { key, rangeEnd });
      for (const { log, state } of [a, b]) {
        await until(() => log.problem !== null, 'that it is noticed');
        assert.match(log.problem!, /not the store that this hub has followed.*restart this hub/);
        assert.equal(state.store.size, 1, 'nobody departs');
        await assert.rejects(log.propose(advertised(advertisementOf('y'))), /restart this hub/);
      }
      const anew = await open(prefix);
      assert.notEqual(anew.log.epoch, a.log.epoch);
      await anew.log.propose(advertised(advertisementOf('z')));
      assert.equal(a.state.store.find('z'), undefined);
      for (const { log } of [a, b, anew]) await log.close();
    });
  }

  await t.test('a record that cannot be read stops its own writes alone, and names its key', async () => {
    const prefix = etcd.prefix();
    const { log, state } = await open(prefix);
    for (const id of ['spoilt', 'sound']) await log.propose(advertised(advertisementOf(id), identityOf(id)));
    const key = Buffer.from(`${prefix}p/spoilt`);
    const { kvs } = await client.call(METHODS.range, { key });
    const spoilt = kvs[0]!.value.subarray(0, 20);
    await client.call(METHODS.put, { key, value: spoilt });
    await log.propose(
      advertised(
        advertisementOf('sound', { resources: { cpu: 2, memory: 1, storage: 1 } }),
        identityOf('sound', { lastT: 2 }),
      ),
    );
    await assert.rejects(
      log.propose(withdrawn('spoilt', null)),
      /the record of spoilt in etcd cannot be read/,
    );
    await assert.rejects(
      log.propose(attach('spoilt', log.hub, 1)),
      /the record of spoilt in etcd cannot be read/,
    );
    assert.equal(state.store.size, 2);
    await assert.rejects(open(prefix), (error: Error) =>
      error.message.includes(`${prefix}p/spoilt in etcd cannot be read`),
    );
    await client.call(METHODS.put, { key, value: kvs[0]!.value });
    await until(
      () =>
        log.propose(withdrawn('spoilt', null)).then(
          () => true,
          () => false,
        ),
      'a write',
    );
    assert.equal(state.store.size, 1);
    await log.close();
  });

  await t.test('bindings that have lapsed are removed, all others stay', async () => {
    const prefix = etcd.prefix();
    const { log } = await open(prefix);
    await log.propose(bound(identityOf('lapsed', { seenAt: T0 })));
    await log.propose(bound(identityOf('bound', { seenAt: T0 + 10 })));
    await log.propose(bound(identityOf('here', { seenAt: T0 })));
    await log.propose(attach('here', log.hub, 1));
    log.purge([], T0 + LIMITS.bindingLifetimeMs + 5);
    const keys = async (): Promise<string[]> => {
      const all = await client.call(METHODS.range, {
        key: Buffer.from(`${prefix}p/`),
        rangeEnd: Buffer.from(`${prefix}p0`),
      });
      return all.kvs.map(({ key }) => key.toString().slice(prefix.length));
    };
    await until(async () => (await keys()).length === 2, 'the purge');
    assert.deepEqual(await keys(), ['p/bound', 'p/here']);
    await log.close();
  });

  await t.test('a node that stands still is a problem that passes, and nothing is missed', async () => {
    const { log, state } = await open(etcd.prefix());
    etcd.pause();
    const late = log.propose(advertised(advertisementOf('x')));
    await assert.rejects(late, /etcd/);
    await until(() => log.problem !== null, 'a problem');
    etcd.resume();
    await until(() => log.silentMs < 1500, 'contact');
    await until(
      () =>
        log.propose(advertised(advertisementOf('y'))).then(
          () => true,
          () => false,
        ),
      'a write',
    );
    assert.ok(state.store.find('y') !== undefined);
    await until(() => log.problem === null, 'that nothing is wrong');
    await log.close();
  });
});
