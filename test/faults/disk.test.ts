import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { brief } from '../conformance/websocket-watcher.js';
import { HubProcess, scratchFolder } from '../process/hub-process.js';
import { mountTemporary, type SmallDisk, unmountable } from '../registry/mirror/tmpfs.js';
import { TRANSPORTS } from '../support/hubs/test-hub.js';
import type { Frame, TestSocket } from '../support/clients/test-socket.js';
import { FaultyHub, until } from './faulty-hub.js';
import { list, type RemoteAnswer, RemoteProvider, RemoteWatcher } from './remote.js';
import { scaled } from '../support/scale.js';

interface Health {
  status: string;
  reason?: string;
}

const NO_PIPES = process.platform === 'win32' ? 'there are no named pipes on Windows' : false;

/** Rows of this size fill what is left of a page and of the log at once. */
const LARGE = {
  pricing: Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`p${i}`, 'x'.repeat(64)])),
};

async function health(hub: HubProcess): Promise<{ status: number; body: Health }> {
  return hub.request<Health>('GET', '/health');
}

async function isHealthyAgain(hub: HubProcess): Promise<void> {
  await until(
    'a healthy hub',
    () => health(hub),
    ({ status, body }) => status === 200 && body.status === 'healthy',
  );
}

function assertDegraded({ status, body }: { status: number; body: Health }): void {
  assert.equal(status, 503);
  assert.deepEqual(body, { status: 'degraded', reason: 'the database cannot be written' });
}

function assertRefused({ status, body }: RemoteAnswer): void {
  assert.deepEqual([status, body.code], [503, 'ADV_001'], body.message);
  assert.match(body.message, /cannot store anything at the moment.*try again soon/);
  assert.doesNotMatch(body.message, /hub\.db/, 'what lies where is the operator’s business');
}

async function ask(socket: TestSocket, frame: Frame): Promise<Frame> {
  socket.send(frame);
  return socket.any();
}

async function assertSessionRefused(socket: TestSocket, frame: Frame): Promise<void> {
  const { type, id, code } = await ask(socket, frame);
  assert.deepEqual([type, id, code], ['error', frame['id'], 'ADV_001']);
}

/** Providers by HTTP and by session, and somebody who watches them. */
async function populate(hub: HubProcess) {
  const watcher = await RemoteWatcher.join(hub, 'msgpack');
  const poster = new RemoteProvider();
  assert.equal((await poster.post(hub)).status, 200);
  const [speaker, other] = [new RemoteProvider('speaker'), new RemoteProvider()];
  const [session, otherSession] = [await speaker.join(hub), await other.join(hub, 'msgpack')];
  assert.equal((await ask(session, speaker.frame()))['type'], 'advertised');
  assert.equal((await ask(otherSession, other.frame()))['type'], 'advertised');
  while (watcher.view.size < 3) await watcher.next();
  return { watcher, poster, speaker, session, other, otherSession };
}

type Scene = Awaited<ReturnType<typeof populate>>;

/** While nothing can be written, all else goes on: sessions and lists, and streams that tell of lost sessions. */
async function assertGoesOn(hub: HubProcess, scene: Scene): Promise<void> {
  const { watcher, other } = scene;
  assertDegraded(await health(hub));
  const before = await list(hub);
  assert.deepEqual(
    before.map(({ status }) => status),
    ['live', 'live', 'live'],
  );
  // A post that found room before the disk was full for good has been told, too.
  await watcher.events();
  scene.otherSession.terminate();
  assert.deepEqual(brief(await watcher.next()), [`updated ${other.id} suspect`]);
  scene.otherSession = await other.join(hub, 'msgpack');
  assert.deepEqual(brief(await watcher.next()), [`updated ${other.id} live`]);
  assert.deepEqual(await scene.session.settle(), []);
  await watcher.agreesWith(hub);
}

describe('a disk that fails under a running hub', { concurrency: true }, () => {
  for (const transport of TRANSPORTS.slice(0, scaled(1, 2))) {
    test(
      `when it is full, writes are refused, all else goes on, and it recovers by itself (${transport})`,
      { skip: unmountable },
      (t) => fillAndFree(t, transport),
    );
  }

  test(
    'when it hangs, nobody is made to wait behind it, and what waited is done when it is back',
    { skip: NO_PIPES },
    hangAndGoOn,
  );

  for (const how of ['asked to stop', 'told so twice']) {
    test(`when it hangs for ever, a hub that is ${how} ends all the same`, { skip: NO_PIPES }, (t) =>
      hangAndEnd(t, how),
    );
  }
});

/** SQLite gives space back when a write has failed, and so may have room for the next. */
async function fillUp(disk: SmallDisk, post: () => Promise<RemoteAnswer>): Promise<void> {
  let refusals = 0;
  const fillAndPost = async (): Promise<number> => {
    disk.fill();
    refusals = (await post()).status === 200 ? 0 : refusals + 1;
    return refusals;
  };
  await until('a disk that stays full', fillAndPost, (count) => count === 5);
}

async function fillAndFree(t: TestContext, transport: string): Promise<void> {
  const disk = mountTemporary(t, '2m');
  const settings = { TRANSPORT: transport, DB_URL: `sqlite:///${join(disk.folder, 'hub.db')}` };
  let hub = await HubProcess.start(scratchFolder(t), settings);
  const scene = await populate(hub);
  const { poster, speaker, session } = scene;
  await fillUp(disk, () => poster.post(hub, LARGE));

  assertRefused(await poster.post(hub, LARGE));
  assertRefused(await new RemoteProvider().post(hub, LARGE));
  assertRefused(await poster.post(hub, 'withdraw'));
  await assertSessionRefused(session, speaker.frame(LARGE));
  await assertSessionRefused(session, speaker.frame('withdraw'));
  await assertGoesOn(hub, scene);
  assert.match(
    hub.output,
    /the mirror cannot write: the disk that holds the database .*hub\.db is full: free some space/,
  );
  const newcomer = new RemoteProvider('a-name-of-its-own');
  await assert.rejects(newcomer.join(hub), /the socket was closed with 4503|got .*"code":"ADV_001"/);

  disk.free();
  await isHealthyAgain(hub);
  assert.match(hub.output, /the mirror is writing again/);
  assert.equal((await poster.post(hub, { country: 'NO' })).status, 200);
  assert.equal((await ask(session, speaker.frame({ country: 'FI' })))['type'], 'advertised');
  assert.deepEqual(await (await newcomer.join(hub)).settle(), []);
  await until(
    'the news',
    () => scene.watcher.events().then(() => scene.watcher.view.get('speaker')?.country),
    (it) => it === 'FI',
  );
  await scene.watcher.agreesWith(hub);

  // What was acknowledged after it, and before it, is in the file; what was refused is not.
  await hub.kill();
  hub = await HubProcess.start(scratchFolder(t), settings);
  assert.deepEqual(
    new Map((await list(hub)).map(({ provider_id, country, pricing }) => [provider_id, [country, pricing]])),
    new Map(
      [
        [poster.id, ['NO', null]],
        [scene.other.id, ['SE', null]],
        [speaker.id, ['FI', null]],
      ].sort() as [string, unknown[]][],
    ),
  );
  disk.fill();
  assert.equal(await hub.stop(), 0, 'a full disk does not keep the hub from stopping');
  const refused = HubProcess.spawn(scratchFolder(t), settings);
  assert.equal((await refused.exited).code, 1);
  assert.match(refused.output, /the disk that holds the database .*hub\.db is full: free some space/);
}

async function hangAndGoOn(t: TestContext): Promise<void> {
  const { process: hub, ...faulty } = await startFaulty(t);
  const scene = await populate(hub);
  const { poster, speaker, session } = scene;
  const release = faulty.hangDisk();
  const waiting = poster.post(hub, { country: 'NO' });
  await until(
    'a hub that notices',
    () => health(hub),
    ({ status }) => status === 503,
  );
  assertRefused(await new RemoteProvider().post(hub));
  await assertSessionRefused(session, speaker.frame());
  await assertGoesOn(hub, scene);

  release();
  assert.equal((await waiting).status, 200);
  await isHealthyAgain(hub);
  assert.equal((await poster.seen(hub))?.country, 'NO');
  assert.equal((await ask(session, speaker.frame({ country: 'FI' })))['type'], 'advertised');
  assert.equal(await hub.stop(), 0);
}

async function startFaulty(t: TestContext) {
  const hub = await FaultyHub.start(scratchFolder(t));
  return { process: hub.process, hangDisk: () => hub.hangDisk(), folder: hub.folder };
}

async function hangAndEnd(t: TestContext, how: string): Promise<void> {
  const { process: hub, folder, hangDisk } = await startFaulty(t);
  const provider = new RemoteProvider();
  assert.equal((await provider.post(hub)).status, 200);
  hangDisk();
  const lost = provider.post(hub, { country: 'NO' }).catch(() => null);
  await until(
    'a write under way',
    async () => (await fetch(`${hub.url}/metrics`)).text(),
    (metrics) => /^discovery_mirror_pending [1-9]/m.test(metrics),
  );
  hub.child.kill('SIGTERM');
  if (how === 'told so twice') {
    await hub.wrote(/a second signal stops at once/);
    hub.child.kill('SIGTERM');
  }
  assert.deepEqual(await hub.exited, { code: null, signal: 'SIGKILL' });
  if (how === 'asked to stop')
    assert.match(hub.output, /the disk hangs: it has not finished the last writes within 10 s/);
  assert.equal(await lost, null, 'it was not stored, and so not acknowledged');

  const again = await HubProcess.start(folder);
  assert.equal((await provider.seen(again))?.country, 'SE');
  assert.equal(await again.stop(), 0);
}
