import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from '../../support/properties.js';
import {
  Line,
  LIST,
  listIds,
  onBothTransports,
  type PublishedAdvertisement,
} from '../../support/clients/http.js';
import { TestKey } from '../../support/data/keys.js';
import {
  generatedQuery,
  naiveList,
  populate,
  type Query,
  queryString,
} from '../../support/data/providers.js';

const CURSOR = /^[0-9a-z]+:\d+$/;

onBothTransports('filters of the list', {}, (hub) => {
  const line = new Line(hub);
  let all: PublishedAdvertisement[] = [];
  before(async () => {
    all = await populate(hub(), 300, 20);
  });

  const check = async (query: Query, lists?: 'repeated' | 'comma-separated'): Promise<number> => {
    const written = queryString(query, lists);
    const answer = await line.get<PublishedAdvertisement[]>(`${LIST}${written}`);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.deepEqual(answer.body, naiveList(all, query), written);
    return answer.body.length;
  };

  test('without any filter there is everything, in the order of the ids', async () => {
    assert.equal(await check({}), 300);
  });

  test('each filter alone keeps what it says', async () => {
    const queries: Query[] = [
      ...[1, 2, 3, 5, 8, 16, 17, 4096].map((cpu) => ({ cpu })),
      ...[1, 4, 7, 16, 65_536].map((memory) => ({ memory })),
      ...[1, 4, 7, 16, 10_000_000].map((storage) => ({ storage })),
      ...[['SE'], ['SE', 'NO'], ['FI'], ['FI', 'US']].map((country) => ({ country })),
      ...[['arm64'], ['riscv 64+'], ['å/∂&=?#%'], ['x86_64', 'arm64'], ['unheard of']].map((platform) => ({
        platform,
      })),
      ...[['polygon'], ['polygon', 'holesky'], ['Polygon']].map((payments_network) => ({ payments_network })),
      ...[0, 0.1, 0.3, 0.6, 1, 2.5, 30, 1e9].map((max_usd_per_month) => ({ max_usd_per_month })),
      { status: 'live' },
    ];
    const sizes = [];
    for (const query of queries) sizes.push(await check(query));
    assert.ok(sizes.some((size) => size === 0) && sizes.some((size) => size > 0 && size < 300));
  });

  test('combined, all of them have to hold', async () => {
    let matched = 0;
    await fc.assert(
      fc.asyncProperty(generatedQuery, async (query) => {
        if ((await check(query)) > 0) matched += 1;
      }),
      // About a third of them match something, so that too few do happens once in a million times.
      { numRuns: 160 },
    );
    assert.ok(matched > 20, 'some of the requests matched something');
  });

  test('several values may be repeated, separated by commas, or both', async () => {
    const query: Query = {
      country: ['SE', 'NO', 'DE'],
      platform: ['x86_64', 'arm64'],
      payments_network: ['polygon', 'none'],
    };
    const size = await check(query, 'repeated');
    assert.equal(await check(query, 'comma-separated'), size);
    const expected = naiveList(all, query).map(({ provider_id }) => provider_id);
    for (const written of [
      '?country=SE,NO&country=DE&platform=arm64,x86_64&payments_network=none&payments_network=polygon',
      '?country=SE%2CNO%2cDE&platform=x86_64&platform=arm64&payments_network=polygon,none',
      '?country=de,se,no,SE,DE&country=no&platform=x86_64,arm64&payments_network=polygon,none,none',
    ]) {
      assert.deepEqual(await listIds(hub(), written), expected, written);
    }
  });

  test('the estimate is for the asked amounts, so what they cost decides', async () => {
    for (const cpu of [1, 4, 16]) {
      for (const sort of ['price', undefined] as const) {
        await check({ cpu, memory: 2, storage: 3, max_usd_per_month: 12.5, sort });
      }
    }
  });

  test('names and values may be percent-encoded, and a plus sign is a space', async () => {
    const expected = naiveList(all, { platform: ['riscv 64+'] }).map(({ provider_id }) => provider_id);
    assert.ok(expected.length > 0);
    for (const written of [
      '?platform=riscv+64%2B',
      '?platform=riscv%2064%2b',
      '?%70latform=%72iscv+64%2B',
      '?plat%66orm=riscv%2064%2B&',
      '?&&platform=riscv+64%2B',
    ]) {
      assert.deepEqual(await listIds(hub(), written), expected, written);
    }
    assert.deepEqual(await listIds(hub(), '?platform=riscv+64+'), []);
    assert.deepEqual(await listIds(hub(), '?cpu=%31%36'), await listIds(hub(), '?cpu=16'));
    assert.deepEqual(
      await listIds(hub(), '?max_usd_per_month=0.60'),
      await listIds(hub(), '?max_usd_per_month=0.6'),
    );
    assert.equal((await listIds(hub(), '?')).length, 300);
  });

  test('each sort puts ties in the order of the ids, and unpriced providers last', async () => {
    for (const sort of ['price', 'updated'] as const) {
      for (const query of [{}, { cpu: 4 }, { memory: 8, storage: 2 }, { status: 'live' as const }]) {
        await check({ ...query, sort });
      }
    }
    const { body } = await hub().get<PublishedAdvertisement[]>(`${LIST}?sort=price`);
    const firstUnpriced = body.findIndex(({ pricing }) => pricing?.usd_per_gb_ram_month === undefined);
    assert.ok(firstUnpriced > 0);
    assert.ok(body.slice(firstUnpriced).every(({ pricing }) => pricing?.usd_per_gb_ram_month === undefined));
  });

  test('status=live leaves out those whose session is lost', async () => {
    const live = await check({ status: 'live' });
    assert.ok(live < 300 && live >= 270);
    const { body } = await hub().get<PublishedAdvertisement[]>(LIST);
    assert.equal(body.filter(({ status }) => status === 'suspect').length, 300 - live);
  });
});

onBothTransports('the cursor of the list', {}, (hub) => {
  const cursor = async (query = ''): Promise<{ epoch: string; seq: number }> => {
    const { headers } = await hub().get(`${LIST}${query}`);
    const text = headers.get('x-discovery-cursor') ?? '';
    assert.match(text, CURSOR);
    const [epoch, seq] = text.split(':');
    return { epoch: epoch!, seq: Number(seq) };
  };

  test('every list answer carries it, and it grows with every change', async () => {
    const key = new TestKey();
    const start = await cursor();
    await hub().post(key, 'a');
    const added = await cursor();
    assert.equal(added.epoch, start.epoch);
    assert.ok(added.seq > start.seq);
    await hub().post(key, 'a', {
      ip_address: '192.0.2.1',
      country: 'NO',
      resources: { cpu: 1, memory: 1, storage: 1 },
    });
    const updated = await cursor('?country=SE&limit=1');
    assert.ok(updated.seq > added.seq);
    await hub().delete(key, 'a');
    const removed = await cursor('?sort=price');
    assert.ok(removed.seq > updated.seq);
    await hub().post(key, 'b');
    const before = await cursor();
    await hub().advance(302_000);
    assert.ok((await cursor()).seq > before.seq, 'expiry is a change too');
  });

  test('reads and refusals do not move it', async () => {
    const before = await cursor();
    await hub().get(`${LIST}?cpu=4`);
    await hub().post(new TestKey(), 'refused', {});
    await hub().delete(new TestKey(), 'nobody');
    assert.deepEqual(await cursor(), before);
  });
});
