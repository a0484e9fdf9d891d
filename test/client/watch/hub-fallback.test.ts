import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  type Change,
  DiscoveryClient,
  generateKey,
  type KeyPair,
  watch,
  type Watch,
  type WatchOptions,
} from '../../../src/client/node.js';
import { TestHub } from '../../support/hubs/test-hub.js';
import { Proxy } from '../support/proxy.js';
import { cores } from '../support/session-scene.js';
import { nextChange, reached, recordChanges, recordStates } from '../support/wait.js';

let hub: TestHub;
let proxy: Proxy;
const begun: Watch[] = [];

before(async () => {
  hub = await TestHub.start();
  proxy = await Proxy.start(hub.hub.port);
});
after(async () => {
  await Promise.all(begun.map((one) => one.stop()));
  await proxy.stop();
  await hub.stop();
});

function begin(options: WatchOptions = {}): Watch {
  const watcher = watch(proxy.url, { cpu: 4 }, { random: () => 0.02, ...options });
  begun.push(watcher);
  return watcher;
}

async function advertise(cpu: number, key: KeyPair = generateKey()): Promise<KeyPair> {
  await new DiscoveryClient(hub.url).advertise(key, cores(cpu));
  return key;
}

/** The change that a provider comes with. */
const seen = (watcher: Watch, key: KeyPair): Promise<Change> =>
  nextChange(watcher, ({ advertisement }) => advertisement.provider_id === key.publicKey);

async function holdsTheList(watcher: Watch): Promise<void> {
  const found = await new DiscoveryClient(hub.url).find({ cpu: 4 });
  assert.deepEqual(
    [...watcher.ranking].map(({ provider_id, resources }) => [provider_id, resources]),
    found.map(({ provider_id, resources }) => [provider_id, resources]),
  );
}

for (const upgrades of ['refuse', 'drop'] as const) {
  test(`a proxy that ${upgrades}s WebSockets from the beginning: the watch follows by events`, async () => {
    proxy.upgrades = upgrades;
    const first = await advertise(4);
    const watcher = begin();
    const states = recordStates(watcher);
    await watcher.ready;
    assert.ok(watcher.providers.has(first.publicKey));
    const key = generateKey();
    const change = seen(watcher, key);
    await advertise(5, key);
    assert.equal((await change).type, 'added');
    await holdsTheList(watcher);
    assert.deepEqual(
      states.map(({ state }) => state),
      ['connecting', 'subscribing', 'live'],
    );
    await watcher.stop();
  });

  test(`a proxy that begins to ${upgrades} WebSockets under an open watch: it resumes, and nothing else changes`, async () => {
    proxy.upgrades = 'pass';
    await advertise(6);
    const watcher = begin();
    await watcher.ready;
    const { events } = proxy;
    proxy.upgrades = upgrades;
    const changes = recordChanges(watcher);
    proxy.cut();
    await reached(watcher, 'waiting');
    const key = await advertise(7);
    proxy.open();
    await reached(watcher, 'live');
    if (!watcher.providers.has(key.publicKey)) await seen(watcher, key);
    assert.deepEqual(
      changes.map(({ type, advertisement }) => [type, advertisement.provider_id]),
      [['added', key.publicKey]],
    );
    assert.ok(proxy.events > events);
    await holdsTheList(watcher);
    await watcher.stop();
  });
}

test('a stopped watch leaves no subscription', async () => {
  proxy.upgrades = 'pass';
  const watcher = begin({ transport: 'events' });
  await watcher.ready;
  await watcher.stop();
  const deadline = Date.now() + 10_000;
  while (hub.hub.gateway.streams.subscriptions > 0) {
    assert.ok(Date.now() < deadline, 'the hub keeps the subscription');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
});
