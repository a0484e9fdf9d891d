import assert from 'node:assert/strict';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { pino } from 'pino';
import type { PublishedAdvertisement } from '../../../src/protocol/advertisement.js';
import type { OpenLog } from '../../../src/registry/log.js';
import { Mirror } from '../../../src/registry/mirror/mirror.js';
import { temporaryFolder } from '../../registry/mirror/support.js';
import { FakeClock } from '../../support/fake-clock.js';
import { TestKey } from '../../support/data/keys.js';
import { MemoryDisk, MemoryLog } from '../../support/worlds/memory-log.js';
import {
  ADVERTISEMENT as PLAIN,
  CODEC_NAMES,
  type ErrorAnswer,
  TestHub,
} from '../../support/hubs/test-hub.js';

/** With all that there is to forget. */
const ADVERTISEMENT = {
  ...PLAIN,
  ip_address: '127.0.0.1',
  attributes: { gpu_model: 'RTX 4090', bandwidth_mbps: 100.5, tee: true },
  endpoint: { port: 2222 },
};

/** A log that can be opened again on what it has kept. */
const LOGS: Record<string, (t: TestContext) => OpenLog> = {
  'in memory': () => MemoryLog.in(new MemoryDisk()),
  'in SQLite': (t) =>
    Mirror.in({ kind: 'file', path: join(temporaryFolder(t), 'hub.db') }, pino({ level: 'silent' })),
};

type List = Record<string, unknown>[];

/** What outlives a restart of a list. */
function lasting(list: PublishedAdvertisement[]): List {
  return list.map(({ status: _status, expires_at: _expires, ...rest }) => rest);
}

for (const [name, make] of Object.entries(LOGS)) {
  test(`a hub with its log ${name} comes back with all that it has acknowledged, through every door, and lets nothing be replayed`, async (t) => {
    const openLog = make(t);
    const clock = new FakeClock();
    const keys = Array.from({ length: 12 }, () => new TestKey());
    const list = async (hub: TestHub): Promise<PublishedAdvertisement[]> =>
      (await hub.get<PublishedAdvertisement[]>('/api/v1/advertisements')).body;

    const first = await TestHub.start({}, { clock, openLog });
    const replays: ((hub: TestHub) => Promise<{ status: number; body: ErrorAnswer }>)[] = [];
    for (const [index, key] of keys.entries()) {
      const codec = CODEC_NAMES[index % 3];
      const id = index % 4 === 0 ? `name-${String(index)}` : key.publicKey;
      if (codec === undefined) {
        const t0 = clock.wall() + index;
        assert.equal((await first.post(key, id, ADVERTISEMENT, t0)).status, 200);
        replays.push((hub) => hub.post<ErrorAnswer>(key, id, ADVERTISEMENT, t0));
        if (index % 2 === 0) assert.equal((await first.delete(key, id)).status, 200);
      } else {
        const session = await first.session(key, id, codec);
        session.send(first.signedFrame('advertise', key, id));
        await session.next('advertised');
        if (index % 2 === 0) {
          session.send(first.signedFrame('withdraw', key, id));
          await session.next('withdrawn');
        }
      }
    }
    const before = await list(first);
    const cursor = (await first.get('/api/v1/advertisements')).headers.get('x-discovery-cursor');
    assert.equal(before.length, 6);
    await first.stop();

    const again = await TestHub.start({}, { clock, openLog });
    t.after(() => again.stop());
    const after = await list(again);
    assert.deepEqual(lasting(after), lasting(before));
    assert.ok(after.every(({ status }) => status === 'suspect'));
    for (const replay of replays) {
      const { status, body } = await replay(again);
      assert.deepEqual([status, body.code], [401, 'AUTH_002']);
    }
    const stranger = await again.post<ErrorAnswer>(new TestKey(), 'name-0');
    assert.deepEqual([stranger.status, stranger.body.code], [403, 'AUTH_004']);
    // The positions of the last run mean nothing in this one.
    const socket = await again.connect();
    await socket.next('welcome');
    socket.send({ type: 'subscribe', id: 1, filter: {}, resume: cursor });
    assert.equal((await socket.next('subscribed'))['resumed'], false);
  });

  test(`a hub with its log ${name} goes on counting an address where it was before the restart`, async (t) => {
    const openLog = make(t);
    const clock = new FakeClock();
    const settings = { NEW_NAMES_PER_DAY: '2', INVALID_SIGNATURES_PER_MINUTE: '3' };
    const key = new TestKey();
    const first = await TestHub.start(settings, { clock, openLog });
    assert.equal((await first.post(key, 'name-1')).status, 200);
    assert.equal((await first.post(key, 'name-2')).status, 200);
    await first.stop();

    const second = await TestHub.start(settings, { clock, openLog });
    const tooMany = await second.post<ErrorAnswer>(key, 'name-3');
    assert.deepEqual([tooMany.status, tooMany.body.code], [429, 'RATE_004']);
    assert.equal(tooMany.headers.get('retry-after'), '86400');
    const forge = (hub: TestHub): Promise<{ body: ErrorAnswer }> =>
      hub.request<ErrorAnswer>('POST', '/api/v1/advertisements', {
        headers: {
          'Content-Type': 'application/json',
          ...key.headers('advertise', key.publicKey, clock.wall(), '{}'),
        },
        body: '{ }',
      });
    for (let count = 0; count < 3; count += 1) {
      assert.equal((await forge(second)).body.code, 'AUTH_001');
    }
    await second.stop();

    const third = await TestHub.start(settings, { clock, openLog });
    t.after(() => third.stop());
    const blocked = await third.post<ErrorAnswer>(key);
    assert.deepEqual([blocked.status, blocked.body.code], [429, 'RATE_005']);
    await third.advance(60_200);
    assert.equal((await third.post(key)).status, 200);
    for (let count = 0; count < 3; count += 1) {
      assert.equal((await forge(third)).body.code, 'AUTH_001');
    }
    const longer = await third.post<ErrorAnswer>(key);
    assert.equal(longer.headers.get('retry-after'), '120', 'the second block is longer, across a restart');
  });
}
