import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Change,
  type FilterInput,
  type PublishedAdvertisement,
  watch,
  type Watch,
  type WatchOptions,
} from '../../../src/client/index.js';
import { FakeHub, publishedAs } from '../support/fake-hub.js';
import { FakeTime } from '../support/fake-time.js';
import { recordChanges } from '../support/wait.js';

interface Scene {
  hub: FakeHub;
  time: FakeTime;
  watcher: Watch;
  changes: Change[];
  reconnect(): void;
}

async function begin(filter: FilterInput = {}, options: WatchOptions = {}): Promise<Scene> {
  const hub = new FakeHub();
  const time = new FakeTime();
  const watcher = watch('http://hub.example', filter, {
    ...options,
    webSocket: hub.webSocket,
    scheduler: time,
    random: () => 0,
  });
  const changes = recordChanges(watcher);
  await Promise.resolve();
  hub.peer.welcome();
  const reconnect = (): void => {
    hub.peer.end(1006);
    time.advance(0);
    hub.peer.welcome();
  };
  return { hub, time, watcher, changes, reconnect };
}

/** Answers the newest subscription. */
function subscribed({ hub }: Scene, resumed: boolean, cursor = 'e1:1'): void {
  hub.peer.say({ type: 'subscribed', id: hub.peer.last('subscribe')['id'], stream: 's1', cursor, resumed });
}

function snapshot(
  { hub }: Scene,
  advertisements: PublishedAdvertisement[],
  last = true,
  cursor = 'e1:1',
): void {
  hub.peer.say({ type: 'snapshot', stream: 's1', cursor, advertisements, last });
}

function events({ hub }: Scene, cursor: string, list: object[]): void {
  hub.peer.say({ type: 'events', stream: 's1', cursor, events: list });
}

const shown = ({ watcher }: Scene): string[] => [...watcher.providers.keys()].sort();
const told = ({ changes }: Scene): string[] =>
  changes.splice(0).map((change) => `${change.type} ${change.advertisement.provider_id}`);

const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((id) => publishedAs(id)) as [
  PublishedAdvertisement,
  PublishedAdvertisement,
  PublishedAdvertisement,
  PublishedAdvertisement,
];
const heard = (advertisement: PublishedAdvertisement): PublishedAdvertisement => ({
  ...advertisement,
  updated_at: '2026-01-01T00:02:00.000Z',
  expires_at: '2026-01-01T00:07:00.000Z',
});

test('the filter goes out in canonical form; a bad one is refused at once', async () => {
  const { hub } = await begin({ cpu: 2, country: ['se', 'NO', 'SE'], status: 'live' });
  assert.deepEqual(hub.peer.last('subscribe')['filter'], { cpu: 2, country: ['NO', 'SE'], status: 'live' });
  assert.ok(!('resume' in hub.peer.last('subscribe')));
  assert.throws(() => watch('http://hub.example', { country: 'XX' }), {
    code: 'ADV_002',
    name: 'DiscoveryError',
  });
  assert.throws(() => watch('http://hub.example', { colour: 'red' } as FilterInput), { code: 'ADV_002' });
});

test('it is ready when the last part of the snapshot is there, and not before', async () => {
  const scene = await begin();
  let ready = false;
  void scene.watcher.ready.then(() => (ready = true));
  subscribed(scene, false);
  snapshot(scene, [a, b], false);
  await Promise.resolve();
  assert.equal(ready, false);
  assert.deepEqual(shown(scene), []);
  assert.equal(scene.watcher.state, 'subscribing');
  snapshot(scene, [c]);
  await scene.watcher.ready;
  assert.equal(scene.watcher.state, 'live');
  assert.deepEqual(shown(scene), ['a', 'b', 'c']);
  assert.deepEqual(told(scene), ['added a', 'added b', 'added c']);
});

test('events are applied, told with what was before, and with the reason', async () => {
  const scene = await begin();
  subscribed(scene, false);
  snapshot(scene, [a, b]);
  told(scene);
  const moved = { ...b, country: 'NO' };
  events(scene, 'e1:5', [
    { op: 'added', advertisement: c },
    { op: 'updated', advertisement: moved },
    { op: 'removed', provider_id: 'a', reason: 'withdrawn' },
  ]);
  assert.deepEqual(scene.changes, [
    { type: 'added', advertisement: c },
    { type: 'updated', advertisement: moved, previous: b },
    { type: 'removed', advertisement: a, reason: 'withdrawn' },
  ]);
  assert.deepEqual(shown(scene), ['b', 'c']);
});

test('heartbeats are stored and not told', async () => {
  const scene = await begin();
  subscribed(scene, false);
  snapshot(scene, [a]);
  told(scene);
  events(scene, 'e1:2', [{ op: 'updated', advertisement: heard(a) }]);
  assert.deepEqual(told(scene), []);
  assert.equal(scene.watcher.providers.get('a')?.updated_at, '2026-01-01T00:02:00.000Z');
});

test('a connection that comes back resumes from the last event or bookmark', async () => {
  const scene = await begin();
  subscribed(scene, false);
  snapshot(scene, [a], true, 'e1:4');
  scene.reconnect();
  assert.equal(scene.hub.peer.last('subscribe')['resume'], 'e1:4');
  subscribed(scene, true, 'e1:4');
  assert.equal(scene.watcher.state, 'live');
  events(scene, 'e1:9', [{ op: 'added', advertisement: b }]);
  scene.reconnect();
  assert.equal(scene.hub.peer.last('subscribe')['resume'], 'e1:9');
  subscribed(scene, true, 'e1:9');
  scene.hub.peer.say({ type: 'bookmark', cursor: 'e1:70' });
  scene.reconnect();
  assert.equal(scene.hub.peer.last('subscribe')['resume'], 'e1:70');
  assert.deepEqual(told(scene), ['added a', 'added b']);
});

test('a new snapshot is compared with what is held: only real differences are told', async () => {
  const scene = await begin();
  subscribed(scene, false);
  snapshot(scene, [a, b, c]);
  told(scene);
  scene.reconnect();
  assert.deepEqual(shown(scene), ['a', 'b', 'c']);
  subscribed(scene, false, 'e2:0');
  snapshot(scene, [heard(a)], false, 'e2:7');
  assert.deepEqual(shown(scene), ['a', 'b', 'c']);
  snapshot(scene, [{ ...b, status: 'suspect' }, d], true, 'e2:7');
  assert.deepEqual(
    scene.changes.map((change) => (change.type === 'removed' ? [change.type, change.reason] : [change.type])),
    [['removed', 'missed'], ['updated'], ['added']],
  );
  assert.deepEqual(shown(scene), ['a', 'b', 'd']);
  assert.equal(scene.watcher.providers.get('a')?.expires_at, heard(a).expires_at);
  scene.reconnect();
  assert.equal(scene.hub.peer.last('subscribe')['resume'], 'e2:7');
});

test('half a snapshot changes nothing, and is not resumed from', async () => {
  const scene = await begin();
  subscribed(scene, false);
  snapshot(scene, [a], true, 'e1:4');
  told(scene);
  scene.reconnect();
  subscribed(scene, false, 'e2:0');
  snapshot(scene, [b], false, 'e2:7');
  scene.hub.peer.say({ type: 'bookmark', cursor: 'e2:8' });
  scene.reconnect();
  assert.equal(scene.hub.peer.last('subscribe')['resume'], 'e1:4');
  assert.deepEqual(told(scene), []);
  assert.deepEqual(shown(scene), ['a']);
});

test('a hub that is not quite in step is put up with', async () => {
  const scene = await begin();
  subscribed(scene, false);
  snapshot(scene, [a]);
  told(scene);
  events(scene, 'e1:2', [
    { op: 'updated', advertisement: b },
    { op: 'added', advertisement: { ...a, country: 'NO' } },
    { op: 'removed', provider_id: 'z', reason: 'expired' },
  ]);
  assert.deepEqual(told(scene), ['added b', 'updated a']);
});

test('a subscription that is refused ends it', async () => {
  const scene = await begin();
  const iterator = scene.watcher[Symbol.asyncIterator]();
  const next = iterator.next();
  scene.hub.peer.refuse('subscribe', 'WS_003', 'too many');
  assert.equal(scene.watcher.state, 'refused');
  await assert.rejects(scene.watcher.ready, { code: 'WS_003', retry: false });
  await assert.rejects(next, { code: 'WS_003' });
  await assert.rejects(scene.watcher[Symbol.asyncIterator]().next(), { code: 'WS_003' });
});

test('the sequence of changes begins with what is there, and ends with the watch', async () => {
  const scene = await begin();
  subscribed(scene, false);
  snapshot(scene, [a, b]);
  const seen: string[] = [];
  const reading = (async () => {
    for await (const { type, advertisement } of scene.watcher) {
      seen.push(`${type} ${advertisement.provider_id}`);
      if (type === 'removed') void scene.watcher.stop();
    }
  })();
  events(scene, 'e1:2', [{ op: 'removed', provider_id: 'b', reason: 'expired' }]);
  await new Promise(setImmediate);
  events(scene, 'e1:3', [{ op: 'removed', provider_id: 'a', reason: 'expired' }]);
  await reading;
  assert.deepEqual(seen, ['added a', 'removed a']);
});

test('a slow consumer gets what is true when it looks, one change for each provider', async () => {
  const scene = await begin();
  subscribed(scene, false);
  snapshot(scene, [a, b, c]);
  const iterator = scene.watcher[Symbol.asyncIterator]();
  for (const _ of [a, b, c]) await iterator.next();
  for (let round = 1; round <= 1000; round += 1) {
    events(scene, `e1:${String(round)}`, [
      { op: 'updated', advertisement: { ...a, resources: { cpu: round, memory: 1, storage: 1 } } },
      { op: round % 2 === 1 ? 'added' : 'removed', advertisement: d, provider_id: 'd', reason: 'unmatched' },
    ]);
  }
  events(scene, 'e1:1001', [{ op: 'removed', provider_id: 'b', reason: 'expired' }]);
  const first = await iterator.next();
  assert.equal(first.value?.type, 'updated');
  assert.equal(first.value.advertisement.resources.cpu, 1000);
  assert.deepEqual(first.value.previous, a);
  assert.deepEqual((await iterator.next()).value, { type: 'removed', advertisement: b, reason: 'expired' });
  const waiting = iterator.next();
  events(scene, 'e1:1002', [{ op: 'added', advertisement: d }]);
  assert.deepEqual((await waiting).value, { type: 'added', advertisement: d });
});

test('consumers are independent, and leave without a trace', async () => {
  const scene = await begin();
  subscribed(scene, false);
  snapshot(scene, [a]);
  for await (const change of scene.watcher) {
    assert.equal(change.type, 'added');
    break;
  }
  const other = scene.watcher[Symbol.asyncIterator]();
  assert.equal((await other.next()).value?.advertisement.provider_id, 'a');
  void scene.watcher.stop();
  assert.equal((await other.next()).done, true);
  assert.equal((await scene.watcher[Symbol.asyncIterator]().next()).done, true);
});

test('after a listener has stopped the watch nothing more is told', async () => {
  const scene = await begin();
  scene.watcher.on('change', () => {
    void scene.watcher.stop();
  });
  subscribed(scene, false);
  snapshot(scene, [a, b, c]);
  assert.deepEqual(told(scene), ['added a']);
  assert.equal(scene.watcher.state, 'stopped');
});

test('a listener that throws harms nobody but is heard of', async () => {
  const scene = await begin();
  const uncaught = new Promise<Error>((resolve) => {
    process.setUncaughtExceptionCaptureCallback(resolve);
  });
  const off = scene.watcher.on('change', () => {
    throw new Error('a mistake in a listener');
  });
  subscribed(scene, false);
  snapshot(scene, [a]);
  off();
  assert.match((await uncaught).message, /a mistake in a listener/);
  process.setUncaughtExceptionCaptureCallback(null);
  snapshot(scene, []);
  events(scene, 'e1:2', [{ op: 'added', advertisement: b }]);
  assert.deepEqual(told(scene), ['added a', 'added b']);
});

test('a watch of the first matches asks for them again with each connection, and has them in order', async () => {
  const scene = await begin({ cpu: 2 }, { sort: 'price', limit: 2 });
  const { hub, watcher } = scene;
  const asked = (): object => {
    const { filter, sort, limit } = hub.peer.last('subscribe');
    return { filter, sort, limit };
  };
  const expected = { filter: { cpu: 2 }, sort: 'price', limit: 2 };
  assert.deepEqual(asked(), expected);
  const priced = (one: PublishedAdvertisement, core: number): PublishedAdvertisement => ({
    ...one,
    pricing: { usd_per_core_month: core, usd_per_gb_ram_month: 0, usd_per_gb_storage_month: 0 },
  });
  const order = (): string[] => watcher.ranking.map(({ provider_id: id }) => id);
  subscribed(scene, false);
  snapshot(scene, [priced(b, 3), priced(c, 5)]);
  assert.deepEqual(order(), ['b', 'c']);
  events(scene, 'e1:2', [
    { op: 'removed', provider_id: 'c', reason: 'outranked' },
    { op: 'added', advertisement: priced(a, 1) },
  ]);
  assert.deepEqual(order(), ['a', 'b']);
  const [gone] = scene.changes.filter(({ type }) => type === 'removed');
  assert.deepEqual(gone, { type: 'removed', advertisement: priced(c, 5), reason: 'outranked' });
  // Of equal prices the smaller id comes first, and who has none comes last.
  events(scene, 'e1:3', [{ op: 'updated', advertisement: priced(a, 3) }]);
  assert.deepEqual(order(), ['a', 'b']);
  events(scene, 'e1:4', [{ op: 'updated', advertisement: { ...a, pricing: null } }]);
  assert.deepEqual(order(), ['b', 'a']);
  scene.reconnect();
  assert.deepEqual(asked(), expected);
  assert.equal(hub.peer.last('subscribe')['resume'], 'e1:4');
});

test('an order without a limit, a limit without an order, and what no hub takes are refused at once', () => {
  for (const options of [{ sort: 'price' }, { limit: 2 }, { sort: 'price', limit: 101 }] as WatchOptions[])
    assert.throws(() => watch('http://hub.example', {}, options), { code: 'ADV_002', message: /limit/ });
  const options = { sort: 'updated', limit: 2 } as unknown as WatchOptions;
  assert.throws(() => watch('http://hub.example', {}, options), { code: 'ADV_002', message: /sort/ });
});
