import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import {
  type Change,
  DiscoveryClient,
  generateKey,
  type KeyPair,
  watch,
  type Watch,
} from '../../../src/client/node.js';
import { CODEC_NAMES, TestHub, TRANSPORTS } from '../../support/hubs/test-hub.js';
import { Proxy } from '../support/proxy.js';
import { ADVERTISEMENT, cores } from '../support/session-scene.js';
import { nextChange, reached, recordChanges } from '../support/wait.js';

const soon = (): number => 0.02;

/** What a test that fails leaves behind would otherwise reconnect for ever. */
const begun = new Set<Watch>();
afterEach(async () => {
  await Promise.all([...begun].map((one) => one.stop()));
  begun.clear();
});

const begin: typeof watch = (url, filter, options) => {
  const watcher = watch(url, filter, { random: soon, ...options });
  begun.add(watcher);
  return watcher;
};

/** What a list request says, in the order of ids. */
async function listed(hub: TestHub, filter: Parameters<typeof watch>[1]): Promise<string[]> {
  const found = await new DiscoveryClient(hub.url).find(filter);
  return found.map(({ provider_id, resources }) => `${provider_id}:${String(resources.cpu)}`).sort();
}

function held(watcher: Watch): string[] {
  return [...watcher.providers.values()]
    .map(({ provider_id, resources }) => `${provider_id}:${String(resources.cpu)}`)
    .sort();
}

/** How often a resume was granted or refused, as the hub counts. */
async function resumes(hub: TestHub): Promise<{ exact: number; refused: number }> {
  const metrics = await (await fetch(`${hub.url}/metrics`)).text();
  const count = (outcome: string): number =>
    Number(new RegExp(`resume[a-z_]*{[^}]*"${outcome}"[^}]*} (\\d+)`).exec(metrics)?.[1] ?? 0);
  return { exact: count('exact'), refused: count('refused') };
}

const advertise = async (hub: TestHub, cpu: number, key: KeyPair = generateKey()): Promise<KeyPair> => {
  await new DiscoveryClient(hub.url).advertise(key, cores(cpu));
  return key;
};

for (const transport of TRANSPORTS) {
  for (const codec of CODEC_NAMES) {
    describe(`a watch, ${transport}, ${codec}`, () => {
      test('it holds what matches, and follows', async () => {
        const hub = await TestHub.start({ TRANSPORT: transport });
        try {
          const client = new DiscoveryClient(hub.url);
          const big = await advertise(hub, 8);
          await advertise(hub, 1);
          const watcher = begin(hub.url, { cpu: 4 }, { codec });
          const changes = recordChanges(watcher);
          await watcher.ready;
          assert.equal(watcher.state, 'live');
          assert.deepEqual([...watcher.providers.keys()], [big.publicKey]);
          assert.deepEqual(watcher.providers.get(big.publicKey), await client.get(big.publicKey));

          const next = async (act: () => Promise<unknown>): Promise<Change> => {
            const change = nextChange(watcher);
            await act();
            return change;
          };
          const added = await next(() => advertise(hub, 5));
          assert.equal(added.type, 'added');
          const updated = await next(() => advertise(hub, 16, big));
          assert.ok(updated.type === 'updated' && updated.previous.resources.cpu === 8);
          const unmatched = await next(() => advertise(hub, 2, big));
          assert.ok(unmatched.type === 'removed' && unmatched.reason === 'unmatched');
          const matching = await next(() => advertise(hub, 9, big));
          assert.equal(matching.type, 'added');
          const withdrawn = await next(() => client.withdraw(big));
          assert.ok(withdrawn.type === 'removed' && withdrawn.reason === 'withdrawn');
          const expired = await next(() => hub.advance(301_000));
          assert.ok(expired.type === 'removed' && expired.reason === 'expired');
          assert.equal(watcher.providers.size, 0);
          assert.equal(changes.length, 7);
          await watcher.stop();
        } finally {
          await hub.stop();
        }
      });
    });
  }

  test(`a snapshot of several parts comes whole, ${transport}`, async () => {
    const hub = await TestHub.start({ TRANSPORT: transport, UNSIGNED: 'accept' });
    try {
      const post = (number: number): Promise<unknown> =>
        hub.request('POST', '/api/v1/advertisements', {
          headers: {
            'Content-Type': 'application/json',
            'X-Provider-ID': `p${String(number)}`,
            'X-Provider-Signature': 'none',
          },
          body: JSON.stringify(ADVERTISEMENT),
        });
      for (let from = 0; from < 520; from += 65) {
        await Promise.all(Array.from({ length: 65 }, (_, index) => post(from + index)));
      }
      for (const codec of CODEC_NAMES) {
        const watcher = begin(hub.url, {}, { codec });
        await watcher.ready;
        assert.equal(watcher.providers.size, 520);
      }
    } finally {
      await hub.stop();
    }
  });
}

/** A watch of big providers behind a proxy, and a small one and a big one to look at. */
async function scene(settings: Record<string, string> = {}): Promise<{
  hub: TestHub;
  proxy: Proxy;
  watcher: Watch;
  changes: Change[];
  keys: KeyPair[];
  end: () => Promise<void>;
}> {
  const hub = await TestHub.start(settings);
  const proxy = await Proxy.start(hub.hub.port);
  const keys = [await advertise(hub, 4), await advertise(hub, 5), await advertise(hub, 6)];
  const watcher = begin(proxy.url, { cpu: 4 });
  await watcher.ready;
  const changes = recordChanges(watcher);
  const end = async (): Promise<void> => {
    await watcher.stop();
    await proxy.stop();
    await hub.stop();
  };
  return { hub, proxy, watcher, changes, keys, end };
}

test('a lost connection is resumed exactly: what was missed is told, nothing else', async () => {
  const { hub, proxy, watcher, changes, keys, end } = await scene();
  try {
    proxy.cut();
    await reached(watcher, 'waiting');
    assert.equal(watcher.providers.size, 3);
    await new DiscoveryClient(hub.url).withdraw(keys[0]!);
    await advertise(hub, 50, keys[1]);
    const added = await advertise(hub, 60);
    const caughtUp = nextChange(
      watcher,
      ({ advertisement }) => advertisement.provider_id === added.publicKey,
    );
    proxy.open();
    await caughtUp;
    assert.deepEqual(await resumes(hub), { exact: 1, refused: 0 });
    assert.deepEqual(
      changes.map((change) => [change.type, change.type === 'removed' ? change.reason : null]).sort(),
      [
        ['added', null],
        ['removed', 'withdrawn'],
        ['updated', null],
      ],
    );
    assert.deepEqual(held(watcher), await listed(hub, { cpu: 4 }));
  } finally {
    await end();
  }
});

test('a resume that the hub refuses is bridged by comparing snapshots', async () => {
  const { hub, proxy, watcher, changes, keys, end } = await scene({ REPLAY_EVENTS: '2' });
  try {
    proxy.cut();
    await reached(watcher, 'waiting');
    await new DiscoveryClient(hub.url).withdraw(keys[0]!);
    await advertise(hub, 50, keys[1]);
    for (let count = 0; count < 8; count += 1) await advertise(hub, 1);
    const added = await advertise(hub, 60);
    const caughtUp = nextChange(
      watcher,
      ({ advertisement }) => advertisement.provider_id === added.publicKey,
    );
    proxy.open();
    await caughtUp;
    await reached(watcher, 'live');
    assert.deepEqual(await resumes(hub), { exact: 0, refused: 1 });
    assert.deepEqual(
      changes.map((change) => [change.type, change.type === 'removed' ? change.reason : null]).sort(),
      [
        ['added', null],
        ['removed', 'missed'],
        ['updated', null],
      ],
    );
    assert.deepEqual(held(watcher), await listed(hub, { cpu: 4 }));
  } finally {
    await end();
  }
});

test('a quiet watch resumes too, from its last bookmark', async () => {
  const { hub, proxy, watcher, changes, end } = await scene({ REPLAY_EVENTS: '4' });
  try {
    // More changes elsewhere than the hub keeps; only bookmarks tell that they do not matter here.
    for (let count = 0; count < 20; count += 1) await advertise(hub, 1);
    await hub.advance(30_000);
    await settled(hub, watcher);
    changes.splice(0);
    proxy.cut();
    await reached(watcher, 'waiting');
    proxy.open();
    await reached(watcher, 'live');
    assert.deepEqual(await resumes(hub), { exact: 1, refused: 0 });
    assert.deepEqual(changes, []);
  } finally {
    await end();
  }
});

/** Resolves when a watch has heard all that the hub had to say until now. */
async function settled(hub: TestHub, watcher: Watch): Promise<void> {
  const key = generateKey();
  const seen = nextChange(watcher, ({ advertisement }) => advertisement.provider_id === key.publicKey);
  await advertise(hub, 4, key);
  await seen;
}

test('a slow consumer of a busy hub gets the net effect', async () => {
  const { hub, watcher, keys, end } = await scene();
  try {
    const iterator = watcher[Symbol.asyncIterator]();
    for (const _ of keys) assert.equal((await iterator.next()).value?.type, 'added');
    for (let cpu = 10; cpu < 30; cpu += 1) await advertise(hub, cpu, keys[0]);
    const passing = await advertise(hub, 7);
    await new DiscoveryClient(hub.url).withdraw(passing);
    await settled(hub, watcher);
    const updated = (await iterator.next()).value;
    assert.ok(updated?.type === 'updated');
    assert.equal(updated.previous.resources.cpu, 4);
    assert.equal(updated.advertisement.resources.cpu, 29);
    assert.equal((await iterator.next()).value?.type, 'added');
    const idle = iterator.next();
    await watcher.stop();
    assert.equal((await idle).done, true);
  } finally {
    await end();
  }
});

test('a signal ends the watch and its sequence', async () => {
  const hub = await TestHub.start();
  try {
    const abort = new AbortController();
    const watcher = begin(hub.url, {}, { signal: abort.signal });
    await watcher.ready;
    const reading = (async () => {
      for await (const change of watcher) assert.fail(change.type);
    })();
    abort.abort();
    await reading;
    assert.equal(watcher.state, 'stopped');
    await watcher.stop();
    assert.equal(hub.hub.gateway.streams.subscriptions, 0);
  } finally {
    await hub.stop();
  }
});
