import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertError,
  itemPath,
  LIST,
  onBothTransports,
  readAdvertisement,
} from '../../support/clients/http.js';
import { TestKey } from '../../support/data/keys.js';
import { exchange, rawRequest } from '../../support/clients/raw-http.js';
import { ADVERTISEMENT, type Answer, nextT } from '../../support/hubs/test-hub.js';

const BODY = JSON.stringify(ADVERTISEMENT);

onBothTransports('credentials on the wire', {}, (hub) => {
  const send = (
    headers: [string, string][],
    { method = 'POST', target = LIST, body = BODY } = {},
  ): Promise<Answer<unknown>> => exchange(hub().hub.port, rawRequest(method, target, headers, body));
  const signed = (key: TestKey, id: string): [string, string][] =>
    Object.entries(key.headers('advertise', id, nextT(hub().clock), BODY));

  test('the names of the headers are read whatever their case', async () => {
    const key = new TestKey();
    for (const write of [(name: string) => name.toLowerCase(), (name: string) => name.toUpperCase()]) {
      const headers = signed(key, key.publicKey).map(([name, value]): [string, string] => [
        write(name),
        value,
      ]);
      assert.equal((await send(headers)).status, 200);
    }
  });

  test('an id that is given twice is refused, in whatever order and even if both are the same', async () => {
    const key = new TestKey();
    const [id, signature] = signed(key, 'twice') as [[string, string], [string, string]];
    const other: [string, string] = ['x-provider-id', 'somebody-else'];
    for (const headers of [
      [id, other, signature],
      [other, id, signature],
      [id, signature, other],
      [id, id, signature],
    ]) {
      assertError(await send(headers), 401, 'AUTH_001');
    }
    assert.equal((await send([id, signature])).status, 200);
  });

  test('a signature that is given twice is refused, in whatever order and even if both are the same', async () => {
    const key = new TestKey();
    const [id, signature] = signed(key, 'signed-twice') as [[string, string], [string, string]];
    const other: [string, string] = ['X-PROVIDER-SIGNATURE', signed(new TestKey(), 'signed-twice')[1]![1]];
    for (const headers of [
      [id, signature, other],
      [id, other, signature],
      [signature, id, other],
      [id, signature, signature],
      [id, signature, [signature[0], 'signature'] satisfies [string, string]],
    ]) {
      assertError(await send(headers), 401, 'AUTH_001');
    }
    assert.equal((await send([id, signature])).status, 200);
  });

  test('a signature cannot be spread over two headers', async () => {
    const key = new TestKey();
    const [id, [name, value]] = signed(key, 'spread') as [[string, string], [string, string]];
    const [t, k, v1] = value.split(',');
    const answer = await send([id, [name, `${t!},${k!}`], [name, v1!]]);
    // Joined they are the very text that was signed, so both answers are sound; a half one alone is not.
    if (answer.status !== 200) assertError(answer, 401, 'AUTH_001');
    assertError(await send([id, [name, `${t!},${k!}`]]), 401, 'AUTH_001');
    assertError(await send([id, [name, v1!]]), 401, 'AUTH_001');
  });

  test('a withdrawal with doubled headers removes nothing', async () => {
    const key = new TestKey();
    await hub().post(key, 'kept');
    const [id, signature] = Object.entries(key.headers('withdraw', 'kept', nextT(hub().clock), '')) as [
      [string, string],
      [string, string],
    ];
    const target = itemPath('kept');
    const withdraw = (headers: [string, string][]): Promise<Answer<unknown>> =>
      send(headers, { method: 'DELETE', target, body: '' });
    assertError(await withdraw([id, id, signature]), 401, 'AUTH_001');
    assertError(await withdraw([id, signature, signature]), 401, 'AUTH_001');
    assert.equal((await readAdvertisement(hub(), 'kept')).provider_id, 'kept');
    assert.deepEqual((await withdraw([id, signature])).body, { status: 'success' });
  });

  test('white space around the values does not count', async () => {
    const key = new TestKey();
    const headers = signed(key, 'spaced').map(([name, value]): [string, string] => [name, `  ${value}\t `]);
    assert.equal((await send(headers)).status, 200);
  });

  test('bytes beyond ASCII make an id malformed, and the answer can still be read', async () => {
    const [, signature] = signed(new TestKey(), 'abc') as [[string, string], [string, string]];
    for (const id of ['a\u00e4bc', 'a\u00ffb', 'a\u00f0\u009f\u0098\u0080b']) {
      assertError(await send([['X-Provider-ID', id], signature]), 401, 'AUTH_001');
    }
    // At the ends of a value a socket library may take such bytes for white space.
    for (const id of ['\u00e4', '\u00e4bcd', 'abcd\u00e9', '\u00a0abcd']) {
      const answer = await send([['X-Provider-ID', id], signature]);
      assert.equal(answer.status, 401, id);
    }
  });
});
