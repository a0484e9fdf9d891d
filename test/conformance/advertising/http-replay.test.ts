import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertError, LIST, onBothTransports, readAdvertisement } from '../../support/clients/http.js';
import { TestKey } from '../../support/data/keys.js';
import { ADVERTISEMENT, nextT } from '../../support/hubs/test-hub.js';

onBothTransports('replays', {}, (hub) => {
  test('the same request is accepted once', async () => {
    const key = new TestKey();
    const t = nextT(hub().clock);
    const body = JSON.stringify(ADVERTISEMENT);
    const request = {
      headers: { 'Content-Type': 'application/json', ...key.headers('advertise', 'once', t, body) },
      body,
    };
    assert.equal((await hub().request('POST', LIST, request)).status, 200);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      assertError(await hub().request('POST', LIST, request), 401, 'AUTH_002', /t=\d+/);
    }
  });

  test('t has to grow, whatever else is different', async () => {
    const key = new TestKey();
    const wall = hub().clock.wall();
    assert.equal((await hub().post(key, key.publicKey, ADVERTISEMENT, wall + 5000)).status, 200);
    const other = { ...ADVERTISEMENT, country: 'NO' };
    for (const [t, wait] of [
      [wall + 5000, '1'],
      [wall + 4999, '1'],
      [wall, '6'],
      [wall - 299_000, '305'],
    ] as const) {
      const answer = await hub().post(key, key.publicKey, other, t);
      assertError(answer, 401, 'AUTH_002', new RegExp(` ${wait} s$`));
      // So long does the clock of a provider that was set back need until it gets past the last t.
      assert.equal(answer.headers.get('retry-after'), wait);
      assertError(await hub().delete(key, key.publicKey, t), 401, 'AUTH_002');
    }
    assert.equal((await readAdvertisement(hub(), key.publicKey)).country, 'SE');
    assert.equal((await hub().post(key, key.publicKey, other, wall + 5001)).status, 200);
  });

  test('t is remembered across a withdrawal, in both directions', async () => {
    const key = new TestKey();
    const first = nextT(hub().clock);
    const second = nextT(hub().clock);
    await hub().post(key, 'remembered', ADVERTISEMENT, first);
    assertError(await hub().delete(key, 'remembered', first), 401, 'AUTH_002');
    assert.equal((await hub().delete(key, 'remembered', second)).status, 200);
    assertError(await hub().post(key, 'remembered', ADVERTISEMENT, first), 401, 'AUTH_002');
    assertError(await hub().post(key, 'remembered', ADVERTISEMENT, second), 401, 'AUTH_002');
    assertError(await hub().delete(key, 'remembered', second), 401, 'AUTH_002');
    assert.equal((await hub().post(key, 'remembered', ADVERTISEMENT, second + 1)).status, 200);
  });

  test('a withdrawal that comes too early counts all the same, so that nobody can keep it for later', async () => {
    const key = new TestKey();
    const t = nextT(hub().clock);
    assertError(await hub().delete(key, 'early', t), 404, 'ADV_004');
    await hub().post(key, 'early');
    assertError(await hub().delete(key, 'early', t), 401, 'AUTH_002');
    assert.equal((await readAdvertisement(hub(), 'early')).provider_id, 'early');
  });

  test('t is remembered across expiry', async () => {
    const key = new TestKey();
    const t = hub().clock.wall() + 290_000;
    assert.equal((await hub().post(key, 'gone', ADVERTISEMENT, t)).status, 200);
    await hub().advance(302_000);
    assertError(await hub().get(`${LIST}/gone`), 404, 'ADV_004');
    assertError(await hub().post(key, 'gone', ADVERTISEMENT, t), 401, 'AUTH_002');
    assert.equal((await hub().post(key, 'gone')).status, 200);
  });

  test('each provider id has its own t, also where one key has many', async () => {
    const key = new TestKey();
    const t = nextT(hub().clock);
    for (const id of ['one', 'two', key.publicKey]) {
      assert.equal((await hub().post(key, id, ADVERTISEMENT, t)).status, 200, id);
    }
  });

  test('what was not accepted uses no time up', async () => {
    const key = new TestKey();
    const t = nextT(hub().clock);
    const soon = t + 60_000;
    const forged = await hub().request('POST', LIST, {
      headers: {
        'X-Provider-ID': key.publicKey,
        'X-Provider-Signature': `t=${String(soon)},v1=${'ab'.repeat(64)}`,
      },
      body: Buffer.from(JSON.stringify(ADVERTISEMENT)),
    });
    assertError(forged, 401, 'AUTH_001');
    assertError(await hub().post(new TestKey(), key.publicKey, ADVERTISEMENT, soon), 403, 'AUTH_004');
    assertError(
      await hub().post(key, key.publicKey, { ...ADVERTISEMENT, country: 'XX' }, soon),
      400,
      'ADV_001',
    );
    assert.equal((await hub().post(key, key.publicKey, ADVERTISEMENT, t)).status, 200);
  });

  test('a signature of a session is no request, and its t counts for nothing here', async () => {
    const key = new TestKey();
    const early = nextT(hub().clock);
    const socket = await hub().session(key, 'with-session');
    assert.equal((await hub().post(key, 'with-session', ADVERTISEMENT, early)).status, 200);
    socket.close();
    await socket.closed;
  });
});
