import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  assertError,
  ISO_TIME,
  itemPath,
  LIST,
  listIds,
  onBothTransports,
  type PublishedAdvertisement,
  readAdvertisement,
} from '../../support/clients/http.js';
import { TestKey } from '../../support/data/keys.js';
import { ADVERTISEMENT, nextT, TestHub, TRANSPORTS } from '../../support/hubs/test-hub.js';

const EVERYTHING = {
  ip_address: '2001:db8::7',
  country: 'no',
  resources: { cpu: 64, memory: 512, storage: 4000, gpu: 2, gpu_memory: 80 },
  platform: 'arm64',
  pricing: {
    usd_per_core_month: 3.5,
    usd_per_gb_ram_month: 0.75,
    usd_per_gb_storage_month: 0,
    glm_per_core_month: 1e-7,
    glm_per_gb_ram_month: 12,
    glm_per_gb_storage_month: 0.000001,
    currency_note: 'monthly ⚡ net of VAT',
    discount: -0.25,
  },
  name: 'Göteborg ⚡ "one" \\ <b>',
  payments_network: 'polygon',
};

onBothTransports('publishing an advertisement', {}, (hub) => {
  const now = (): string => new Date(hub().clock.wall()).toISOString();
  const publish = async (
    key: TestKey,
    advertisement: object | string = ADVERTISEMENT,
    providerId = key.publicKey,
  ): Promise<PublishedAdvertisement> => {
    const answer = await hub().post<PublishedAdvertisement>(key, providerId, advertisement);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body;
  };

  test('the answer holds what was sent, null for what was not, and what the hub adds', async () => {
    const key = new TestKey();
    const answer = await hub().post(key);
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get('content-type') ?? '', /^application\/json\b/);
    assert.deepEqual(answer.body, {
      provider_id: key.publicKey,
      ...ADVERTISEMENT,
      platform: null,
      pricing: null,
      name: null,
      provider_name: null,
      payments_network: null,
      attributes: null,
      endpoint: null,
      created_at: now(),
      updated_at: now(),
      status: 'live',
      expires_at: new Date(hub().clock.wall() + 300_000).toISOString(),
      verified: true,
      ip_confirmed: false,
    });
  });

  test('everything that may be sent comes back, the country in upper case', async () => {
    const key = new TestKey();
    const published = await publish(key, EVERYTHING);
    for (const [member, value] of Object.entries({ ...EVERYTHING, country: 'NO' })) {
      assert.deepEqual(published[member as keyof PublishedAdvertisement], value, member);
    }
    assert.equal(published.provider_name, EVERYTHING.name);
    assert.deepEqual(await readAdvertisement(hub(), key.publicKey), published);
  });

  test('times are ISO 8601 UTC with milliseconds', async () => {
    const published = await publish(new TestKey());
    for (const time of [published.created_at, published.updated_at, published.expires_at]) {
      assert.match(time, ISO_TIME);
    }
  });

  test('the order of members does not matter', async () => {
    const reversed = (value: unknown): unknown =>
      typeof value === 'object' && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([name, member]) => [name, reversed(member)]),
          )
        : value;
    const straight = await publish(new TestKey(), EVERYTHING);
    const turned = await publish(new TestKey(), reversed(EVERYTHING) as object);
    assert.deepEqual({ ...turned, provider_id: '' }, { ...straight, provider_id: '' });
  });

  test('unknown members are dropped, even those that the hub itself adds', async () => {
    const key = new TestKey();
    const published = await publish(key, {
      ...ADVERTISEMENT,
      later: { nested: [1, 2, { three: 3 }] },
      provider_id: 'somebody-else',
      verified: false,
      status: 'suspect',
      created_at: '1999-01-01T00:00:00.000Z',
    });
    assert.equal(published.provider_id, key.publicKey);
    assert.equal(published.verified, true);
    assert.equal(published.status, 'live');
    assert.equal(published.created_at, now());
    assert.ok(!('later' in published));
  });

  test('null stands for an optional member that is not given', async () => {
    const without = await publish(new TestKey());
    const withNull = await publish(new TestKey(), {
      ...ADVERTISEMENT,
      platform: null,
      pricing: null,
      name: null,
      payments_network: null,
    });
    assert.deepEqual({ ...withNull, provider_id: '' }, { ...without, provider_id: '' });
  });

  test('an update keeps created_at and moves updated_at and expires_at', async () => {
    const key = new TestKey();
    const first = await publish(key);
    await hub().advance(10_000);
    const second = await publish(key);
    assert.equal(second.created_at, first.created_at);
    assert.equal(Date.parse(second.updated_at) - Date.parse(first.updated_at), 10_000);
    assert.equal(Date.parse(second.expires_at) - Date.parse(second.updated_at), 300_000);
    assert.deepEqual(await readAdvertisement(hub(), key.publicKey), second);
  });

  test('an update replaces everything: what it leaves out is null again', async () => {
    const key = new TestKey();
    await publish(key, EVERYTHING);
    const second = await publish(key);
    assert.deepEqual(second.resources, ADVERTISEMENT.resources);
    assert.equal(second.pricing, null);
    assert.equal(second.name, null);
    assert.equal(second.platform, null);
    assert.equal(second.payments_network, null);
  });

  test('a refused update leaves the advertisement as it was', async () => {
    const key = new TestKey();
    const first = await publish(key);
    await hub().advance(1000);
    const refused = await hub().post(key, key.publicKey, { ...ADVERTISEMENT, country: 'XX' });
    assertError(refused, 400, 'ADV_001', /country/);
    assert.deepEqual(await readAdvertisement(hub(), key.publicKey), first);
  });

  test('created_at is new after a withdrawal', async () => {
    const key = new TestKey();
    const first = await publish(key);
    assert.equal((await hub().delete(key)).status, 200);
    await hub().advance(5000);
    const second = await publish(key);
    assert.equal(Date.parse(second.created_at) - Date.parse(first.created_at), 5000);
  });

  test('what was answered is in every answer that follows', async () => {
    const key = new TestKey();
    for (let cpu = 1; cpu <= 20; cpu += 1) {
      const published = await publish(key, { ...ADVERTISEMENT, resources: { cpu, memory: 1, storage: 1 } });
      assert.equal(published.resources.cpu, cpu);
      assert.deepEqual(await readAdvertisement(hub(), key.publicKey), published);
      const { body } = await hub().get<PublishedAdvertisement[]>(LIST);
      assert.deepEqual(
        body.find(({ provider_id }) => provider_id === key.publicKey),
        published,
      );
    }
  });

  test('of posts that overtake each other the one signed last wins', async () => {
    const key = new TestKey();
    const attempts = Array.from({ length: 20 }, (_, index) => ({ cpu: index + 1, t: nextT(hub().clock) }));
    const answers = await Promise.all(
      attempts.map(({ cpu, t }) =>
        hub().post(key, key.publicKey, { ...ADVERTISEMENT, resources: { cpu, memory: 1, storage: 1 } }, t),
      ),
    );
    for (const answer of answers) if (answer.status !== 200) assertError(answer, 401, 'AUTH_002');
    assert.equal(answers.at(-1)!.status, 200);
    assert.equal((await readAdvertisement(hub(), key.publicKey)).resources.cpu, 20);
  });

  test('numbers are read as JSON means them', async () => {
    const key = new TestKey();
    const text =
      '{"ip_address":"192.0.2.1","country":"SE","resources":{"cpu":4.0,"memory":8e0,"storage":4E+1,"gpu":-0},' +
      '"pricing":{"usd_per_core_month":0.1e1,"usd_per_gb_ram_month":-0}}';
    const published = await publish(key, text);
    assert.deepEqual(published.resources, { cpu: 4, memory: 8, storage: 40, gpu: 0 });
    assert.deepEqual(published.pricing, { usd_per_core_month: 1, usd_per_gb_ram_month: 0 });
  });
});

onBothTransports('expiry', {}, (hub) => {
  test('an advertisement is gone from every answer 300 s after its last heartbeat, to within a second', async () => {
    const key = new TestKey();
    await hub().post(key, 'expiring');
    await hub().advance(299_000);
    assert.equal((await readAdvertisement(hub(), 'expiring')).status, 'live');
    assert.deepEqual(await listIds(hub()), ['expiring']);
    assert.equal((await hub().get(`${itemPath('expiring')}/proof`)).status, 200);
    await hub().advance(2000);
    assertError(await hub().get(itemPath('expiring')), 404, 'ADV_004');
    assertError(await hub().get(`${itemPath('expiring')}/proof`), 404, 'ADV_004');
    assert.deepEqual(await listIds(hub()), []);
    assertError(await hub().delete(key, 'expiring'), 404, 'ADV_004');
  });

  test('a post in time extends it by the whole 300 s, and created_at is new after expiry', async () => {
    const key = new TestKey();
    const { body: first } = await hub().post<PublishedAdvertisement>(key, 'extended');
    await hub().advance(295_000);
    await hub().post(key, 'extended');
    await hub().advance(295_000);
    const kept = await readAdvertisement(hub(), 'extended');
    assert.equal(kept.created_at, first.created_at);
    assert.equal(kept.status, 'live', 'without a session nobody is suspect');
    await hub().advance(6000);
    assertError(await hub().get(itemPath('extended')), 404, 'ADV_004');
    const { body: again } = await hub().post<PublishedAdvertisement>(key, 'extended');
    assert.equal(again.created_at, new Date(hub().clock.wall()).toISOString());
  });

  test('a wall clock that jumps expires nobody and saves nobody', async () => {
    const key = new TestKey();
    await hub().post(key, 'jumped');
    hub().clock.jump(3_600_000);
    await hub().advance(2000);
    assert.equal((await hub().get(itemPath('jumped'))).status, 200);
    hub().clock.jump(-7_200_000);
    await hub().advance(290_000);
    assert.equal((await hub().get(itemPath('jumped'))).status, 200);
    await hub().advance(10_000);
    assertError(await hub().get(itemPath('jumped')), 404, 'ADV_004');
    hub().clock.jump(3_600_000);
  });
});

describe('another time to live', () => {
  for (const transport of TRANSPORTS) {
    test(`DISCOVERY_ADVERTISEMENT_EXPIRY_SECONDS sets expires_at and the moment it goes (${transport})`, async () => {
      const hub = await TestHub.start({ TRANSPORT: transport, ADVERTISEMENT_EXPIRY_SECONDS: '7' });
      try {
        const key = new TestKey();
        const { body } = await hub.post<PublishedAdvertisement>(key);
        assert.equal(Date.parse(body.expires_at) - Date.parse(body.updated_at), 7000);
        await hub.advance(6000);
        assert.equal((await hub.get(itemPath(key.publicKey))).status, 200);
        await hub.advance(2000);
        assert.equal((await hub.get(itemPath(key.publicKey))).status, 404);
      } finally {
        await hub.stop();
      }
    });
  }
});
