import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestKey } from '../../support/data/keys.js';
import {
  assertError,
  closesWith,
  forEachPair,
  greetWithNonce,
  sessionFrame,
  useHub,
} from '../websocket-support.js';

/** The Host header of the handshake, and what a client that dialled it signs for. */
const ACCEPTED: [header: string, signed: string][] = [
  ['hub.example', 'hub.example'],
  ['HUB.Example', 'hub.example'],
  ['Hub.Example:7465', 'hub.example:7465'],
  ['hub.example:80', 'hub.example'],
  ['hub.example:443', 'hub.example'],
  // A default port of the other scheme: the hub behind a proxy cannot know which one was dialled.
  ['hub.example:80', 'hub.example:80'],
  ['hub.example:443', 'hub.example:443'],
  ['[2001:db8::1]:7465', '[2001:db8::1]:7465'],
  ['[2001:DB8::1]', '[2001:db8::1]'],
];

const REFUSED: [header: string, signed: string][] = [
  ['hub.example:7465', 'hub.example'],
  ['hub.example', '127.0.0.1'],
  ['hub.example:7465', 'localhost:7465'],
];

forEachPair('the host that a session is signed for', (pair) => {
  const { codec } = pair;
  const hub = useHub(pair);

  for (const [header, signed] of ACCEPTED) {
    test(`may be ${signed} where the request says ${header}`, async () => {
      const key = new TestKey();
      const { socket, nonce } = await greetWithNonce(hub(), codec, { headers: { Host: header } });
      socket.send(sessionFrame(hub(), key, nonce, { host: signed }));
      assert.equal((await socket.next('authenticated'))['provider_id'], key.publicKey);
    });
  }

  for (const [header, signed] of REFUSED) {
    test(`may not be ${signed} where the request says ${header}`, async () => {
      const { socket, nonce } = await greetWithNonce(hub(), codec, { headers: { Host: header } });
      socket.send(sessionFrame(hub(), new TestKey(), nonce, { host: signed }));
      assert.ok(assertError(await socket.next('error'), 'AUTH_005', 'who').includes(header));
      await closesWith(socket, 4401);
    });
  }
});

forEachPair('where public hosts are set, the host that a session is signed for', (pair) => {
  const { codec } = pair;
  const hub = useHub(pair, { PUBLIC_HOSTS: 'Hub.Example, other.example:7465' });

  for (const host of ['hub.example', 'other.example:7465']) {
    test(`may be ${host}, whatever the request says`, async () => {
      const key = new TestKey();
      const { socket, nonce } = await greetWithNonce(hub(), codec);
      socket.send(sessionFrame(hub(), key, nonce, { host }));
      assert.equal((await socket.next('authenticated'))['provider_id'], key.publicKey);
    });
  }

  test('may not be the dialled one, which the refusal says', async () => {
    const { socket, nonce } = await greetWithNonce(hub(), codec);
    socket.send(sessionFrame(hub(), new TestKey(), nonce));
    const message = assertError(await socket.next('error'), 'AUTH_005', 'who');
    assert.ok(message.includes(hub().host) && message.includes('hub.example'), message);
    await closesWith(socket, 4401);
  });

  test('may not be a dialled one that is forged either', async () => {
    const { socket, nonce } = await greetWithNonce(hub(), codec, { headers: { Host: 'evil.example' } });
    socket.send(sessionFrame(hub(), new TestKey(), nonce, { host: 'evil.example' }));
    assertError(await socket.next('error'), 'AUTH_005', 'who');
    await closesWith(socket, 4401);
  });
});
