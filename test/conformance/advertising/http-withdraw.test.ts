import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertError,
  itemPath,
  LIST,
  listIds,
  onBothTransports,
  readAdvertisement,
} from '../../support/clients/http.js';
import { TestKey } from '../../support/data/keys.js';
import { nextT } from '../../support/hubs/test-hub.js';

onBothTransports('reading and withdrawing one advertisement', {}, (hub) => {
  /** A withdrawal whose path and signed id need not agree. */
  const withdrawAt = (path: string, key: TestKey, providerId: string) =>
    hub().request('DELETE', path, { headers: key.headers('withdraw', providerId, nextT(hub().clock), '') });

  test('an id that nobody advertised under is a 404', async () => {
    assertError(await hub().get(itemPath('nobody')), 404, 'ADV_004', /nobody/);
    assertError(await hub().get(itemPath(new TestKey().publicKey)), 404, 'ADV_004');
  });

  test('an id that could not exist is a 404 too', async () => {
    for (const id of ['-', 'a b', 'ä', '%', 'a/b', 'a?b', '"', '__proto__', 'constructor', 'x'.repeat(500)]) {
      assertError(await hub().get(itemPath(id)), 404, 'ADV_004');
    }
  });

  test('a withdrawal answers with success and removes it everywhere', async () => {
    const key = new TestKey();
    await hub().post(key);
    const answer = await hub().delete(key);
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.body, { status: 'success' });
    assertError(await hub().get(itemPath(key.publicKey)), 404, 'ADV_004');
    assertError(await hub().get(`${itemPath(key.publicKey)}/proof`), 404, 'ADV_004');
    assert.ok(!(await listIds(hub())).includes(key.publicKey));
  });

  test('withdrawing what is not there is a 404', async () => {
    const key = new TestKey();
    assertError(await hub().delete(key), 404, 'ADV_004');
    await hub().post(key);
    await hub().delete(key);
    assertError(await hub().delete(key), 404, 'ADV_004');
  });

  test('a path that names another provider than the header is refused, and nothing is removed', async () => {
    const mine = new TestKey();
    const theirs = new TestKey();
    await hub().post(mine, 'mine');
    await hub().post(theirs, 'theirs');
    assertError(await withdrawAt(itemPath('theirs'), mine, 'mine'), 403, 'AUTH_004', /theirs/);
    assertError(await withdrawAt(itemPath('MINE'), mine, 'mine'), 403, 'AUTH_004');
    assertError(await withdrawAt(itemPath('not/an id'), mine, 'mine'), 403, 'AUTH_004');
    assert.equal((await readAdvertisement(hub(), 'mine')).provider_id, 'mine');
    assert.equal((await readAdvertisement(hub(), 'theirs')).provider_id, 'theirs');
  });

  test('a withdrawal needs credentials', async () => {
    const key = new TestKey();
    await hub().post(key, 'guarded');
    assertError(await hub().request('DELETE', itemPath('guarded')), 401, 'AUTH_003');
    const signed = key.headers('advertise', 'guarded', nextT(hub().clock), '');
    assertError(
      await hub().request('DELETE', itemPath('guarded'), { headers: signed }),
      401,
      'AUTH_001',
      /withdraw/,
    );
    assert.equal((await readAdvertisement(hub(), 'guarded')).provider_id, 'guarded');
  });

  test('nobody can withdraw for another key', async () => {
    const owner = new TestKey();
    await hub().post(owner, 'owned');
    await hub().post(owner);
    assertError(await hub().delete(new TestKey(), 'owned'), 403, 'AUTH_004');
    assertError(await hub().delete(new TestKey(), owner.publicKey), 403, 'AUTH_004');
    assert.equal((await readAdvertisement(hub(), 'owned')).provider_id, 'owned');
    assert.equal((await readAdvertisement(hub(), owner.publicKey)).provider_id, owner.publicKey);
  });

  test('ids are percent-decoded in paths, once', async () => {
    const key = new TestKey();
    const id = 'Data.Center_7:rack-2';
    await hub().post(key, id);
    const everyCharacter = Array.from(id, (c) => `%${c.charCodeAt(0).toString(16)}`).join('');
    for (const written of [id, encodeURIComponent(id), everyCharacter, everyCharacter.toUpperCase()]) {
      const answer = await hub().get<{ provider_id: string }>(`${LIST}/${written}`);
      assert.equal(answer.body.provider_id, id, written);
      assert.equal((await hub().get(`${LIST}/${written}/proof`)).status, 200, written);
    }
    const twice = encodeURIComponent(everyCharacter);
    assertError(await hub().get(`${LIST}/${twice}`), 404, 'ADV_004');
    const removed = await withdrawAt(`${LIST}/${everyCharacter}`, key, id);
    assert.deepEqual(removed.body, { status: 'success' });
    assertError(await hub().get(itemPath(id)), 404, 'ADV_004');
  });

  test('a percent-encoding that is none is a malformed request', async () => {
    for (const id of ['%', '%zz', 'a%2', '%c3%28', '%ff']) {
      assertError(await hub().get(`${LIST}/${id}`), 400, 'HTTP_400', /percent-encoding/);
      assertError(await withdrawAt(`${LIST}/${id}`, new TestKey(), 'a'), 400, 'HTTP_400');
    }
  });

  test('ids are told apart by case, and no id stands for another', async () => {
    const keys = ['case', 'Case', 'CASE', 'case.'].map((id) => ({ id, key: new TestKey() }));
    for (const { id, key } of keys) assert.equal((await hub().post(key, id)).status, 200);
    for (const { id } of keys) assert.equal((await readAdvertisement(hub(), id)).provider_id, id);
    assert.equal((await hub().delete(keys[0]!.key, 'case')).status, 200);
    assert.equal((await readAdvertisement(hub(), 'Case')).provider_id, 'Case');
  });

  test('a provider may be called what a path of the interface is called', async () => {
    const key = new TestKey();
    for (const id of ['proof', 'health', 'ws', 'openapi.json']) {
      assert.equal((await hub().post(key, id)).status, 200);
      assert.equal((await readAdvertisement(hub(), id)).provider_id, id);
      assert.equal((await hub().get(`${itemPath(id)}/proof`)).status, 200);
    }
  });
});
