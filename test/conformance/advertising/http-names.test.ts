import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  assertError,
  itemPath,
  LIST,
  onBothTransports,
  type PublishedAdvertisement,
} from '../../support/clients/http.js';
import { LOOKALIKES, TestKey } from '../../support/data/keys.js';
import { ADVERTISEMENT, nextT, TestHub, TRANSPORTS } from '../../support/hubs/test-hub.js';

const DAY_MS = 24 * 3_600_000;

onBothTransports('names', {}, (hub) => {
  test('the first valid signature binds a name to its key', async () => {
    const owner = new TestKey();
    assert.equal((await hub().post(owner, 'bound')).status, 200);
    const other = new TestKey();
    assertError(await hub().post(other, 'bound'), 403, 'AUTH_004', /bound/);
    assertError(await hub().delete(other, 'bound'), 403, 'AUTH_004');
    assert.equal((await hub().post(owner, 'bound')).status, 200);
  });

  test('an invalid signature binds nothing', async () => {
    const thief = new TestKey();
    const t = nextT(hub().clock);
    const forged = await hub().request('POST', LIST, {
      headers: {
        'X-Provider-ID': 'unbound',
        'X-Provider-Signature': `t=${String(t)},k=${thief.publicKey},v1=${'ab'.repeat(64)}`,
      },
      body: Buffer.from(JSON.stringify(ADVERTISEMENT)),
    });
    assertError(forged, 401, 'AUTH_001');
    assert.equal((await hub().post(new TestKey(), 'unbound')).status, 200);
  });

  test('the binding outlives a withdrawal and expiry', async () => {
    const owner = new TestKey();
    await hub().post(owner, 'outliving');
    await hub().delete(owner, 'outliving');
    assertError(await hub().post(new TestKey(), 'outliving'), 403, 'AUTH_004');
    await hub().post(owner, 'outliving');
    await hub().advance(302_000);
    assertError(await hub().get(itemPath('outliving')), 404, 'ADV_004');
    assertError(await hub().post(new TestKey(), 'outliving'), 403, 'AUTH_004');
    assert.equal((await hub().post(owner, 'outliving')).status, 200);
  });

  test('a session binds a name as well', async () => {
    const owner = new TestKey();
    const socket = await hub().session(owner, 'by-session');
    assertError(await hub().post(new TestKey(), 'by-session'), 403, 'AUTH_004');
    assert.equal((await hub().post(owner, 'by-session')).status, 200);
    socket.close();
    await socket.closed;
  });

  test('of two keys that come at once one gets the name', async () => {
    const keys = Array.from({ length: 10 }, () => new TestKey());
    const answers = await Promise.all(keys.map((key) => hub().post(key, 'contested')));
    const winners = keys.filter((_, index) => answers[index]!.status === 200);
    assert.equal(winners.length, 1);
    for (const answer of answers) if (answer.status !== 200) assertError(answer, 403, 'AUTH_004');
    const { body } = await hub().get<{ public_key: string }>(`${itemPath('contested')}/proof`);
    assert.equal(body.public_key, winners[0]!.publicKey);
  });

  test('one key may have many names beside its own id', async () => {
    const key = new TestKey();
    for (const id of ['first-name', 'second-name', key.publicKey]) {
      assert.equal((await hub().post(key, id)).status, 200);
    }
    assertError(await hub().post(new TestKey(), 'second-name'), 403, 'AUTH_004');
  });

  test('ids of Ethereum addresses are refused, and the message says why', async () => {
    const key = new TestKey();
    for (const id of [
      `0x${'a'.repeat(40)}`,
      `0x${'A'.repeat(40)}`,
      '0x52908400098527886E0F7030069857D2E4169EE7',
    ]) {
      assertError(await hub().post(key, id), 401, 'AUTH_001', /Ethereum/);
      assertError(await hub().delete(key, id), 401, 'AUTH_001', /Ethereum/);
      assertError(await hub().get(itemPath(id)), 404, 'ADV_004');
    }
  });

  test('a lookalike of a key id or an Ethereum address is no name: it was bound to whoever signed first', async () => {
    const key = new TestKey();
    for (const id of [...LOOKALIKES, key.publicKey.replace(/[a-f]/, (digit) => digit.toUpperCase())]) {
      assertError(await hub().post(key, id), 401, 'AUTH_001', /provider id/);
      assertError(await hub().delete(key, id), 401, 'AUTH_001', /provider id/);
      assertError(await hub().get(itemPath(id)), 404, 'ADV_004');
    }
  });

  test('what only looks like an Ethereum address from afar is a name', async () => {
    const key = new TestKey();
    for (const id of [
      `0x${'a'.repeat(39)}`,
      `0x${'a'.repeat(41)}`,
      `0x${'g'.repeat(40)}`,
      'a'.repeat(40),
      '0x',
    ]) {
      assert.equal((await hub().post(key, id)).status, 200, id);
    }
  });
});

describe('names that nobody uses any more', () => {
  for (const transport of TRANSPORTS) {
    test(`a binding lapses after 30 days without a heartbeat, and not before (${transport})`, async () => {
      const hub = await TestHub.start({ TRANSPORT: transport });
      // Signing times of their own: `nextT` would carry those days over to the next hub.
      let offset = 0;
      const t = (): number => hub.clock.wall() + (offset += 1);
      const post = (key: TestKey, id: string) =>
        hub.post<PublishedAdvertisement>(key, id, ADVERTISEMENT, t());
      try {
        const owner = new TestKey();
        const other = new TestKey();
        for (const id of ['withdrawn', 'expired', 'renewed'])
          assert.equal((await post(owner, id)).status, 200);
        assert.equal((await hub.delete(owner, 'withdrawn', t())).status, 200);
        await hub.advance(302_000);
        assertError(await hub.get(itemPath('expired')), 404, 'ADV_004');

        hub.clock.advance(20 * DAY_MS);
        assert.equal((await post(owner, 'renewed')).status, 200);
        assertError(await hub.delete(other, 'withdrawn', t()), 403, 'AUTH_004');
        await hub.advance(302_000);

        hub.clock.advance(10 * DAY_MS - 3_600_000);
        for (const id of ['withdrawn', 'expired', 'renewed']) {
          assertError(await post(other, id), 403, 'AUTH_004');
        }
        hub.clock.advance(2 * 3_600_000);
        // The hub also cleans up from time to time.
        await hub.advance(120_000);
        assert.equal((await post(other, 'withdrawn')).status, 200);
        assert.equal((await post(other, 'expired')).status, 200);
        assertError(await post(other, 'renewed'), 403, 'AUTH_004');
        assertError(await post(owner, 'withdrawn'), 403, 'AUTH_004');
        assertError(await post(owner, 'expired'), 403, 'AUTH_004');
        assert.equal((await post(owner, 'renewed')).status, 200);
      } finally {
        await hub.stop();
      }
    });
  }
});
