import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LOOKALIKES, TestKey } from '../../support/data/keys.js';
import type { TestHub } from '../../support/hubs/test-hub.js';
import type { Frame } from '../../support/clients/test-socket.js';
import {
  assertError,
  closesWith,
  forEachPair,
  greetWithNonce,
  Provider,
  refused,
  sessionFrame,
  type SessionClaim,
  unique,
  useHub,
} from '../websocket-support.js';
import { Watcher } from '../websocket-watcher.js';

const NAMES = [
  'provider-1',
  'Z',
  '7',
  'a.b:c_d-E',
  'x'.repeat(128),
  'a'.repeat(63),
  'a'.repeat(65),
  `0x${'a'.repeat(39)}`,
  `0x${'a'.repeat(41)}`,
  'constructor',
  'hasOwnProperty',
];

interface Scene {
  hub: TestHub;
  nonce: string;
  key: TestKey;
  /** Owns the name `taken`. */
  owner: TestKey;
  taken: string;
}

/** Why a frame has to be refused, with which code, a word of the message, and the frame. */
type Refusal = [why: string, code: string, message: RegExp, frame: (scene: Scene) => Frame];

/** Some of them were once taken for names. */
const refusedLookalikes = LOOKALIKES.map((providerId): Refusal => [
  `the lookalike ${providerId}`,
  'AUTH_001',
  /provider id/,
  ({ hub, key, nonce }) => sessionFrame(hub, key, nonce, { providerId }),
]);

const REFUSALS: Refusal[] = [
  ...refusedLookalikes,
  [
    'a time more than 300 s ago',
    'AUTH_002',
    /clock/,
    ({ hub, key, nonce }) => sessionFrame(hub, key, nonce, { t: hub.clock.wall() - 300_001 }),
  ],
  [
    'a time more than 300 s ahead',
    'AUTH_002',
    /clock/,
    ({ hub, key, nonce }) => sessionFrame(hub, key, nonce, { t: hub.clock.wall() + 300_001 }),
  ],
  [
    'another nonce',
    'AUTH_001',
    /signature/,
    ({ hub, key }) => sessionFrame(hub, key, '0123456789abcdef'.repeat(4)),
  ],
  [
    'a signature that is none',
    'AUTH_001',
    /signature/,
    ({ hub, key, nonce }) => ({ ...sessionFrame(hub, key, nonce), signature: '5a'.repeat(64) }),
  ],
  [
    'a signature for action advertise',
    'AUTH_001',
    /session/,
    ({ hub, key, nonce }) => sessionFrame(hub, key, nonce, { signed: { action: 'advertise' } }),
  ],
  [
    'a signature for action withdraw',
    'AUTH_001',
    /session/,
    ({ hub, key, nonce }) => sessionFrame(hub, key, nonce, { signed: { action: 'withdraw' } }),
  ],
  [
    'a signature for another id',
    'AUTH_001',
    /signature/,
    ({ hub, key, nonce }) => sessionFrame(hub, key, nonce, { signed: { providerId: 'another' } }),
  ],
  [
    'a signature for another time',
    'AUTH_001',
    /signature/,
    ({ hub, key, nonce }) => sessionFrame(hub, key, nonce, { signed: { t: hub.clock.wall() - 5 } }),
  ],
  [
    'a key id that another key signed for',
    'AUTH_001',
    /signature/,
    ({ hub, key, owner, nonce }) =>
      sessionFrame(hub, key, nonce, { providerId: owner.publicKey, publicKey: null }),
  ],
  [
    'a public key that is not the key id',
    'AUTH_004',
    /another key/,
    ({ hub, key, owner, nonce }) => sessionFrame(hub, key, nonce, { providerId: owner.publicKey }),
  ],
  [
    "another key's name",
    'AUTH_004',
    /another key/,
    ({ hub, key, taken, nonce }) => sessionFrame(hub, key, nonce, { providerId: taken }),
  ],
  [
    'a name without its public key',
    'AUTH_001',
    /public key/,
    ({ hub, key, nonce }) => sessionFrame(hub, key, nonce, { providerId: unique('name'), publicKey: null }),
  ],
  [
    'an Ethereum address, saying why',
    'AUTH_001',
    /Ethereum/,
    ({ hub, key, nonce }) => sessionFrame(hub, key, nonce, { providerId: `0x${'aB'.repeat(20)}` }),
  ],
  [
    'a public key of small order, under which anything verifies',
    'AUTH_001',
    /signature/,
    ({ hub, key, nonce }) => {
      const publicKey = `01${'00'.repeat(31)}`;
      const signature = `01${'00'.repeat(63)}`;
      return { ...sessionFrame(hub, key, nonce, { providerId: unique('name'), publicKey }), signature };
    },
  ],
  [
    'a signature for another name of this machine',
    'AUTH_005',
    /localhost/,
    ({ hub, key, nonce }) => sessionFrame(hub, key, nonce, { host: `localhost:${String(hub.hub.port)}` }),
  ],
  [
    'a signature for the host without its port',
    'AUTH_005',
    /127\.0\.0\.1/,
    ({ hub, key, nonce }) => sessionFrame(hub, key, nonce, { host: '127.0.0.1' }),
  ],
  [
    'a signature for a host that has nothing to do with this hub',
    'AUTH_001',
    /host/,
    ({ hub, key, nonce }) => sessionFrame(hub, key, nonce, { host: 'hub.elsewhere.example' }),
  ],
];

forEachPair('authentication', (pair) => {
  const { codec } = pair;
  // Names stay bound.
  const hub = useHub(pair, {}, { own: true });

  async function authenticate(key: TestKey, claim: SessionClaim): Promise<Frame> {
    const { socket, nonce } = await greetWithNonce(hub(), codec);
    socket.send(sessionFrame(hub(), key, nonce, claim));
    return socket.next('authenticated');
  }

  test('a key id may give its public key or leave it out', async () => {
    const key = new TestKey();
    for (const publicKey of [key.publicKey, null]) {
      assert.deepEqual(await authenticate(key, { publicKey }), {
        type: 'authenticated',
        id: 'who',
        provider_id: key.publicKey,
        advertisement: null,
      });
    }
  });

  test('a public key that is null is one that was left out', async () => {
    const key = new TestKey();
    for (const providerId of [key.publicKey, 'nullish']) {
      const { socket, nonce } = await greetWithNonce(hub(), codec);
      socket.send({ ...sessionFrame(hub(), key, nonce, { providerId }), public_key: null });
      if (providerId === key.publicKey) await socket.next('authenticated');
      else assert.match(assertError(await socket.next('error'), 'AUTH_001', 'who'), /public key is missing/);
    }
  });

  for (const name of NAMES) {
    test(`a name may be ${name.length > 20 ? `${name.slice(0, 3)}… (${String(name.length)})` : name}`, async () => {
      const provider = await Provider.join(hub(), codec, { id: name });
      assert.equal(provider.onFile, null);
      assert.equal((await provider.advertise()).provider_id, name);
      assert.equal((await provider.seen())?.provider_id, name);
    });
  }

  test('t may differ from the time of the hub by 300 s', async () => {
    for (const skew of [-300_000, 300_000]) {
      const key = new TestKey();
      const { provider_id: id } = await authenticate(key, { t: hub().clock.wall() + skew });
      assert.equal(id, key.publicKey);
    }
  });

  test('the answer holds the advertisement on file', async () => {
    const key = new TestKey();
    const { body } = await hub().post(key);
    const { advertisement } = await authenticate(key, {});
    assert.deepEqual(advertisement, body);
  });

  for (const [why, code, message, frame] of REFUSALS) {
    // A clock, be it the hub's, gets corrected; nothing else passes by itself.
    const closeCode = code === 'AUTH_002' ? 4503 : 4401;
    test(`refuses ${why}, with ${code} and ${String(closeCode)}`, async () => {
      const owner = new TestKey();
      const taken = unique('taken');
      await authenticate(owner, { providerId: taken });
      const { socket, nonce } = await greetWithNonce(hub(), codec);
      socket.send(frame({ hub: hub(), nonce, key: new TestKey(), owner, taken }));
      assert.match(assertError(await socket.next('error'), code, 'who'), message);
      await closesWith(socket, closeCode);
    });
  }

  test('a nonce is good for one authentication', async () => {
    const key = new TestKey();
    const { socket, nonce } = await greetWithNonce(hub(), codec);
    socket.send(sessionFrame(hub(), key, nonce));
    await socket.next('authenticated');
    socket.send(sessionFrame(hub(), key, nonce));
    assert.match(assertError(await socket.next('error'), 'AUTH_001', 'who'), /nonce/);
    await closesWith(socket, 4401);
  });

  test('the nonce of another connection is not accepted', async () => {
    const key = new TestKey();
    const { nonce } = await greetWithNonce(hub(), codec);
    const { socket } = await greetWithNonce(hub(), codec);
    socket.send(sessionFrame(hub(), key, nonce));
    assertError(await socket.next('error'), 'AUTH_001', 'who');
    await closesWith(socket, 4401);
  });

  test('a malformed request does not use up the nonce', async () => {
    const key = new TestKey();
    const { socket, nonce } = await greetWithNonce(hub(), codec);
    const frame = sessionFrame(hub(), key, nonce);
    await refused(socket, { ...frame, signature: 'none' }, 'WS_001');
    socket.send(frame);
    await socket.next('authenticated');
  });

  test('a refused authentication neither binds a name nor touches its session', async () => {
    const name = unique('wanted');
    const network = unique();
    const thief = await greetWithNonce(hub(), codec);
    const signed = { providerId: 'something else' };
    thief.socket.send(sessionFrame(hub(), new TestKey(), thief.nonce, { providerId: name, signed }));
    await thief.socket.next('error');

    const provider = await Provider.join(hub(), codec, { id: name });
    await provider.advertise({ payments_network: network });
    const watcher = await Watcher.join(hub(), codec, { payments_network: network });
    const other = await greetWithNonce(hub(), codec);
    other.socket.send(sessionFrame(hub(), new TestKey(), other.nonce, { providerId: name }));
    assertError(await other.socket.next('error'), 'AUTH_004', 'who');
    assert.deepEqual(await provider.socket.settle(), []);
    assert.deepEqual(await watcher.events(), []);
  });
});
