import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { StreamEvent } from '../../src/protocol/frames/frames-down.js';
import { brief } from '../conformance/websocket-watcher.js';
import { type HubProcess, scratchFolder } from '../process/hub-process.js';
import type { TestSocket } from '../support/clients/test-socket.js';
import { FaultyHub } from './faulty-hub.js';
import { connect, list, RemoteProvider, RemoteWatcher, send } from './remote.js';
import { scaled } from '../support/scale.js';

const DAY_MS = 24 * 3_600_000;
const EXPIRY_MS = 5000;
/** Sockets are given up after 5 s of silence, so this is longer than all deadlines but that of a handshake. */
const STANDSTILL_MS = 6000;
/** By so much an advertisement may go early: the contract says to within a second. */
const TOLERANCE_MS = 1000;
const SETTINGS = {
  ADVERTISEMENT_EXPIRY_SECONDS: String(EXPIRY_MS / 1000),
  HEARTBEAT_SECONDS: '2',
  CLEANUP_INTERVAL_SECONDS: '1',
};

/** A provider with a session, one that only posts, one that was lost, and one who watches them. */
async function populate(hub: HubProcess) {
  const watcher = await RemoteWatcher.join(hub, 'msgpack');
  const [speaker, poster, lost] = [
    new RemoteProvider('speaker'),
    new RemoteProvider(),
    new RemoteProvider('lost'),
  ];
  const session = await speaker.join(hub);
  await advertise(session, speaker);
  const gone = await lost.join(hub, 'msgpack');
  await advertise(gone, lost);
  gone.terminate();
  const heardAt = performance.now();
  const posted = poster.signed();
  assert.equal((await send(hub, posted)).status, 200);
  while (watcher.view.size < 3 || watcher.view.get('lost')?.status !== 'suspect') await watcher.next();
  return { watcher, speaker, session, poster, posted, lost, heardAt };
}

async function advertise(session: TestSocket, provider: RemoteProvider): Promise<void> {
  session.send(provider.frame());
  await session.next('advertised');
}

/** Everything that is told until so many are left, and when each one went. */
async function departures(
  watcher: RemoteWatcher,
  left: number,
): Promise<Map<string, { at: number; event: string }>> {
  const told = new Map<string, { at: number; event: string }>();
  const take = (events: readonly StreamEvent[]): void => {
    for (const [index, event] of brief(events).entries()) {
      const one = events[index]!;
      const id = one.op === 'removed' ? one.provider_id : one.advertisement.provider_id;
      told.set(id, { at: performance.now(), event });
    }
  };
  while (watcher.view.size > left) take(await watcher.next());
  return told;
}

describe('time that passes as it should not', { concurrency: true }, () => {
  const stopped = process.platform === 'win32' ? 'Windows cannot stop a process' : false;
  const scenes = [
    ['a hub that was stopped', 'uws', stopped],
    ['a hub whose event loop was blocked', 'node', false],
    ['a hub that was stopped', 'node', stopped],
    ['a hub whose event loop was blocked', 'uws', false],
  ] as const;
  for (const [how, transport, skip] of scenes.slice(0, scaled(2, 4))) {
    test(`${how} holds that time against nobody (${transport})`, { skip }, (t) =>
      standStill(t, transport, how),
    );
  }

  for (const [direction, offset] of [
    ['forward', DAY_MS],
    ['back', -DAY_MS],
  ] as const) {
    test(`a wall clock that is set a day ${direction} expires nobody, keeps nobody, and lets no replay in`, (t) =>
      setClock(t, offset));
  }
});

async function standStill(t: TestContext, transport: string, how: string): Promise<void> {
  const faulty = await FaultyHub.start(scratchFolder(t), { ...SETTINGS, TRANSPORT: transport });
  const hub = faulty.process;
  const newcomer = await connect(hub);
  const { watcher, speaker, session, poster, lost, heardAt } = await populate(hub);
  await newcomer.next('welcome');
  if (how.endsWith('stopped')) await faulty.standStill(STANDSTILL_MS);
  else await faulty.block(STANDSTILL_MS);

  assert.deepEqual(await watcher.events(), []);
  assert.deepEqual(await session.settle(), []);
  assert.deepEqual(await newcomer.settle(), []);
  assert.equal((await list(hub)).length, 3);

  // What was left of their time is left to them, and no more.
  const told = await departures(watcher, 1);
  assert.deepEqual([...told.keys()].sort(), [poster.id, lost.id].sort());
  for (const [id, { at, event }] of told) {
    assert.equal(event, `removed ${id} expired`);
    assert.ok(
      at - heardAt >= EXPIRY_MS + STANDSTILL_MS - TOLERANCE_MS,
      `${id} went ${String(at - heardAt)} ms after`,
    );
  }
  assert.equal((await speaker.seen(hub))?.status, 'live');
  assert.deepEqual(await session.settle(), []);
  await advertise(session, speaker);
  assert.equal(await hub.stop(), 0);
}

async function setClock(t: TestContext, offset: number): Promise<void> {
  const faulty = await FaultyHub.start(scratchFolder(t), SETTINGS);
  const hub = faulty.process;
  const { watcher, speaker, session, poster, posted, lost, heardAt } = await populate(hub);
  const refused = async (
    request: Parameters<typeof send>[1],
    code: string,
    message: RegExp,
  ): Promise<void> => {
    const { status, body } = await send(hub, request);
    assert.deepEqual([status, body.code], [code === 'AUTH_004' ? 403 : 401, code]);
    assert.match(body.message, message);
  };
  await faulty.setWallClock(offset);
  assert.deepEqual(await watcher.events(), []);
  assert.equal((await list(hub)).length, 3);

  // Who still signs by the old time is told so; a replay is refused for the same reason.
  const oldTime =
    offset > 0 ? /t lies 864\d\d s before the hub's clock/ : /t lies 8[56]\d{3} s after the hub's clock/;
  await refused(poster.signed(), 'AUTH_002', oldTime);
  await refused(posted, 'AUTH_002', oldTime);
  const newTime = (): number => Date.now() + offset;
  // Whoever has signed a later time before has to wait for that; anybody else goes on by the new time.
  if (offset > 0) assert.equal((await poster.post(hub, {}, newTime())).status, 200);
  else await refused(poster.signed({}, newTime()), 'AUTH_002', /is not later than/);
  const newcomer = new RemoteProvider('newcomer');
  newcomer.wall = newTime;
  const first = newcomer.signed();
  const { status, body } = await send(hub, first);
  const cameAt = performance.now();
  assert.equal(status, 200);
  assert.ok(Math.abs(Date.parse(body.updated_at) - newTime()) < 60_000);
  assert.equal(Date.parse(body.expires_at) - Date.parse(body.updated_at), EXPIRY_MS);
  await refused(first, 'AUTH_002', /is not later than/);
  // Names stay with their keys, and sessions go on, also new ones.
  const thief = new RemoteProvider('lost');
  await refused(thief.signed({}, newTime()), 'AUTH_004', /lost belongs to another key/);
  assert.deepEqual(await session.settle(), []);
  const other = new RemoteProvider('other');
  other.wall = newTime;
  const otherSession = await other.join(hub);
  await advertise(otherSession, other);

  const told = await departures(watcher, 2);
  for (const [id, from] of [
    [poster.id, heardAt],
    [lost.id, heardAt],
    [newcomer.id, cameAt],
  ] as const) {
    const { at, event } = told.get(id)!;
    assert.equal(event, `removed ${id} expired`);
    assert.ok(at - from >= EXPIRY_MS - TOLERANCE_MS, `${id} went ${String(at - from)} ms after`);
  }
  const seen = await speaker.seen(hub);
  assert.equal(seen?.status, 'live');
  assert.ok(Math.abs(Date.parse(seen.updated_at) - newTime()) < 60_000);

  // Somebody puts the clock right.
  await faulty.setWallClock(0);
  assert.deepEqual(await session.settle(), []);
  assert.deepEqual(await otherSession.settle(), []);
  assert.equal((await speaker.seen(hub))?.status, 'live');
  await refused(thief.signed(), 'AUTH_004', /lost belongs to another key/);
  await refused(posted, 'AUTH_002', /is not later than/);
  await refused(first, 'AUTH_002', /t lies 8[56]\d{3} s/);
  if (offset > 0) await refused(newcomer.signed({}, Date.now()), 'AUTH_002', /is not later than/);
  else assert.equal((await newcomer.post(hub, {}, Date.now())).status, 200);
  assert.equal((await lost.post(hub)).status, 200);
  await advertise(session, speaker);
  assert.equal(await hub.stop(), 0);
}
