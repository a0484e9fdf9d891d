import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DOWN_SCHEMAS } from '../../../src/protocol/frames/frames-down-schemas.js';
import type { PublishedAdvertisement } from '../../../src/protocol/advertisement.js';
import type { First } from '../../../src/protocol/filters/first.js';
import { randomOf } from '../../support/random.js';
import { rounds } from '../../support/rounds.js';
import type { TestHub } from '../../support/hubs/test-hub.js';
import { fill, forEachPair, greet, Provider, refused, unique, useHub } from '../websocket-support.js';
import { brief, queryOf, Watcher } from '../websocket-watcher.js';

/** So many that the price index is asked, and not all rows. */
const MANY = 1600;

const usd = (price: number): object => ({
  usd_per_core_month: price,
  usd_per_gb_ram_month: 0,
  usd_per_gb_storage_month: 0,
});

async function list(hub: TestHub, filter: object, { sort, limit }: First): Promise<PublishedAdvertisement[]> {
  const query = queryOf({ ...filter, sort, limit });
  return (await hub.get<PublishedAdvertisement[]>(`/api/v1/advertisements?${query}`)).body;
}

/** A view is what a list request with the same order and limit would answer now. */
async function assertIsFirst(hub: TestHub, filter: object, first: First, { view }: Watcher): Promise<void> {
  const expected = new Map((await list(hub, filter, first)).map((one) => [one.provider_id, one]));
  assert.deepEqual(new Map([...view].sort()), new Map([...expected].sort()));
}

forEachPair('streams of the first matches', (pair) => {
  const { codec } = pair;
  const hub = useHub(pair);

  test('whoever is pushed out is removed as outranked, and whoever moves up is added', async () => {
    const filter = { payments_network: unique() };
    const [cheap, dear, dearest] = await Promise.all(
      [1, 3, 5].map(async (price) => {
        const provider = await Provider.join(hub(), codec);
        await provider.advertise({ ...filter, pricing: usd(price) });
        return provider;
      }),
    );
    assert.ok(cheap && dear && dearest);
    const first: First = { sort: 'price', limit: 2 };
    const watcher = await Watcher.join(hub(), codec, filter, { first });
    assert.deepEqual([...watcher.view.keys()], [cheap.id, dear.id], 'the snapshot comes in order');

    const said = async (): Promise<string[]> => brief(await watcher.events());
    await dearest.advertise({ ...filter, pricing: usd(4) });
    assert.deepEqual(await said(), [], 'what happens behind them is nobody’s business');
    await dearest.advertise({ ...filter, pricing: usd(2) });
    assert.deepEqual(await said(), [`removed ${dear.id} outranked`, `added ${dearest.id} live`]);
    await cheap.advertise({ ...filter, pricing: usd(2.5) });
    assert.deepEqual(await said(), [`updated ${cheap.id} live`]);
    await cheap.withdraw();
    assert.deepEqual(await said(), [`removed ${cheap.id} withdrawn`, `added ${dear.id} live`]);
    await dear.advertise({ payments_network: null });
    assert.deepEqual(await said(), [`removed ${dear.id} unmatched`]);
    await dear.advertise({ ...filter, pricing: null });
    assert.deepEqual(await said(), [`added ${dear.id} live`], 'who has no price comes last, but comes');
    await assertIsFirst(hub(), filter, first, watcher);
  });

  test('equal filters, orders and limits share a stream, and no others do', async () => {
    const filter = { payments_network: unique() };
    const socket = await greet(hub(), codec);
    const streamOf = async (more: object): Promise<unknown> => {
      socket.send({ type: 'subscribe', id: 1, filter, ...more });
      const { stream } = await socket.next('subscribed');
      await socket.next('snapshot');
      return stream;
    };
    const [all, same] = [await streamOf({}), await streamOf({ sort: null, limit: null })];
    const some = await streamOf({ sort: 'price', limit: 2 });
    assert.equal(all, same);
    assert.equal(await streamOf({ limit: 2, sort: 'price' }), some);
    const others = [all, some, await streamOf({ sort: 'price', limit: 3 })];
    others.push(await streamOf({ sort: 'price_glm', limit: 2 }));
    assert.equal(new Set(others).size, 4);
  });

  test('what cannot be asked for is refused, and the message names it', async () => {
    const socket = await greet(hub(), codec);
    const ask = (more: object): Promise<string> =>
      refused(socket, { type: 'subscribe', id: 1, filter: {}, ...more }, 'WS_001');
    for (const limit of [0, 101, 1.5, '2'])
      assert.match(await ask({ sort: 'price', limit }), /limit: must be an integer from 1 to 100/);
    assert.match(await ask({ sort: 'updated', limit: 2 }), /sort: must be "price" or "price_glm"/);
    for (const half of [{ sort: 'price' }, { limit: 2 }])
      assert.match(await ask(half), /give sort and limit together/);
  });

  test('a client holds the first of the list through changes, ties, drops and resumes', async (t) => {
    const random = randomOf(t);
    const below = (count: number): number => Math.floor(random() * count);
    const network = unique();
    const filter = { payments_network: network };
    const asked: [filter: object, first: First][] = [
      [filter, { sort: 'price', limit: 1 }],
      [filter, { sort: 'price', limit: 4 }],
      [
        { ...filter, cpu: 2 },
        { sort: 'price', limit: 3 },
      ],
      [
        { ...filter, memory: 3, max_usd_per_month: 12 },
        { sort: 'price_glm', limit: 4 },
      ],
      [filter, { sort: 'price_glm', limit: 100 }],
    ];
    const providers = await Promise.all(Array.from({ length: 10 }, () => Provider.join(hub(), codec)));
    const watchers = await Promise.all(
      asked.map(([one, first]) => Watcher.join(hub(), codec, one, { first })),
    );
    const advertisement = (): object => ({
      payments_network: below(8) === 0 ? null : network,
      resources: { cpu: 1 + below(4), memory: 1 + below(4), storage: 1 },
      pricing:
        below(6) === 0
          ? null
          : {
              ...usd(below(4)),
              ...(below(3) === 0
                ? {}
                : {
                    glm_per_core_month: below(3) / 10,
                    glm_per_gb_ram_month: 0.1,
                    glm_per_gb_storage_month: 0.2,
                  }),
            },
    });
    for (let round = 0; round < rounds(30); round += 1) {
      await Promise.all(
        providers.map(async (provider) => {
          const chance = below(10);
          if (chance < 5) await provider.advertise(advertisement());
          else if (chance === 5 && (await provider.seen()) !== null) await provider.withdraw();
        }),
      );
      const at = round % asked.length;
      const [one, first] = asked[at]!;
      const watcher = watchers[at]!;
      if (below(3) === 0) {
        // What has not arrived by now is missed.
        watcher.socket.terminate();
        watchers[at] = await Watcher.join(hub(), codec, one, { first, resume: watcher.position });
        assert.equal(watchers[at].resumed, true);
      } else {
        await watcher.events();
        await assertIsFirst(hub(), one, first, watcher);
      }
    }
    for (const [at, watcher] of watchers.entries()) {
      await watcher.events();
      await assertIsFirst(hub(), ...asked[at]!, watcher);
    }
  });

  test('a provider is seen by those whose first it is among; others miss it by their limit alone', async () => {
    // Each hub counts its own streams.
    const one = hub().first;
    const filter = { payments_network: unique() };
    const [cheap, dear] = await Promise.all(
      [1, 3].map(async (price) => {
        const provider = await Provider.join(one, codec);
        await provider.advertise({ ...filter, pricing: usd(price) });
        return provider;
      }),
    );
    assert.ok(cheap && dear);
    await Watcher.join(one, codec, filter, { first: { sort: 'price', limit: 1 } });
    await Watcher.join(one, codec, filter, { first: { sort: 'price', limit: 2 } });
    // Without this condition it would be outranked as well.
    await Watcher.join(one, codec, { ...filter, cpu: 64 }, { first: { sort: 'price', limit: 1 } });
    const seen = async ({ socket }: Provider): Promise<object> => {
      socket.send({ type: 'visibility', id: 1 });
      const { streams, missed } = DOWN_SCHEMAS.visibility.parse(await socket.next('visibility'));
      return { streams, missed: missed.filter(({ member }) => member === 'limit' || member === 'cpu') };
    };
    assert.deepEqual(await seen(cheap), { streams: 2, missed: [{ member: 'cpu', streams: 1 }] });
    const both = [
      { member: 'cpu', streams: 1 },
      { member: 'limit', streams: 1 },
    ];
    assert.deepEqual(await seen(dear), { streams: 1, missed: both });
  });
});

forEachPair('the first of many', (pair) => {
  const { codec } = pair;
  const hub = useHub(pair, {}, { own: true });

  test('are found in the price index, and again when they have gone', async () => {
    const network = unique();
    await fill(hub(), MANY, { pricing: { ...usd(2), glm_per_core_month: 1 } });
    const providers = await Promise.all(
      Array.from({ length: 24 }, async (_, index) => {
        const provider = await Provider.join(hub(), codec);
        await provider.advertise({ payments_network: network, pricing: usd(index / 100) });
        return provider;
      }),
    );
    const first: First = { sort: 'price', limit: 2 };
    const watcher = await Watcher.join(hub(), codec, {}, { first });
    // More than are kept to replace those that go.
    for (const provider of providers) await provider.withdraw();
    await watcher.events();
    await assertIsFirst(hub(), {}, first, watcher);
  });
});
