import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADVERTISEMENT, type CodecName, nextT } from '../../support/hubs/test-hub.js';
import type { Frame } from '../../support/clients/test-socket.js';
import {
  assertError,
  assertServes,
  encode,
  forEachPair,
  greet,
  Provider,
  refused,
  sendBytes,
  unique,
  useHub,
} from '../websocket-support.js';
import { Watcher } from '../websocket-watcher.js';

const LONE = '\ud800';
const PROTO = '{"polluted":true}';

/** Texts of advertisements that must not get in, with what the refusal has to say. */
const HOSTILE_PAYLOADS: [text: string, code: string, names: string][] = [
  [payload('name', '"\\ud800"'), 'ADV_001', 'name'],
  [payload('platform', '"x\\udfff"'), 'ADV_001', 'platform'],
  [payload('payments_network', '"\\udc00\\ud800"'), 'ADV_001', 'payments_network'],
  [payload('pricing', '{"note":"\\ud800"}'), 'ADV_001', 'pricing'],
  [payload('pricing', '{"\\ud800":1}'), 'ADV_001', 'pricing'],
  [payload('pricing', '{"usd_per_core_month":1e400}'), 'ADV_001', 'pricing.usd_per_core_month'],
  [payload('pricing', '{"further":-1e400}'), 'ADV_001', 'pricing.further'],
  [payload('pricing', `{"__proto__":${PROTO}}`), 'ADV_001', 'pricing'],
  [payload('pricing', '{"__proto__":1}'), 'ADV_001', 'pricing'],
  [payload('resources', '{"cpu":1e400,"memory":1,"storage":1}'), 'ADV_002', 'resources.cpu'],
  [payload('resources', '{"cpu":4097,"memory":1,"storage":1}'), 'ADV_002', 'resources.cpu'],
  [payload('resources', '{"cpu":1,"memory":1,"storage":9007199254740993}'), 'ADV_002', 'resources.storage'],
  [payload('resources', '{"cpu":1,"memory":1,"storage":1,"gpu":1e308}'), 'ADV_002', 'resources.gpu'],
  [payload('resources', '{"cpu":1,"memory":1,"storage":1,"\\ud800":1}'), 'ADV_002', 'resources'],
  [
    payload('resources', `{"cpu":1,"memory":1,"storage":1,"__proto__":${PROTO}}`),
    'ADV_002',
    'resources.__proto__',
  ],
  [payload('resources', '{"__proto__":{"cpu":1,"memory":1,"storage":1}}'), 'ADV_002', 'resources.cpu'],
  [`{"__proto__":${JSON.stringify(ADVERTISEMENT)}}`, 'ADV_001', 'ip_address'],
  ['😀', 'ADV_001', 'payload'],
  [`${'x'.repeat(119)}😀`, 'ADV_001', 'payload'],
  [`{"x":${'['.repeat(8000)}${']'.repeat(8000)}}`, 'ADV_001', 'payload'],
  [`{"x":[${'0,'.repeat(5000)}0]}`, 'ADV_001', 'payload'],
];

/** The text of the usual advertisement with one member written by hand. */
function payload(member: string, text: string): string {
  const { [member as 'country']: _, ...rest } = ADVERTISEMENT;
  return JSON.stringify(rest).replace(/\}$/, `,"${member}":${text}}`);
}

/** A MessagePack map of string keys to encoded values. */
function map(entries: [key: string, value: Uint8Array | string][]): Uint8Array {
  const parts = entries.map(([key, value]) =>
    Buffer.concat([text(key), typeof value === 'string' ? text(value) : value]),
  );
  return Buffer.concat([Uint8Array.of(0x80 + entries.length), ...parts]);
}

function text(value: string | Uint8Array): Uint8Array {
  const bytes = Buffer.from(value);
  return Buffer.concat([Uint8Array.of(0xda, bytes.length >> 8, bytes.length & 0xff), bytes]);
}

function unsigned64(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(9, 0xcf);
  bytes.writeBigUInt64BE(value, 1);
  return bytes;
}

forEachPair('hostile values', (pair) => {
  const { codec } = pair;
  const hub = useHub(pair);

  test('an advertisement with a hostile value is refused, and the session goes on', async () => {
    const provider = await Provider.join(hub(), codec);
    for (const [advertisement, code, names] of HOSTILE_PAYLOADS) {
      const message = await refused(provider.socket, provider.advertiseFrame(advertisement), code);
      assert.ok(message.includes(names), message);
    }
    assert.equal(await provider.seen(), null);
    await provider.advertise();
  });

  test('members called __proto__ and constructor are only unknown members', async () => {
    const provider = await Provider.join(hub(), codec);
    const hostile = JSON.stringify(ADVERTISEMENT).replace(
      /\}$/,
      `,"__proto__":${PROTO},"constructor":{"prototype":${PROTO}},"status":"live"}`,
    );
    provider.socket.send(provider.advertiseFrame(hostile));
    const { advertisement } = await provider.socket.next('advertised');
    assert.deepEqual(advertisement, await provider.seen());
    assert.ok(!JSON.stringify(advertisement).includes('polluted'));
    assert.equal(({} as Frame)['polluted'], undefined);
  });

  test('prices with the names of what libraries call on objects reach everybody as they are', async () => {
    const network = unique();
    const watcher = await Watcher.join(hub(), codec, { payments_network: network });
    const provider = await Provider.join(hub(), codec);
    // All are names that a provider may choose for a price of its own.
    const pricing = {
      constructor: 1,
      toJSON: 'x',
      toString: 2,
      valueOf: 3,
      then: 4,
      length: 5,
      hasOwnProperty: 'y',
    };
    const published = await provider.advertise({ payments_network: network, pricing });
    assert.deepEqual({ ...published.pricing }, pricing);
    assert.deepEqual(await watcher.events(), [{ op: 'added', advertisement: published }]);
    assert.deepEqual(await provider.seen(), published);
    assert.deepEqual((await provider.rejoin()).onFile?.pricing, published.pricing);
    const late = await Watcher.join(hub(), codec, { payments_network: network });
    assert.equal(late.view.size, 1);
  });

  test('a frame with __proto__ at every level is answered like any other', async () => {
    const socket = await greet(hub(), codec);
    const hostile: Record<CodecName, Uint8Array> = {
      json: Buffer.from(
        `{"__proto__":{"type":"heartbeat","id":7},"type":"subscribe","id":1,"filter":{"__proto__":${PROTO}}}`,
      ),
      msgpack: map([
        ['__proto__', map([['type', 'heartbeat']])],
        ['type', 'subscribe'],
        ['id', Uint8Array.of(1)],
        ['filter', map([['__proto__', map([['polluted', Uint8Array.of(0xc3)]])]])],
      ]),
    };
    sendBytes(socket, hostile[codec]);
    assert.match(assertError(await socket.next('error'), 'ADV_002', 1), /__proto_/);
    const typeless: Record<CodecName, Uint8Array> = {
      json: Buffer.from('{"__proto__":{"type":"heartbeat"},"id":2}'),
      msgpack: map([
        ['__proto__', map([['type', 'heartbeat']])],
        ['id', Uint8Array.of(2)],
      ]),
    };
    sendBytes(socket, typeless[codec]);
    assertError(await socket.next('error'), 'WS_001', 2);
    assert.equal(({} as Frame)['polluted'], undefined);
    assert.deepEqual(await socket.settle(), []);
  });

  test('numbers that are none, or too large, are refused where they stand', async () => {
    const { socket } = await Provider.join(hub(), codec);
    const signature = 'ab'.repeat(64);
    const tooLarge: [frame: Frame, code: string][] = [
      [{ type: 'advertise', id: 1, payload: '{}', t: Infinity, signature }, 'WS_001'],
      [{ type: 'withdraw', id: 1, t: -Infinity, signature }, 'WS_001'],
      [{ type: 'withdraw', id: 1, t: 2 ** 53, signature }, 'WS_001'],
      [{ type: 'withdraw', id: 1, t: 1e300, signature }, 'WS_001'],
      [{ type: 'withdraw', id: 1, t: Number.MAX_SAFE_INTEGER, signature }, 'AUTH_002'],
      [{ type: 'subscribe', id: 1, filter: { max_usd_per_month: Infinity } }, 'ADV_002'],
      [{ type: 'subscribe', id: 1, filter: { cpu: -Infinity } }, 'ADV_002'],
      [{ type: 'subscribe', id: 1, filter: { storage: 1e300 } }, 'ADV_002'],
    ];
    for (const [frame, code] of tooLarge) {
      sendBytes(socket, encode(codec, frame));
      assertError(await socket.next('error'), code, 1);
    }
    assert.deepEqual(await socket.settle(), []);
  });

  if (codec === 'json') {
    test('lone surrogates in any text of a frame are refused, and the answers are well-formed', async () => {
      const { socket } = await Provider.join(hub(), codec);
      const t = nextT(hub().clock);
      const signature = 'ab'.repeat(64);
      const requests: [frame: Frame, code: string][] = [
        [{ type: LONE }, 'WS_001'],
        [{ type: `${'x'.repeat(63)}😀` }, 'WS_001'],
        [{ type: 'authenticate', provider_id: `a${LONE}`, t, signature }, 'WS_001'],
        [{ type: 'advertise', payload: `{"name":"${LONE}"}`, t, signature }, 'WS_001'],
        [{ type: 'unsubscribe', stream: LONE }, 'WS_001'],
        [{ type: 'subscribe', filter: { platform: LONE } }, 'ADV_002'],
        [{ type: 'subscribe', filter: { platform: ['arm64', `a${LONE}`] } }, 'ADV_002'],
        [{ type: 'subscribe', filter: { [LONE]: 1 } }, 'ADV_002'],
      ];
      for (const [frame, code] of requests) await refused(socket, { ...frame, id: 1 }, code);
      for (const id of [LONE, `x${LONE}`, `${LONE}${LONE}`]) {
        socket.send({ type: 'unsubscribe', id, stream: 's1' });
        assertError(await socket.next('error'), 'WS_001');
      }
      assert.deepEqual(await socket.settle(), []);
    });
  }

  test('a resume cursor with a lone surrogate is just no cursor', async () => {
    const socket = await greet(hub(), codec);
    socket.send({ type: 'subscribe', id: 1, filter: { payments_network: unique() }, resume: `${LONE}:1` });
    assert.equal((await socket.next('subscribed'))['resumed'], false);
  });

  test('a long list of what is wrong makes a short message', async () => {
    const socket = await greet(hub(), codec);
    const filter = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`m${String(index)}`, 0]));
    const message = await refused(socket, { type: 'subscribe', id: 1, filter }, 'ADV_002');
    assert.ok(message.length < 2000, `${String(message.length)} characters`);
  });

  if (codec === 'msgpack') {
    test('NaN is no number', async () => {
      const socket = await greet(hub(), codec);
      await refused(socket, { type: 'subscribe', id: 1, filter: { max_usd_per_month: NaN } }, 'ADV_002');
      await refused(socket, { type: 'subscribe', id: 1, filter: { memory: NaN } }, 'ADV_002');
      socket.send({ type: 'subscribe', id: NaN, filter: {} });
      assertError(await socket.next('error'), 'WS_001');
    });

    test('integers may come in 64 bits, as long as they are exact', async () => {
      const provider = await Provider.join(hub(), codec);
      const { socket } = provider;
      const { payload: text, t, signature } = provider.advertiseFrame();
      const advertise = (id: bigint, time: bigint): Uint8Array =>
        map([
          ['type', 'advertise'],
          ['id', unsigned64(id)],
          ['payload', text as string],
          ['t', unsigned64(time)],
          ['signature', signature as string],
        ]);
      sendBytes(socket, advertise(7n, BigInt(t as number)));
      assert.equal((await socket.next('advertised'))['id'], 7);
      sendBytes(socket, advertise(7n, 2n ** 63n));
      assertError(await socket.next('error'), 'WS_001', 7);
      sendBytes(socket, advertise(2n ** 53n + 1n, BigInt(t as number)));
      assertError(await socket.next('error'), 'WS_001');
    });

    test('bytes are no text', async () => {
      const socket = await greet(hub(), codec);
      await refused(socket, { type: 'unsubscribe', id: 1, stream: Buffer.from('s1') }, 'WS_001');
      await refused(socket, { type: 'subscribe', id: 1, filter: Buffer.from('{}') }, 'ADV_002');
      sendBytes(socket, encode(codec, { type: 'unsubscribe', id: Buffer.from('x'), stream: 's1' }));
      assertError(await socket.next('error'), 'WS_001');
    });

    test('text that is not UTF-8 gets an answer that is', async () => {
      const socket = await greet(hub(), codec);
      for (const bad of [Uint8Array.of(0xff), Uint8Array.of(0xed, 0xa0, 0x80), Uint8Array.of(0xf0, 0x9f)]) {
        const member = Buffer.concat([text(bad), text('x')]);
        sendBytes(
          socket,
          map([
            ['type', Buffer.from(text(bad))],
            ['id', Uint8Array.of(1)],
          ]),
        );
        assertError(await socket.next('error'), 'WS_001', 1);
        const filter = Buffer.concat([Uint8Array.of(0x81), member]);
        sendBytes(
          socket,
          map([
            ['type', 'subscribe'],
            ['id', Uint8Array.of(1)],
            ['filter', filter],
          ]),
        );
        assertError(await socket.next('error'), 'ADV_002', 1);
      }
    });
  }

  test('after all that, everybody is still served', async () => {
    const network = unique();
    const watcher = await Watcher.join(hub(), codec, { payments_network: network });
    const provider = await Provider.join(hub(), codec);
    await provider.advertise({ payments_network: network });
    assert.equal((await watcher.events()).length, 1);
    await assertServes(hub(), codec);
  });
});
