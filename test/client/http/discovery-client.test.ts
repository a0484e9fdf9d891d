import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  DiscoveryClient,
  type DiscoveryError,
  generateKey,
  type KeyPair,
  type PublishedAdvertisement,
  verifyProof,
} from '../../../src/client/node.js';
import { monthlyEstimate } from '../../../src/protocol/filters/estimate.js';
import { TestHub, TRANSPORTS } from '../../support/hubs/test-hub.js';
import { FakeTime } from '../support/fake-time.js';
import { ADVERTISEMENT, cores } from '../support/session-scene.js';

const ids = (list: readonly PublishedAdvertisement[]): string[] => list.map(({ provider_id }) => provider_id);

for (const transport of TRANSPORTS) {
  describe(`over HTTP, ${transport}`, () => {
    let hub: TestHub;
    let client: DiscoveryClient;
    before(async () => {
      hub = await TestHub.start({ TRANSPORT: transport });
      client = new DiscoveryClient(hub.url);
    });
    after(() => hub.stop());

    test('an advertisement is published, found, proved and withdrawn', async () => {
      const key = generateKey();
      const published = await client.advertise(key, { ...ADVERTISEMENT, country: 'se' });
      assert.equal(published.provider_id, key.publicKey);
      assert.equal(published.country, 'SE');
      assert.deepEqual(await client.get(key.publicKey), published);
      assert.deepEqual(await client.find({ country: 'se', cpu: 4 }), [published]);
      const proof = (await client.proof(key.publicKey))!;
      assert.equal(verifyProof(proof, { published, publicKey: key.publicKey }).providerId, key.publicKey);
      assert.equal(await client.withdraw(key), true);
      assert.equal(await client.withdraw(key), false);
      assert.equal(await client.get(key.publicKey), null);
      assert.equal(await client.proof(key.publicKey), null);
    });

    test('a name belongs to the key that used it first', async () => {
      const key = generateKey();
      await client.advertise(key, ADVERTISEMENT, { providerId: 'tidy:name-1' });
      await assert.rejects(client.advertise(generateKey(), ADVERTISEMENT, { providerId: 'tidy:name-1' }), {
        name: 'DiscoveryError',
        code: 'AUTH_004',
        status: 403,
        retry: false,
      });
      await assert.rejects(client.withdraw(generateKey(), 'tidy:name-1'), { code: 'AUTH_004' });
      assert.equal(await client.withdraw(key, 'tidy:name-1'), true);
    });

    test('many writes in one millisecond are all accepted, in order', async () => {
      const key = generateKey();
      for (let cpu = 1; cpu <= 5; cpu += 1) {
        assert.equal((await client.advertise(key, cores(cpu))).resources.cpu, cpu);
      }
      await client.withdraw(key);
    });

    test('lists come sorted, limited, and page by page', async () => {
      const keys: KeyPair[] = [];
      for (let price = 1; price <= 7; price += 1) {
        const key = generateKey();
        keys.push(key);
        const pricing = {
          usd_per_core_month: 8 - price,
          usd_per_gb_ram_month: 0.000001,
          usd_per_gb_storage_month: 0,
        };
        await client.advertise(key, { ...ADVERTISEMENT, platform: 'pages', pricing });
      }
      const byPrice = keys.map(({ publicKey }) => publicKey).reverse();
      const filter = { platform: 'pages' };
      assert.deepEqual(ids(await client.find(filter)), [...byPrice].sort());
      assert.deepEqual(ids(await client.find(filter, { sort: 'price' })), byPrice);
      assert.deepEqual(ids(await client.find(filter, { sort: 'price', limit: 3 })), byPrice.slice(0, 3));
      assert.deepEqual(ids(await client.find(filter, { limit: 1000 })), [...byPrice].sort());
      assert.deepEqual(
        ids(await client.find({ ...filter, max_usd_per_month: 2.5 }, { sort: 'price' })),
        byPrice.slice(0, 2),
      );
      assert.deepEqual(await client.find({ ...filter, max_usd_per_month: 1e-9 }), []);

      const pages: string[][] = [];
      let next: string | null = null;
      for await (const page of client.pages(filter, { sort: 'price', pageSize: 3 })) {
        pages.push(ids(page.advertisements));
        assert.match(page.cursor, /^[0-9a-z]+:\d+$/);
        if (pages.length === 1) next = page.next;
      }
      assert.deepEqual(pages, [byPrice.slice(0, 3), byPrice.slice(3, 6), byPrice.slice(6)]);
      const later = client.pages(filter, { sort: 'price', pageSize: 3, after: next! });
      assert.deepEqual(ids((await later.next()).value!.advertisements), pages[1]);
    });

    test('what a client works out itself is what the hub compares, to the last bit', async () => {
      const keys = [generateKey(), generateKey(), generateKey()];
      const third = { glm_per_core_month: 0.1, glm_per_gb_ram_month: 0.2, glm_per_gb_storage_month: 0 };
      const pricings = [third, { ...third, glm_per_core_month: 0.3, glm_per_gb_ram_month: 0 }, third];
      for (const [at, key] of keys.entries()) {
        const country = at === 2 ? 'NO' : 'SE';
        const pricing = pricings[at]!;
        await client.advertise(key, { ...ADVERTISEMENT, country, platform: 'bits', pricing });
      }
      const [sum, plain, abroad] = keys.map(({ publicKey }) => publicKey);
      const filter = { platform: 'bits', verified: true as const };
      const found = await client.find({ ...filter, not_country: 'no' }, { sort: 'price_glm' });
      assert.deepEqual(ids(found), [plain, sum]);
      const asked = { cpu: 1, memory: 1, storage: 1 };
      const estimates = found.map(({ pricing }) => monthlyEstimate(pricing, asked, 'glm')!);
      assert.deepEqual(estimates, [0.3, 0.1 + 0.2]);
      for (const [at, max] of estimates.entries()) {
        const within = await client.find({ ...filter, exclude: [abroad!], max_glm_per_month: max });
        assert.deepEqual(ids(within).sort(), ids(found.slice(0, at + 1)).sort());
      }
    });

    test('a filter is checked before anything is asked', async () => {
      await assert.rejects(client.find({ country: 'XX' }), { code: 'ADV_002', message: /country/ });
      await assert.rejects(client.find({ platform: 'a,b' }), { code: 'ADV_002', message: /comma/ });
      await assert.rejects(client.pages({}, { pageSize: 1001 }).next(), { code: 'ADV_002', status: 400 });
    });

    test('unusual values arrive as they are', async () => {
      const key = generateKey();
      const network = 'Göteborg & co + 100% #1?';
      await client.advertise(key, { ...ADVERTISEMENT, payments_network: network });
      assert.deepEqual(ids(await client.find({ payments_network: [network, 'other'] })), [key.publicKey]);
      assert.equal(await client.get('no/such?id'), null);
    });

    test('the health is told', async () => {
      assert.deepEqual(await client.health(), { status: 'healthy' });
    });
  });
}

test('a hub that is stopping is degraded, and says why', async () => {
  const hub = await TestHub.start();
  try {
    void hub.hub.gateway.drain(0);
    const health = await new DiscoveryClient(hub.url).health();
    assert.equal(health.status, 'degraded');
    assert.match(health.reason!, /stopping/);
  } finally {
    await hub.stop();
  }
});

test('too many requests are told with the time to wait', async () => {
  const hub = await TestHub.start({ RATE_LIMIT_PER_MINUTE: '2' });
  try {
    const client = new DiscoveryClient(hub.url);
    await client.find();
    await client.find();
    await assert.rejects(client.find(), (error: DiscoveryError) => {
      assert.equal(error.code, 'RATE_001');
      assert.equal(error.status, 429);
      assert.equal(error.retry, true);
      assert.ok(error.retryAfterSeconds! >= 1);
      return true;
    });
  } finally {
    await hub.stop();
  }
});

test('a clock that is off is refused as such', async () => {
  const hub = await TestHub.start();
  try {
    const client = new DiscoveryClient(hub.url, { scheduler: new FakeTime(Date.now() + 3_600_000) });
    await assert.rejects(client.advertise(generateKey(), ADVERTISEMENT), { code: 'AUTH_002', retry: false });
  } finally {
    await hub.stop();
  }
});

/** Something that answers HTTP and is not a hub. */
