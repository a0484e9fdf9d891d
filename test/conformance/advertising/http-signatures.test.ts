import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertError, Line, LIST, onBothTransports, readAdvertisement } from '../../support/clients/http.js';
import { FakeClock } from '../../support/fake-clock.js';
import { TestKey } from '../../support/data/keys.js';
import { ADVERTISEMENT, type Answer, nextT, TestHub, TRANSPORTS } from '../../support/hubs/test-hub.js';

const BODY = JSON.stringify(ADVERTISEMENT);

onBothTransports('signatures of requests', {}, (hub) => {
  const line = new Line(hub);
  const send = (headers: Record<string, string>, body = BODY): Promise<Answer<unknown>> =>
    line.request('POST', LIST, headers, body);
  const sendSignature = (providerId: string, signature: string): Promise<Answer<unknown>> =>
    send({ 'X-Provider-ID': providerId, 'X-Provider-Signature': signature });

  test('both headers are needed, and empty counts as missing', async () => {
    const complete = new TestKey().headers('advertise', 'someone', nextT(hub().clock), BODY);
    for (const name of ['X-Provider-ID', 'X-Provider-Signature']) {
      const { [name]: _, ...rest } = complete;
      for (const headers of [rest, { ...rest, [name]: '' }, { ...rest, [name]: '   ' }]) {
        assertError(await send(headers), 401, 'AUTH_003', new RegExp(name));
      }
    }
    assertError(await send({}), 401, 'AUTH_003');
  });

  test('k may be left out for a key id, and only there', async () => {
    const key = new TestKey();
    const t = nextT(hub().clock);
    const unnamed = (id: string): string => `t=${String(t)},v1=${key.sign('advertise', id, t, BODY)}`;
    assert.equal((await sendSignature(key.publicKey, unnamed(key.publicKey))).status, 200);
    assertError(await sendSignature('a-name', unnamed('a-name')), 401, 'AUTH_001', /public key/);
  });

  test('a header that is not the written form is malformed', async () => {
    const key = new TestKey();
    const t = String(nextT(hub().clock));
    const v1 = key.sign('advertise', key.publicKey, Number(t), BODY);
    const k = key.publicKey;
    const malformed = [
      'signature',
      v1,
      `t=${t}`,
      `k=${k},v1=${v1}`,
      `t=${t},k=${k}`,
      `t=${t},k=${k},v1=`,
      `t=${t},k=,v1=${v1}`,
      `t=,k=${k},v1=${v1}`,
      `t=${t},k=${k},v1=${v1.toUpperCase()}`,
      `t=${t},k=${k.toUpperCase()},v1=${v1}`,
      `t=${t},k=${k},v1=${v1.slice(2)}`,
      `t=${t},k=${k},v1=${v1}00`,
      `t=${t},k=${k.slice(2)},v1=${v1}`,
      `t=${t},k=${k}00,v1=${v1}`,
      `t=${t},k=0x${k},v1=${v1}`,
      `t=${t},k=${k},v2=${v1}`,
      `t=${t},k=${k},v1=${v1},v2=${v1}`,
      `t=${t},t=${t},k=${k},v1=${v1}`,
      `t=${t},k=${k},k=${k},v1=${v1}`,
      `t=${t},k=${k},v1=${v1},v1=${v1}`,
      `T=${t},K=${k},V1=${v1}`,
      `t=${t};k=${k};v1=${v1}`,
      `t=${t},k=${k},v1=${v1},`,
      `t=-${t},k=${k},v1=${v1}`,
      `t=+${t},k=${k},v1=${v1}`,
      `t=0${t},k=${k},v1=${v1}`,
      `t=${t}.0,k=${k},v1=${v1}`,
      `t=1.7e12,k=${k},v1=${v1}`,
      `t=0x18d,k=${k},v1=${v1}`,
      `t=99999999999999999999,k=${k},v1=${v1}`,
      `t=9007199254740993,k=${k},v1=${v1}`,
      `t="${t}",k="${k}",v1="${v1}"`,
      `t=${t},k=${k},v1=${v1} garbage`,
      `t=${t},k=${k},v1=${v1}${',x=1'.repeat(200)}`,
    ];
    for (const signature of malformed) {
      const answer = await sendSignature(key.publicKey, signature);
      assertError(answer, 401, 'AUTH_001');
    }
    assert.equal((await sendSignature(key.publicKey, `t=${t},k=${k},v1=${v1}`)).status, 200);
  });

  test('an id that is none is malformed, however well it is signed', async () => {
    const key = new TestKey();
    const ids = ['-a', '.a', '_a', ':a', 'a b', 'a/b', 'a,b', 'a@b', 'a\tb', 'a\u00e9b', 'x'.repeat(129)];
    for (const id of ids) {
      const answer = await send(key.headers('advertise', id, nextT(hub().clock), BODY));
      assertError(answer, 401, 'AUTH_001', /provider id/);
    }
  });

  test('ids may have up to 128 characters, of all that are allowed', async () => {
    const key = new TestKey();
    for (const id of [
      '7',
      'a',
      'Z._:-',
      'x'.repeat(128),
      'f'.repeat(63),
      'f'.repeat(65),
      `0x${'a'.repeat(39)}`,
    ]) {
      assert.equal((await hub().post(key, id)).status, 200, id);
      assert.equal((await readAdvertisement(hub(), id)).provider_id, id);
    }
  });

  test('a signature of anything else than this request is invalid', async () => {
    const key = new TestKey();
    const id = key.publicKey;
    const t = nextT(hub().clock);
    const headerOf = (v1: string): string => `t=${String(t)},k=${id},v1=${v1}`;
    const good = key.sign('advertise', id, t, BODY);
    const others: Record<string, string> = {
      'another action': key.sign('withdraw', id, t, BODY),
      'a session': key.sign('session', id, t, BODY),
      'another id': key.sign('advertise', 'another', t, BODY),
      'another time': key.sign('advertise', id, t + 1, BODY),
      'another body': key.sign('advertise', id, t, `${BODY} `),
      'no body': key.sign('advertise', id, t, ''),
      'another key': new TestKey().sign('advertise', id, t, BODY),
      'its last bit changed': good.slice(0, -1) + (Number.parseInt(good.at(-1)!, 16) ^ 1).toString(16),
      zeroes: '0'.repeat(128),
    };
    for (const [what, signature] of Object.entries(others)) {
      const answer = await sendSignature(id, headerOf(signature));
      assertError(answer, 401, 'AUTH_001');
      assert.equal((answer.body as { code: string }).code, 'AUTH_001', what);
    }
    assert.equal((await sendSignature(id, headerOf(good))).status, 200);
  });

  test('a signature in which S is not below the group order is invalid', async () => {
    const key = new TestKey();
    const t = nextT(hub().clock);
    const good = key.sign('advertise', key.publicKey, t, BODY);
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const s = BigInt(`0x${Buffer.from(good.slice(64), 'hex').reverse().toString('hex')}`) + order;
    const malleated = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse().toString('hex');
    const header = (signature: string): string => `t=${String(t)},k=${key.publicKey},v1=${signature}`;
    assertError(await sendSignature(key.publicKey, header(good.slice(0, 64) + malleated)), 401, 'AUTH_001');
    assert.equal((await sendSignature(key.publicKey, header(good))).status, 200);
  });

  test('a key of small order, for which anybody can make signatures, owns nothing', async () => {
    const keys = [
      `01${'00'.repeat(31)}`,
      '00'.repeat(32),
      `${'00'.repeat(31)}80`,
      `ec${'ff'.repeat(30)}7f`,
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
      'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
      'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
      // The same points, and y = p, written in ways that are not canonical.
      `ee${'ff'.repeat(30)}7f`,
      `ed${'ff'.repeat(30)}7f`,
      `01${'00'.repeat(30)}80`,
      `ec${'ff'.repeat(31)}`,
      'ff'.repeat(32),
    ];
    for (const publicKey of keys) {
      const t = nextT(hub().clock);
      for (const signature of [`${publicKey}${'00'.repeat(32)}`, `01${'00'.repeat(63)}`, '00'.repeat(64)]) {
        const header = `t=${String(t)},k=${publicKey},v1=${signature}`;
        assertError(await sendSignature(publicKey, header), 401, 'AUTH_001');
        assertError(await sendSignature(publicKey, `t=${String(t)},v1=${signature}`), 401, 'AUTH_001');
        assertError(await sendSignature('small-order', header), 401, 'AUTH_001');
      }
    }
    assert.equal(
      (await hub().post(new TestKey(), 'small-order')).status,
      200,
      'the name was bound to none of them',
    );
  });

  test('t may differ from the clock of the hub by 300 s, and not by more', async () => {
    const wall = hub().clock.wall();
    for (const skew of [-300_000, -299_999, 299_999, 300_000]) {
      const key = new TestKey();
      assert.equal(
        (await hub().post(key, key.publicKey, ADVERTISEMENT, wall + skew)).status,
        200,
        String(skew),
      );
    }
    for (const skew of [-300_001, 300_001, -wall, 86_400_000]) {
      const key = new TestKey();
      const answer = await hub().post(key, key.publicKey, ADVERTISEMENT, wall + skew);
      assertError(answer, 401, 'AUTH_002', skew < 0 ? /before/ : /after/);
      assertError(await hub().delete(key, key.publicKey, wall + skew), 401, 'AUTH_002');
    }
  });

  test('the checks come in the order of the contract', async () => {
    const owner = new TestKey();
    const wall = hub().clock.wall();
    const used = nextT(hub().clock);
    assert.equal((await hub().post(owner, 'ordered', ADVERTISEMENT, used)).status, 200);
    const other = new TestKey();
    const stale = wall - 400_000;
    const wrong = 'ab'.repeat(64);

    // Missing comes before malformed.
    assertError(await send({ 'X-Provider-Signature': 'malformed' }), 401, 'AUTH_003');
    assertError(await send({ 'X-Provider-ID': '-malformed' }), 401, 'AUTH_003');
    // Malformed before stale.
    const staleHeader = `t=${String(stale)},k=${other.publicKey},v1=${wrong}`;
    assertError(await sendSignature('-malformed', staleHeader), 401, 'AUTH_001');
    assertError(await sendSignature('ordered', `${staleHeader}0`), 401, 'AUTH_001');
    // Stale before invalid.
    assertError(await sendSignature('ordered', staleHeader), 401, 'AUTH_002');
    // Invalid before the wrong key.
    assertError(
      await sendSignature('ordered', `t=${String(used)},k=${other.publicKey},v1=${wrong}`),
      401,
      'AUTH_001',
    );
    // The wrong key before replayed.
    assertError(await hub().post(other, 'ordered', ADVERTISEMENT, used), 403, 'AUTH_004');
    // All of that before the body is looked at.
    assertError(await hub().post(owner, 'ordered', '{"broken', used), 401, 'AUTH_002');
    assertError(await hub().post(other, 'ordered', '{"broken'), 403, 'AUTH_004');
    assertError(await hub().post(owner, 'ordered', '{"broken'), 400, 'HTTP_400');
  });

  test('a key id is its own key: another one that signs for it is refused', async () => {
    const key = new TestKey();
    const thief = new TestKey();
    assertError(await hub().post(thief, key.publicKey), 403, 'AUTH_004');
    assert.equal((await hub().post(key)).status, 200);
    assertError(await hub().post(thief, key.publicKey), 403, 'AUTH_004');
    assertError(await hub().delete(thief, key.publicKey), 403, 'AUTH_004');
  });
});

describe('worked examples of an independent implementation', () => {
  const seed = 'f3dbabdc2f2cec5cd9e052262bd8d0aaad7d96896f3e5da5def6c03e2d777c98';
  const k = '47325814203051aca62915a63d05e161495777c6b424ffa5326ab0e96a2ab52c';
  const t = 1740063600000;
  const advertise =
    'a37c8bf506da57668a2944c00f5d6feb825d4bce3a68106bc2796fbeb2ec7c068ceb78b4af2086e2853ac7ccae679617170f130f99803d6e4989b0b52810ab0f';
  const withdraw =
    'b06acd7169dd4e6505ff82815e6a05d4717cd66e2fd43120333a9b039f928069c6f3af7091d0e3be98914993d06af4aca3fb41329941f6ce7abbb29d1786f309';

  for (const transport of TRANSPORTS) {
    test(`they are accepted as they stand (${transport})`, async () => {
      const hub = await TestHub.start({ TRANSPORT: transport }, { clock: new FakeClock(t) });
      try {
        const key = TestKey.fromSeed(seed);
        assert.equal(key.publicKey, k);
        assert.equal(key.sign('advertise', 'provider-1', t, BODY), advertise);
        const posted = await hub.request('POST', LIST, {
          headers: {
            'Content-Type': 'application/json',
            'X-Provider-ID': 'provider-1',
            'X-Provider-Signature': `t=${String(t)},k=${k},v1=${advertise}`,
          },
          body: '{"ip_address":"192.168.1.100","country":"SE","resources":{"cpu":4,"memory":8,"storage":40}}',
        });
        assert.equal(posted.status, 200, JSON.stringify(posted.body));
        const removed = await hub.request('DELETE', `${LIST}/provider-1`, {
          headers: {
            'X-Provider-ID': 'provider-1',
            'X-Provider-Signature': `t=${String(t + 2)},k=${k},v1=${withdraw}`,
          },
        });
        assert.deepEqual(removed.body, { status: 'success' });
      } finally {
        await hub.stop();
      }
    });
  }
});
