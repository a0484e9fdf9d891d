import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { randomOf } from '../../support/random.js';
import { rounds } from '../../support/rounds.js';
import {
  fill,
  forEachPair,
  greet,
  LOG_NAMES,
  type Pair,
  Provider,
  unique,
  useHub,
} from '../websocket-support.js';
import { assertIsList, StreamView, Watcher } from '../websocket-watcher.js';

forEachPair('a snapshot of many', (pair) => {
  const { codec } = pair;
  const hub = useHub(pair, {}, { own: true });
  const COUNT = 1200;

  before(() => fill(hub(), COUNT));

  test('comes in frames of at most 500, of which only the last says so', async () => {
    const watcher = await Watcher.join(hub(), codec);
    assert.ok(watcher.batches.length >= 3);
    assert.ok(
      watcher.batches.every((size) => size > 0 && size <= 500),
      watcher.batches.join(),
    );
    assert.equal(watcher.view.size, COUNT);
    await assertIsList(hub(), {}, watcher.view);
  });

  test('is the truth at one cursor, with later changes as events behind it', async () => {
    const socket = await greet(hub(), codec);
    const providers = await Promise.all(Array.from({ length: 8 }, () => Provider.join(hub(), codec)));
    const work = providers.map(async (provider, index) => {
      for (let change = 0; change < 10; change += 1) await provider.advertise({ name: String(change) });
      if (index % 2 === 0) await provider.withdraw();
    });
    const views: StreamView[] = [];
    for (let cpu = 1; cpu <= 2; cpu += 1) socket.send({ type: 'subscribe', id: cpu, filter: { cpu } });
    await Promise.all(work);
    for (const frame of await socket.settle()) {
      if (frame['type'] === 'subscribed') views.push(new StreamView(frame));
      else views.find(({ stream }) => stream === frame['stream'])?.apply(frame);
    }
    assert.equal(views.length, 2);
    for (const [index, { view }] of views.entries()) await assertIsList(hub(), { cpu: index + 1 }, view);
  });
});

for (const log of LOG_NAMES) {
  const suite = (pair: Pair): void => {
    const { transport, codec } = pair;
    // No log knows of codecs: the second is tested with one of them on each transport.
    if (log !== LOG_NAMES[0] && (transport === 'uws') !== (codec === 'json')) return;
    const hub = useHub(pair, {}, { log });
    const COUNTRIES = ['SE', 'FR', 'DE'];
    const PLATFORMS = ['x86_64', 'arm64', null];
    const FILTERS: object[] = [
      {},
      { cpu: 4 },
      { country: ['SE', 'DE'] },
      { platform: 'arm64', status: 'live' },
      { cpu: 2, memory: 2, storage: 1, max_usd_per_month: 14 },
      { status: 'live' },
    ];

    test('a client always holds what a list would answer, through drops, resumes and takeovers', async (t) => {
      const random = randomOf(t);
      const below = (limit: number): number => Math.floor(random() * limit);
      const network = unique();
      const filters = FILTERS.map((filter) => ({ ...filter, payments_network: network }));
      const providers = await Promise.all(Array.from({ length: 12 }, () => Provider.join(hub(), codec)));
      // Of several hubs, the last to start cannot resume from before its own start.
      await providers[0]!.advertise();
      const watchers = await Promise.all(filters.map((filter) => Watcher.join(hub(), codec, filter)));

      const advertisement = (): object => ({
        payments_network: below(6) === 0 ? null : network,
        country: COUNTRIES[below(3)],
        platform: PLATFORMS[below(3)],
        resources: { cpu: 1 + below(8), memory: 1 + below(4), storage: 1 + below(2) },
        pricing: below(4) === 0 ? null : prices(),
      });
      const prices = (): object => ({
        usd_per_core_month: below(6),
        usd_per_gb_ram_month: below(4),
        usd_per_gb_storage_month: 1,
      });
      for (let round = 0; round < rounds(40); round += 1) {
        await Promise.all(
          providers.map(async (provider, index) => {
            const chance = below(20);
            if (chance < 9) await provider.advertise(advertisement());
            else if (chance === 9) {
              provider.socket.send(provider.withdrawFrame());
              const { type, code } = await provider.socket.any();
              assert.ok(type === 'withdrawn' || code === 'ADV_004');
            } else if (chance === 10) {
              provider.socket.terminate();
              providers[index] = await provider.rejoin();
            } else if (chance === 11) providers[index] = await provider.rejoin();
          }),
        );
        const at = below(filters.length);
        const watcher = watchers[at]!;
        const filter = filters[at]!;
        if (round % 4 === 0) {
          // What has not arrived by now is missed.
          watcher.socket.terminate();
          watchers[at] = await Watcher.join(hub(), codec, filter, { resume: watcher.position });
          assert.equal(watchers[at].resumed, true);
        } else {
          await watcher.events();
          await assertIsList(hub(), filter, watcher.view);
        }
      }
      for (const [at, watcher] of watchers.entries()) {
        await watcher.events();
        await assertIsList(hub(), filters[at]!, watcher.view);
        const fresh = await Watcher.join(hub(), codec, filters[at]);
        assert.deepEqual(new Map([...fresh.view].sort()), new Map([...watcher.view].sort()));
      }
    });
  };
  forEachPair(`streams under many changes, with the log ${log === 'SQLite' ? 'in SQLite' : log}`, suite);
}
