import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertError,
  itemPath,
  LIST,
  listIds,
  onBothTransports,
  type PublishedAdvertisement,
  readAdvertisement,
} from '../../support/clients/http.js';
import { LOOKALIKES, TestKey } from '../../support/data/keys.js';
import { ADVERTISEMENT, type Answer, nextT, type TestHub } from '../../support/hubs/test-hub.js';

/** What a client of the first generation sends. */
function firstGeneration(hub: () => TestHub) {
  const headersOf = (id: string, signature: string): Record<string, string> => ({
    'Content-Type': 'application/json',
    'X-Provider-ID': id,
    'X-Provider-Signature': signature,
  });
  return {
    post: (id: string, signature = 'signature', advertisement: object = ADVERTISEMENT) =>
      hub().request<PublishedAdvertisement>('POST', LIST, {
        headers: headersOf(id, signature),
        body: JSON.stringify(advertisement),
      }),
    delete: (id: string, signature = 'signature'): Promise<Answer<unknown>> =>
      hub().request('DELETE', itemPath(id), { headers: headersOf(id, signature) }),
  };
}

const ETHEREUM = '0x52908400098527886E0F7030069857D2E4169EE7';

onBothTransports(
  'clients of the first generation, where they are accepted',
  { UNSIGNED: 'accept' },
  (hub) => {
    const old = firstGeneration(hub);

    test('a client that sends no true signature works as it always did', async () => {
      const posted = await old.post('provider-1');
      assert.equal(posted.status, 200);
      const { body } = posted;
      assert.equal(body.provider_id, 'provider-1');
      assert.equal(body.ip_address, '192.168.1.100');
      assert.equal(body.country, 'SE');
      assert.deepEqual(body.resources, { cpu: 4, memory: 8, storage: 40 });
      assert.equal(typeof body.created_at, 'string');
      assert.equal(typeof body.updated_at, 'string');
      assert.equal(body.verified, false);
      assert.deepEqual(await readAdvertisement(hub(), 'provider-1'), body);
      assert.deepEqual(await listIds(hub(), '?cpu=2&memory=4&storage=20&country=SE'), ['provider-1']);
      assert.ok(!(await listIds(hub(), '?verified=true')).includes('provider-1'), 'it was not signed');
      assert.deepEqual((await old.delete('provider-1')).body, { status: 'success' });
      assertError(await hub().get(itemPath('provider-1')), 404, 'ADV_004');
      assertError(await old.delete('provider-1'), 404, 'ADV_004');
    });

    test('one that posts every 240 s is never gone, and live throughout, for an hour', async () => {
      const { body: first } = await old.post('steady');
      for (let passed = 0; passed < 3_600_000; passed += 240_000) {
        for (let part = 0; part < 4; part += 1) {
          await hub().advance(60_000);
          assert.equal((await readAdvertisement(hub(), 'steady')).status, 'live');
          assert.ok((await listIds(hub(), '?status=live')).includes('steady'));
        }
        const { status, body } = await old.post('steady');
        assert.equal(status, 200);
        assert.equal(body.created_at, first.created_at);
      }
      await hub().advance(301_000);
      assertError(await hub().get(itemPath('steady')), 404, 'ADV_004');
    });

    test('whatever is not empty will do as a signature', async () => {
      for (const signature of ['x', '0', 'null', 'Bearer abc', 'a=b,c=d', '0x1234', 't=1', 'sig, nature']) {
        assert.equal((await old.post('anything', signature)).status, 200, signature);
      }
      for (const signature of ['', '  ']) assertError(await old.post('anything', signature), 401, 'AUTH_003');
      const without = await hub().request('POST', LIST, {
        headers: { 'X-Provider-ID': 'anything' },
        body: Buffer.from('{}'),
      });
      assertError(without, 401, 'AUTH_003');
    });

    test('all other rules hold for it too', async () => {
      assertError(await old.post('-malformed'), 401, 'AUTH_001');
      assertError(
        await old.post('ruled', 'x', { ...ADVERTISEMENT, country: 'XX' }),
        400,
        'ADV_001',
        /country/,
      );
      assertError(await old.post('ruled', 'x', { ...ADVERTISEMENT, resources: {} }), 400, 'ADV_002', /cpu/);
      assertError(await hub().get(itemPath('ruled')), 404, 'ADV_004');
    });

    test('a lookalike of a key id or an Ethereum address is refused here too', async () => {
      for (const id of LOOKALIKES) {
        assertError(await old.post(id), 401, 'AUTH_001', /provider id/);
        assertError(await old.delete(id), 401, 'AUTH_001', /provider id/);
      }
    });

    test('it works for Ethereum ids, whatever stands for their signature', async () => {
      const key = new TestKey();
      const signed = key.headers('advertise', ETHEREUM, nextT(hub().clock), JSON.stringify(ADVERTISEMENT));
      for (const signature of ['signature', `0x${'ab'.repeat(65)}`, signed['X-Provider-Signature']!]) {
        const posted = await old.post(ETHEREUM, signature);
        assert.equal(posted.status, 200, JSON.stringify(posted.body));
        assert.equal(posted.body.verified, false);
      }
      assert.equal((await readAdvertisement(hub(), ETHEREUM)).provider_id, ETHEREUM);
      assert.deepEqual((await old.delete(ETHEREUM)).body, { status: 'success' });
    });

    test('there is no proof of what nobody signed', async () => {
      await old.post('unproven');
      assertError(await hub().get(`${itemPath('unproven')}/proof`), 404, 'ADV_004', /not signed/);
    });

    test('it can never touch a name that a key owns', async () => {
      const owner = new TestKey();
      await hub().post(owner, 'owned');
      assertError(await old.post('owned'), 403, 'AUTH_004');
      assertError(await old.delete('owned'), 403, 'AUTH_004');
      assert.equal((await readAdvertisement(hub(), 'owned')).verified, true);
      await hub().delete(owner, 'owned');
      assertError(await old.post('owned'), 403, 'AUTH_004');
      const socket = await hub().session(new TestKey(), 'owned-by-session');
      assertError(await old.post('owned-by-session'), 403, 'AUTH_004');
      socket.close();
      await socket.closed;
    });

    test('it can never claim a key id, whether anybody uses it or not', async () => {
      const key = new TestKey();
      assertError(await old.post(key.publicKey), 403, 'AUTH_004');
      await hub().post(key);
      assertError(await old.post(key.publicKey), 403, 'AUTH_004');
      assertError(await old.delete(key.publicKey), 403, 'AUTH_004');
      assert.equal((await readAdvertisement(hub(), key.publicKey)).verified, true);
    });

    test('a signed request takes a free name over, for good', async () => {
      const { body: before } = await old.post('upgraded');
      await hub().advance(1000);
      const owner = new TestKey();
      const taken = await hub().post<PublishedAdvertisement>(owner, 'upgraded');
      assert.equal(taken.status, 200);
      assert.equal(taken.body.verified, true);
      assert.equal(taken.body.created_at, before.created_at);
      assert.equal((await hub().get(`${itemPath('upgraded')}/proof`)).status, 200);
      assertError(await old.post('upgraded'), 403, 'AUTH_004');
      assertError(await old.delete('upgraded'), 403, 'AUTH_004');
    });

    test('signed requests are verified as everywhere', async () => {
      const key = new TestKey();
      const posted = await hub().post<PublishedAdvertisement>(key);
      assert.equal(posted.body.verified, true);
      assertError(
        await hub().post(key, key.publicKey, ADVERTISEMENT, hub().clock.wall() - 400_000),
        401,
        'AUTH_002',
      );
      const t = String(nextT(hub().clock));
      const forged = `t=${t},k=${key.publicKey},v1=${'ab'.repeat(64)}`;
      assertError(await old.post(key.publicKey, forged), 401, 'AUTH_001');
    });
  },
);

onBothTransports('clients of the first generation, where they are not accepted', {}, (hub) => {
  const old = firstGeneration(hub);

  test('they are refused with what to send instead', async () => {
    assertError(await old.post('provider-1'), 401, 'AUTH_001', /t=.*k=.*v1=/);
    assertError(await old.post(ETHEREUM), 401, 'AUTH_001');
    assertError(await old.post(new TestKey().publicKey), 401, 'AUTH_001');
    assertError(await old.delete('provider-1'), 401, 'AUTH_001');
    assert.deepEqual(await listIds(hub()), []);
  });
});
