import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DiscoveryError, type StateChange, watch, type Watch } from '../../../src/client/index.js';
import { FakeHub } from '../support/fake-hub.js';
import { FakeTime } from '../support/fake-time.js';
import { recordStates } from '../support/wait.js';

interface Scene {
  hub: FakeHub;
  time: FakeTime;
  watcher: Watch;
  states: StateChange[];
}

/** A watch that has begun to dial; it stands for everything that keeps a connection. */
async function begin(
  options: { random?: () => number; signal?: AbortSignal; url?: string } = {},
): Promise<Scene> {
  const hub = new FakeHub();
  const time = new FakeTime();
  const watcher = watch(
    options.url ?? 'https://hub.example',
    {},
    {
      webSocket: hub.webSocket,
      scheduler: time,
      random: () => 0.5,
      ...options,
    },
  );
  const states = recordStates(watcher);
  await Promise.resolve();
  return { hub, time, watcher, states };
}

function goLive({ hub }: Scene): void {
  hub.peer.welcome();
  const { id } = hub.peer.last('subscribe');
  hub.peer.say({ type: 'subscribed', id, stream: 's1', cursor: 'e1:1', resumed: false });
  hub.peer.say({ type: 'snapshot', stream: 's1', cursor: 'e1:1', advertisements: [], last: true });
}

test('it dials the WebSocket of the hub, whatever the scheme, port and prefix of its address', async () => {
  for (const [url, dialled] of [
    ['https://hub.example', 'wss://hub.example/api/v1/ws'],
    ['http://Hub.Example:80/', 'ws://hub.example/api/v1/ws'],
    ['ws://127.0.0.1:7465', 'ws://127.0.0.1:7465/api/v1/ws'],
    ['wss://[::1]:7465/behind/proxy/', 'wss://[::1]:7465/behind/proxy/api/v1/ws'],
  ] as const) {
    const { hub } = await begin({ url });
    assert.equal(hub.peer.url, dialled);
    assert.equal(hub.peer.subprotocol, 'vm-discovery.v1.json');
  }
});

test('what is no address of a hub is refused at once', () => {
  for (const url of [
    'hub.example',
    'ftp://hub.example',
    'https://me@hub.example',
    'https://hub.example/?a=1',
  ]) {
    assert.throws(
      () => watch(url),
      (error: DiscoveryError) => error.code === 'USAGE' && error.message.includes('hub.example'),
    );
  }
});

test('the states follow one another up to live', async () => {
  const scene = await begin();
  goLive(scene);
  assert.deepEqual(
    scene.states.map(({ state }) => state),
    ['connecting', 'subscribing', 'live'],
  );
});

test('each lost connection is followed by a longer wait, the first one short', async () => {
  const { hub, time, states } = await begin();
  const waits: (number | null)[] = [];
  for (let round = 0; round < 9; round += 1) {
    hub.peer.end(1006);
    const change = states.at(-1)!;
    assert.equal(change.state, 'waiting');
    assert.equal(change.error?.code, 'NETWORK');
    waits.push(change.retryInMs);
    const sockets = hub.peers.length;
    time.advance(change.retryInMs! - 1);
    assert.equal(hub.peers.length, sockets);
    time.advance(1);
    assert.equal(hub.peers.length, sockets + 1);
  }
  assert.deepEqual(waits, [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
});

test('only a connection that lived for a while makes the next wait short again', async () => {
  const scene = await begin();
  const { hub, time, states } = scene;
  const lose = (liveMs: number): number => {
    goLive(scene);
    time.advance(liveMs);
    hub.peer.end(1006);
    const { retryInMs } = states.at(-1)!;
    time.advance(retryInMs!);
    return retryInMs!;
  };
  assert.equal(lose(1000), 250);
  assert.equal(lose(29_999), 500);
  assert.equal(lose(29_999), 1000);
  assert.equal(lose(30_000), 250);
});

test('it comes back after these close codes', async () => {
  for (const code of [1000, 1001, 1005, 1006, 1011, 1012, 4500, 4503, 4504, 4507, 4529, 4999]) {
    const scene = await begin();
    goLive(scene);
    scene.hub.peer.end(code, { reason: 'so it is' });
    assert.equal(scene.watcher.state, 'waiting', String(code));
    assert.equal(scene.watcher.error?.closeCode, code);
    assert.equal(scene.watcher.error.retry, true);
  }
});

test('it does not come back after these', async () => {
  for (const code of [1009, 4400, 4401, 4408, 4499]) {
    const { hub, time, watcher } = await begin();
    hub.peer.welcome();
    hub.peer.end(code, { reason: 'so it is' });
    assert.equal(watcher.state, 'refused', String(code));
    assert.equal(watcher.error?.code, 'REFUSED');
    assert.equal(watcher.error.closeCode, code);
    assert.equal(watcher.error.retry, false);
    assert.match(watcher.error.message, /so it is/);
    time.advance(3_600_000);
    assert.equal(hub.peers.length, 1);
    assert.deepEqual(time.waits, []);
    await assert.rejects(watcher.ready, (error) => error === watcher.error);
  }
});

test('an error just before the close is the reason for it', async () => {
  const { hub, watcher } = await begin();
  hub.peer.welcome();
  hub.peer.say({ type: 'error', code: 'WS_001', message: 'cannot be read', timestamp: '' });
  hub.peer.end(4400);
  assert.equal(watcher.error?.code, 'WS_001');
  assert.equal(watcher.error.message, 'cannot be read');
});

test('a hub that asks for patience in its refusal gets it', async () => {
  const { hub, states } = await begin();
  const error = new DiscoveryError('RATE_001', 'too many', { retryAfterSeconds: 12 });
  hub.peer.end(1006, { error });
  assert.equal(states.at(-1)!.error, error);
  assert.equal(states.at(-1)!.retryInMs, 12_250);
});

test('a retry ends the wait, whatever the backoff', async () => {
  const scene = await begin();
  const { hub, time, watcher } = scene;
  watcher.retry();
  assert.equal(hub.peers.length, 1, 'it is dialling already');
  for (let round = 0; round < 5; round += 1) {
    hub.peer.end(1006);
    time.advance(30_000);
  }
  hub.peer.end(1006);
  const dialled = hub.peers.length;
  watcher.retry();
  watcher.retry();
  assert.equal(watcher.state, 'waiting', 'a listener may ask: others hear of the wait first');
  time.advance(0);
  assert.equal(hub.peers.length, dialled + 1);
  goLive(scene);
  watcher.retry();
  assert.equal(watcher.state, 'live');
  time.advance(60_000);
  assert.equal(hub.peers.length, dialled + 1, 'the timer of the wait is gone');
});

test('a retry waits for as long as the hub asked', async () => {
  const { hub, time, watcher } = await begin();
  hub.peer.end(1006, { error: new DiscoveryError('RATE_001', 'too many', { retryAfterSeconds: 12 }) });
  time.advance(11_999);
  watcher.retry();
  time.advance(0);
  assert.equal(hub.peers.length, 1);
  time.advance(1);
  watcher.retry();
  time.advance(0);
  assert.equal(hub.peers.length, 2);
});

test('a watch that is over stays so, whoever asks for a retry', async () => {
  const { hub, watcher } = await begin();
  const stopped = watcher.stop();
  watcher.retry();
  hub.peer.end(1000);
  await stopped;
  watcher.retry();
  assert.equal(watcher.state, 'stopped');
  assert.equal(hub.peers.length, 1);
});

test('without a welcome in time it tries again', async () => {
  const { hub, time, watcher } = await begin();
  time.advance(10_000);
  assert.equal(watcher.state, 'waiting');
  assert.equal(watcher.error?.code, 'TIMEOUT');
  assert.equal(hub.peer.ending, 'terminated');
  time.advance(250);
  assert.equal(hub.peers.length, 2);
});

test('a silent hub is asked for a sign of life, then given up after 2.5 heartbeat intervals', async () => {
  const scene = await begin();
  const { hub, time, watcher } = scene;
  goLive(scene);
  time.advance(37_499);
  assert.equal(hub.peer.sent.filter(({ type }) => type === 'heartbeat').length, 0);
  time.advance(1);
  assert.equal(hub.peer.sent.filter(({ type }) => type === 'heartbeat').length, 1);
  time.advance(37_499);
  assert.equal(watcher.state, 'live');
  time.advance(1);
  assert.equal(watcher.state, 'waiting');
  assert.equal(watcher.error?.code, 'TIMEOUT');
  assert.equal(hub.peer.ending, 'terminated');
});

test('pings and frames are signs of life', async () => {
  const scene = await begin();
  const { hub, time, watcher } = scene;
  goLive(scene);
  for (let round = 0; round < 20; round += 1) {
    time.advance(30_000);
    hub.peer.ping();
  }
  assert.equal(hub.peer.sent.filter(({ type }) => type === 'heartbeat').length, 0);
  for (let round = 0; round < 20; round += 1) {
    time.advance(60_000);
    hub.peer.say({ type: 'heartbeat', server_time: '2026-01-01T00:00:00.000Z' });
  }
  assert.equal(watcher.state, 'live');
});

test('a machine that slept does not blame the hub, but asks at once', async () => {
  const scene = await begin();
  const { hub, time, watcher } = scene;
  goLive(scene);
  time.sleep(8 * 3_600_000);
  assert.equal(watcher.state, 'live');
  assert.equal(hub.peer.sent.filter(({ type }) => type === 'heartbeat').length, 1);
  time.advance(67_500);
  assert.equal(watcher.state, 'waiting');
});

test('what is not of the protocol ends the connection, not the watch', async () => {
  for (const data of [
    'no JSON',
    'null',
    '[]',
    '{"type":7}',
    '{"type":"snapshot"}',
    '{"type":"welcome","version":1}',
    new Uint8Array([0xc1]),
    // An extension type: MessagePack libraries give these meanings.
    new Uint8Array([0xd4, 0x72, 0x40]),
  ]) {
    const { hub, watcher } = await begin();
    hub.peer.sayRaw(data);
    assert.equal(watcher.state, 'waiting', String(data));
    assert.equal(watcher.error?.code, 'UNEXPECTED');
    assert.equal(hub.peer.ending, 'terminated');
  }
});

test('another version of the protocol is named', async () => {
  const { hub, watcher } = await begin();
  hub.peer.welcome({ version: 2 });
  assert.equal(watcher.state, 'waiting');
  assert.match(watcher.error!.message, /version 2/);
});

test('frames and members that are not known are passed over', async () => {
  const scene = await begin();
  goLive(scene);
  scene.hub.peer.say({ type: 'news', from: 'a newer hub' });
  scene.hub.peer.say({ type: 'bookmark', cursor: 'e1:2', more: true });
  assert.equal(scene.watcher.state, 'live');
});

test('what an old socket still says does not matter', async () => {
  const scene = await begin();
  const { hub, time, watcher } = scene;
  goLive(scene);
  const old = hub.peer;
  time.advance(75_000);
  assert.equal(watcher.state, 'waiting');
  old.sayRaw('no JSON');
  old.end(4409);
  assert.equal(watcher.state, 'waiting');
  time.advance(250);
  goLive(scene);
  assert.equal(watcher.state, 'live');
});

test('stop closes in good order and resolves when the socket is gone', async () => {
  const scene = await begin();
  goLive(scene);
  const stopping = scene.watcher.stop();
  assert.equal(scene.watcher.state, 'stopped');
  assert.equal(scene.hub.peer.ending, 'closed');
  scene.hub.peer.end(1000);
  await stopping;
  await scene.watcher.stop();
  assert.deepEqual(scene.time.waits, []);
  assert.equal(scene.states.filter(({ state }) => state === 'stopped').length, 1);
});

test('stop does not wait long for a hub that does not answer', async () => {
  const scene = await begin();
  goLive(scene);
  const stopping = scene.watcher.stop();
  scene.time.advance(1000);
  await stopping;
  assert.equal(scene.hub.peer.ending, 'terminated');
});

test('a signal stops it at any time, and leaves no timer behind', async () => {
  const phases: ((scene: Scene) => void)[] = [
    () => undefined,
    ({ hub }) => {
      hub.peer.welcome();
    },
    goLive,
    ({ hub }) => {
      hub.peer.end(1006);
    },
  ];
  for (const phase of phases) {
    const abort = new AbortController();
    const scene = await begin({ signal: abort.signal });
    phase(scene);
    abort.abort();
    assert.equal(scene.watcher.state, 'stopped');
    scene.hub.peer.end(1006);
    scene.time.advance(3_600_000);
    assert.equal(scene.hub.peers.length, 1);
    assert.deepEqual(scene.time.waits, []);
  }
});

test('a signal that was given before keeps it from dialling', async () => {
  const { hub, watcher } = await begin({ signal: AbortSignal.abort() });
  assert.equal(watcher.state, 'stopped');
  assert.equal(hub.peers.length, 0);
  await assert.rejects(watcher.ready, { code: 'STOPPED' });
});

test('a listener may stop it in the middle of whatever happens', async () => {
  for (const when of ['connecting', 'subscribing', 'live', 'waiting'] as const) {
    const hub = new FakeHub();
    const time = new FakeTime();
    const watcher = watch(
      'http://hub.example',
      {},
      { webSocket: hub.webSocket, scheduler: time, random: () => 0 },
    );
    watcher.on('state', ({ state }) => {
      if (state === when) void watcher.stop();
    });
    await Promise.resolve();
    if (hub.peers.length > 0) {
      hub.peer.welcome();
      if (when === 'live') goLive({ hub } as Scene);
      hub.peer.end(1006);
    }
    time.advance(3_600_000);
    assert.equal(watcher.state, 'stopped', when);
    assert.ok(hub.peers.length <= 1);
    assert.deepEqual(time.waits, []);
  }
});

test('a platform that cannot open sockets is a reason to wait, not to crash', async () => {
  const time = new FakeTime();
  const watcher = watch(
    'http://hub.example',
    {},
    {
      scheduler: time,
      webSocket: () => {
        throw new TypeError('no sockets today');
      },
    },
  );
  await new Promise((resolve) =>
    watcher.on('state', (change) => change.state === 'waiting' && resolve(change)),
  );
  assert.equal(watcher.error?.code, 'NETWORK');
  assert.match(watcher.error.message, /no sockets today/);
  await watcher.stop();
});
