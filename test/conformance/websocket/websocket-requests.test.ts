import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestKey } from '../../support/data/keys.js';
import type { Frame } from '../../support/clients/test-socket.js';
import {
  assertError,
  assertIsoTime,
  encode,
  forEachPair,
  greet,
  greetWithNonce,
  Provider,
  refused,
  sendBytes,
  sessionFrame,
  unique,
  useHub,
} from '../websocket-support.js';

const T = 1_740_063_600_000;
const SIGNATURE = 'ab'.repeat(64);

/** Requests with a member missing or of the wrong form, and what the message has to name. */
const MALFORMED: [request: Frame, names: string][] = [
  [{ type: 'authenticate', t: T, signature: SIGNATURE }, 'provider_id'],
  [{ type: 'authenticate', provider_id: 7, t: T, signature: SIGNATURE }, 'provider_id'],
  [{ type: 'authenticate', provider_id: '', t: T, signature: SIGNATURE }, 'provider_id'],
  [{ type: 'authenticate', provider_id: '.name', t: T, signature: SIGNATURE }, 'provider_id'],
  [{ type: 'authenticate', provider_id: 'two words', t: T, signature: SIGNATURE }, 'provider_id'],
  [{ type: 'authenticate', provider_id: 'line\n', t: T, signature: SIGNATURE }, 'provider_id'],
  [{ type: 'authenticate', provider_id: 'x'.repeat(129), t: T, signature: SIGNATURE }, 'provider_id'],
  [{ type: 'authenticate', provider_id: 'a', public_key: 1, t: T, signature: SIGNATURE }, 'public_key'],
  [
    { type: 'authenticate', provider_id: 'a', public_key: 'AB'.repeat(32), t: T, signature: SIGNATURE },
    'public_key',
  ],
  [{ type: 'authenticate', provider_id: 'a', signature: SIGNATURE }, 't'],
  [{ type: 'authenticate', provider_id: 'a', t: String(T), signature: SIGNATURE }, 't'],
  [{ type: 'authenticate', provider_id: 'a', t: T + 0.5, signature: SIGNATURE }, 't'],
  [{ type: 'authenticate', provider_id: 'a', t: -1, signature: SIGNATURE }, 't'],
  [{ type: 'authenticate', provider_id: 'a', t: null, signature: SIGNATURE }, 't'],
  [{ type: 'authenticate', provider_id: 'a', t: T }, 'signature'],
  [{ type: 'authenticate', provider_id: 'a', t: T, signature: 'ab' }, 'signature'],
  [{ type: 'authenticate', provider_id: 'a', t: T, signature: SIGNATURE.toUpperCase() }, 'signature'],
  [{ type: 'authenticate', provider_id: 'a', t: T, signature: [SIGNATURE] }, 'signature'],
  [{ type: 'advertise', t: T, signature: SIGNATURE }, 'payload'],
  [{ type: 'advertise', payload: { country: 'SE' }, t: T, signature: SIGNATURE }, 'payload'],
  [{ type: 'advertise', payload: '{}', signature: SIGNATURE }, 't'],
  [{ type: 'advertise', payload: '{}', t: T }, 'signature'],
  [{ type: 'withdraw', signature: SIGNATURE }, 't'],
  [{ type: 'withdraw', t: T, signature: false }, 'signature'],
  [{ type: 'subscribe' }, 'filter'],
  [{ type: 'subscribe', filter: {}, resume: 5 }, 'resume'],
  [{ type: 'subscribe', filter: {}, resume: {} }, 'resume'],
  [{ type: 'unsubscribe' }, 'stream'],
  [{ type: 'unsubscribe', stream: 1 }, 'stream'],
];

const UNKNOWN_TYPES: unknown[] = [
  'dance',
  '',
  'Heartbeat',
  'welcome',
  'error',
  '__proto__',
  'constructor',
  'toString',
  'x'.repeat(5000),
  'bell \u0007 and line\n',
  7,
  null,
  true,
  ['heartbeat'],
  { heartbeat: 1 },
];

const GOOD_IDS: (string | number)[] = [
  0,
  -1,
  1,
  2 ** 31,
  -(2 ** 31) - 1,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
  'a',
  ' ',
  'x'.repeat(64),
  'Ærøskøbing 😀',
  '"quoted\\"',
  'line\nfeed\u0000nul\u007f',
  '__proto__',
  '0',
];

const BAD_IDS: unknown[] = [
  1.5,
  -0.1,
  2 ** 53,
  -(2 ** 53),
  1e300,
  Infinity,
  '',
  'x'.repeat(65),
  null,
  true,
  {},
  { id: 1 },
  [],
  [1],
];

forEachPair('requests', (pair) => {
  const { codec } = pair;
  const hub = useHub(pair);

  test('advertise and withdraw before authentication are WS_002, and the connection stays open', async () => {
    const { socket, nonce } = await greetWithNonce(hub(), codec);
    const key = new TestKey();
    await refused(socket, hub().signedFrame('advertise', key), 'WS_002');
    await refused(socket, hub().signedFrame('withdraw', key), 'WS_002');
    socket.send(sessionFrame(hub(), key, nonce));
    await socket.next('authenticated');
    socket.send(hub().signedFrame('advertise', key));
    await socket.next('advertised');
  });

  test('an unknown type is WS_001', async () => {
    const socket = await greet(hub(), codec);
    for (const type of UNKNOWN_TYPES) await refused(socket, { type, id: 'odd' }, 'WS_001');
    await refused(socket, { id: 'none' }, 'WS_001');
    socket.send({});
    assertError(await socket.next('error'), 'WS_001');
  });

  test('a missing or malformed member is WS_001, names the member, and echoes the id', async () => {
    const socket = await greet(hub(), codec);
    for (const [index, [request, names]] of MALFORMED.entries()) {
      const message = await refused(socket, { ...request, id: index }, 'WS_001');
      assert.ok(message.startsWith(`${String(request['type'])}: `), message);
      assert.ok(message.includes(`${names}: `), message);
    }
  });

  test('a malformed request is refused the same way after authentication', async () => {
    const { socket } = await Provider.join(hub(), codec);
    for (const [request] of MALFORMED) await refused(socket, { ...request, id: 'late' }, 'WS_001');
  });

  test('every integer and every short text is an id, and comes back as it was', async () => {
    const socket = await greet(hub(), codec);
    for (const id of GOOD_IDS) {
      await refused(socket, { type: 'unsubscribe', id, stream: 'none' }, 'WS_001');
      const filter = { payments_network: unique() };
      socket.send({ type: 'subscribe', id, filter });
      const subscribed = await socket.next('subscribed');
      assert.equal(subscribed['id'], id);
      await socket.next('snapshot');
      socket.send({ type: 'unsubscribe', id, stream: subscribed['stream'] });
      assert.equal((await socket.next('unsubscribed'))['id'], id);
    }
  });

  test('an id that is neither, or none, is WS_001 without an id', async () => {
    const socket = await greet(hub(), codec);
    for (const id of BAD_IDS) {
      sendBytes(socket, encode(codec, { type: 'subscribe', id, filter: {} }));
      assert.match(assertError(await socket.next('error'), 'WS_001'), /\bid: /);
    }
    socket.send({ type: 'subscribe', filter: {} });
    assert.match(assertError(await socket.next('error'), 'WS_001'), /\bid: /);
    assert.deepEqual(await socket.settle(), []);
  });

  test('a heartbeat is answered with the time, whatever else it carries', async () => {
    const socket = await greet(hub(), codec);
    for (const frame of [{}, { id: 5 }, { id: {} }, { further: 'member' }]) {
      socket.send({ type: 'heartbeat', ...frame });
      const { type, server_time: time, ...rest } = await socket.next('heartbeat');
      assert.equal(type, 'heartbeat');
      assertIsoTime(time);
      assert.equal(time, new Date(hub().clock.wall()).toISOString());
      assert.deepEqual(rest, {});
    }
  });

  test('unknown members of a request are ignored', async () => {
    const key = new TestKey();
    const { socket, nonce } = await greetWithNonce(hub(), codec);
    socket.send({ ...sessionFrame(hub(), key, nonce), future: { of: ['the', 'protocol'] } });
    await socket.next('authenticated');
    socket.send({ ...hub().signedFrame('advertise', key), ttl: 5 });
    await socket.next('advertised');
    socket.send({ type: 'subscribe', id: 1, filter: { payments_network: unique() }, order: 'price' });
    await socket.next('subscribed');
  });
});
