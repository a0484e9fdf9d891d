import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertError,
  assertServes,
  closesWith,
  encode,
  eventually,
  forEachPair,
  greet,
  Provider,
  sendBytes,
  unique,
  useHub,
} from '../websocket-support.js';

/** An object within an object, and so on: so many containers in all. */
function nested(containers: number): object {
  let value: object = {};
  for (let depth = 1; depth < containers; depth += 1) value = depth % 2 === 0 ? [value] : { x: value };
  return value;
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const ascii = (text: string): Uint8Array => Buffer.from(text, 'latin1');
/** A frame whose member `x` is these bytes. */
const withMember = (...value: number[]): Uint8Array =>
  Buffer.concat([
    bytes(0x82, 0xa4),
    ascii('type'),
    bytes(0xa9),
    ascii('heartbeat'),
    bytes(0xa1, 0x78, ...value),
  ]);

const BROKEN = {
  json: [
    ['nothing', ascii('')],
    ['white space', ascii('  ')],
    ['half an object', ascii('{"type":"heartbeat"')],
    ['two objects', ascii('{"type":"heartbeat"}{"type":"heartbeat"}')],
    ['single quotes', ascii("{'type':'heartbeat'}")],
    ['a comma too many', ascii('{"type":"heartbeat",}')],
    ['NaN', ascii('{"type":"heartbeat","x":NaN}')],
    ['Infinity', ascii('{"type":"heartbeat","x":Infinity}')],
    ['a control character in a string', ascii('{"type":"heart\nbeat"}')],
    ['an emoji', Buffer.from('😀')],
    ['a byte order mark', Buffer.from('\ufeff{"type":"heartbeat"}')],
  ],
  msgpack: [
    ['nothing', bytes()],
    ['half an object', bytes(0x82, 0xa4, 0x74)],
    ['two objects', Buffer.concat([withMember(1), withMember(1)])],
    ['a byte behind the end', Buffer.concat([withMember(1), bytes(0xc0)])],
    ['the byte that is never used', withMember(0xc1)],
    ['a time extension of 32 bits', withMember(0xd6, 0xff, 0, 0, 0, 0)],
    ['a time extension of 64 bits', withMember(0xd7, 0xff, 0, 0, 0, 0, 0, 0, 0, 0)],
    ['a time extension of 96 bits', withMember(0xc7, 12, 0xff, ...new Array<number>(12).fill(0))],
    ['a fixed extension', withMember(0xd4, 0x01, 0x00)],
    ['an extension of 8 bits length', withMember(0xc7, 0x01, 0x05, 0x00)],
    ['an extension of 16 bits length', withMember(0xc8, 0x00, 0x01, 0x05, 0x00)],
    ['an extension of 32 bits length', withMember(0xc9, 0, 0, 0, 1, 0x05, 0x00)],
    ['a record definition', withMember(0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 0x01)],
    ['a record definition as the whole frame', bytes(0xd4, 0x72, 0x40, 0x91, 0xa4, ...ascii('type'), 0xc0)],
    ['the use of a record that was never defined', bytes(0xd4, 0x72, 0x41)],
    ["a library's undefined", withMember(0xd4, 0x00, 0x00)],
    ["a library's set", withMember(0xd4, 0x73, 0x00, 0x91, 0x01)],
    ["a library's regular expression", withMember(0xc7, 4, 0x78, 0x92, 0xa1, 0x78, 0xa0)],
    ["a library's error", withMember(0xd4, 0x65, 0x00, 0x93, 0xa1, 0x78, 0xa1, 0x78, 0xc0)],
    ["a library's pointer", withMember(0xd6, 0x70, 0, 0, 0, 1)],
    ["a library's shared structure", withMember(0xd6, 0x69, 0, 0, 0, 1, 0x80)],
    ["a library's typed array", withMember(0xc7, 5, 0x74, 6, 0, 0, 0, 0)],
    ["a library's large integer", withMember(0xc7, 9, 0x42, 1, 0, 0, 0, 0, 0, 0, 0, 0)],
    ["a library's bundle of strings", withMember(0xd6, 0x62, 0, 0, 0, 8, 0xa1, 0x78)],
    ['a fixed extension of 16 bytes', withMember(0xd8, 0x05, ...new Array<number>(16).fill(0))],
    ['an extension longer than the frame', withMember(0xc9, 0xff, 0xff, 0xff, 0xff, 0x05)],
    ['an extension as a key', bytes(0x81, 0xd4, 0x01, 0x00, 0x01)],
    ['nil as a key', bytes(0x81, 0xc0, 0x01)],
    ['bytes as a key', bytes(0x81, 0xc4, 0x01, 0x78, 0x01)],
    ['an extension behind a proper frame', Buffer.concat([withMember(1), bytes(0xd4, 0x72, 0x40)])],
    ['only an array longer than anything', bytes(0xdd, 0xff, 0xff, 0xff, 0xff)],
    ['only a map longer than anything', bytes(0xdf, 0xff, 0xff, 0xff, 0xff)],
    ['only a string longer than anything', bytes(0xdb, 0xff, 0xff, 0xff, 0xff)],
    ['only bytes longer than anything', bytes(0xc6, 0xff, 0xff, 0xff, 0xff)],
    ['a map of one member more than there are', bytes(0x82, 0xa4, ...ascii('type'), 0xa1, 0x78)],
    ['a key without its value', bytes(0x81, 0xa4, ...ascii('type'))],
    ['half a float', withMember(0xcb, 0, 0, 0)],
    ['half a length', withMember(0xdb, 0xff)],
    ['a number as a key', Buffer.concat([bytes(0x81, 0x01), bytes(0x02)])],
    ['a map as a key', bytes(0x81, 0x80, 0x02)],
    ['a string longer than the frame', withMember(0xdb, 0x7f, 0xff, 0xff, 0xff)],
    ['an array longer than the frame', withMember(0xdd, 0xff, 0xff, 0xff, 0xff)],
    ['a map longer than the frame', withMember(0xdf, 0xff, 0xff, 0xff, 0xff)],
    ['bytes longer than the frame', withMember(0xc6, 0xff, 0xff, 0xff, 0xff)],
  ],
} as const;

const NO_OBJECTS = [null, true, false, 0, 5, 'heartbeat', '', [], [{ type: 'heartbeat' }]];

forEachPair('malformed frames', (pair) => {
  const { transport, codec } = pair;
  const hub = useHub(pair);

  async function closed(
    data: Uint8Array | string,
    code: number,
    binary = codec === 'msgpack',
  ): Promise<void> {
    const socket = await greet(hub(), codec);
    socket.sendRaw(data, binary);
    // What comes behind it is not looked at any more.
    socket.send({ type: 'heartbeat' });
    await closesWith(socket, code);
    await assertServes(hub(), codec);
  }

  for (const [what, data] of BROKEN[codec]) {
    test(`${what} is closed with 4400`, () => closed(data, 4400));
  }

  test('a provider and a subscriber are closed with 4400 for each of these as well', async () => {
    const provider = await Provider.join(hub(), codec);
    await provider.advertise();
    provider.socket.close();
    for (const [what, data] of BROKEN[codec]) {
      const { socket } = await provider.rejoin();
      socket.send({ type: 'subscribe', id: 1, filter: { payments_network: unique() } });
      await socket.next('subscribed');
      await socket.next('snapshot');
      sendBytes(socket, data);
      // What comes behind it, even a proper request of the provider, has no effect any more.
      socket.send(provider.withdrawFrame());
      assert.equal(await socket.closeCode(), 4400, what);
      assert.deepEqual(
        socket.frames.map(({ type, code }) => [type, code]),
        [['error', 'WS_001']],
        what,
      );
    }
    await eventually('the provider is suspect', async () => (await provider.seen())?.status === 'suspect');
    await provider.rejoin();
    assert.equal((await provider.seen())?.status, 'live');
  });

  test('of a member that is there twice the last one counts', async () => {
    const socket = await greet(hub(), codec);
    const twice = {
      json: ascii('{"type":"subscribe","id":1,"type":"heartbeat","id":[]}'),
      msgpack: bytes(
        ...[0x84, 0xa4, ...ascii('type'), 0xa9, ...ascii('subscribe'), 0xa2, ...ascii('id'), 0x01],
        ...[0xa4, ...ascii('type'), 0xa9, ...ascii('heartbeat'), 0xa2, ...ascii('id'), 0x90],
      ),
    };
    sendBytes(socket, twice[codec]);
    await socket.next('heartbeat');
    assert.deepEqual(await socket.settle(), []);
  });

  test('members with the names of built-in ones are only unknown members', async () => {
    const socket = await greet(hub(), codec);
    const names = [
      'constructor',
      'toString',
      'toJSON',
      'hasOwnProperty',
      'valueOf',
      'then',
      'length',
      'prototype',
    ];
    const members = Object.fromEntries(names.map((name) => [name, { call: name }]));
    sendBytes(socket, encode(codec, { type: 'heartbeat', ...members }));
    await socket.next('heartbeat');
    sendBytes(socket, encode(codec, { ...members, type: 'unsubscribe', id: 1, stream: 'toString' }));
    assertError(await socket.next('error'), 'WS_001', 1);
    for (const name of names) {
      socket.send({ type: name, id: 2 });
      assertError(await socket.next('error'), 'WS_001', 2);
    }
    assert.deepEqual(await socket.settle(), []);
  });

  test('a frame that is no object is closed with 4400', async () => {
    for (const value of NO_OBJECTS) await closed(encode(codec, value), 4400);
  });

  test('the wrong kind of message is closed with 4400', async () => {
    if (codec === 'json') {
      await closed('{"type":"heartbeat"}', 4400, true);
      await closed(encode('msgpack', { type: 'heartbeat' }), 4400, true);
    } else {
      await closed('{"type":"heartbeat"}', 4400, false);
      await closed('', 4400, false);
    }
  });

  test('16 containers in one another are fine, 17 are closed with 4400', async () => {
    const socket = await greet(hub(), codec);
    socket.send({ type: 'heartbeat', x: nested(15) });
    await socket.next('heartbeat');
    await closed(encode(codec, { type: 'heartbeat', x: nested(16) }), 4400);
  });

  test('nesting as deep as a frame can be is closed with 4400', async () => {
    const deep =
      codec === 'json'
        ? ascii(`{"type":"heartbeat","x":${'['.repeat(32_000)}${']'.repeat(32_000)}}`)
        : withMember(...new Array<number>(60_000).fill(0x91), 0xc0);
    await closed(deep, 4400);
  });

  test('4096 values in one frame are fine, more are closed with 4400', async () => {
    const socket = await greet(hub(), codec);
    // The frame itself, its type, and the list.
    const list = new Array<number>(4096 - 3).fill(0);
    socket.send({ type: 'heartbeat', x: list });
    await socket.next('heartbeat');
    const object = Object.fromEntries(list.map((_, index) => [`m${String(index)}`, 0]));
    socket.send({ type: 'heartbeat', x: object });
    await socket.next('heartbeat');
    await closed(encode(codec, { type: 'heartbeat', x: [...list, 0] }), 4400);
    await closed(encode(codec, { type: 'heartbeat', x: { ...object, another: 0 } }), 4400);
  });

  /** A heartbeat of just so many bytes. */
  function padded(size: number): Uint8Array {
    const room = size - encode(codec, { type: 'heartbeat', x: '' }).length;
    // In MessagePack a long string says its length in 5 bytes instead of 1 (or 3 up to 64 KiB).
    const header = codec === 'json' ? 0 : room - 2 > 0xffff ? 4 : 2;
    const frame = encode(codec, { type: 'heartbeat', x: 'x'.repeat(room - header) });
    assert.equal(frame.length, size);
    return frame;
  }

  test('a frame of exactly 64 KiB is fine', async () => {
    const socket = await greet(hub(), codec);
    sendBytes(socket, padded(65_536));
    await socket.next('heartbeat');
  });

  test('a frame of one byte more is closed with 1009', () => closed(padded(65_537), 1009));

  test('a frame of 4 KiB more is closed with 1009', () => closed(padded(69_632), 1009));

  for (const size of [69_633, 1_048_576, 3_145_728]) {
    test(`a frame of ${String(size)} bytes is not read to its end`, async () => {
      const socket = await greet(hub(), codec);
      sendBytes(socket, padded(size));
      // This library does not say why.
      assert.equal(await socket.closeCode(), transport === 'uws' ? 1006 : 1009);
      await assertServes(hub(), codec);
    });
  }

  test('a message that is too large is closed with 1009 even in pieces', async () => {
    const socket = await greet(hub(), codec);
    const frame = padded(65_537);
    socket.raw.send(frame.subarray(0, 40_000), { binary: codec === 'msgpack', fin: false });
    socket.raw.send(frame.subarray(40_000), { fin: true });
    await closesWith(socket, 1009);
  });

  test('a message in pieces is read as one', async () => {
    const socket = await greet(hub(), codec);
    const frame = padded(500);
    socket.raw.send(frame.subarray(0, 1), { binary: codec === 'msgpack', fin: false });
    socket.raw.send(frame.subarray(1, 300), { fin: false });
    socket.raw.ping();
    socket.raw.send(frame.subarray(300), { fin: true });
    await socket.next('heartbeat');
  });

  test('a malformed frame of a session turns its provider suspect, and nobody else', async () => {
    const [bad, good] = [await Provider.join(hub(), codec), await Provider.join(hub(), codec)];
    await bad.advertise();
    await good.advertise();
    bad.socket.sendRaw('', codec === 'json');
    await closesWith(bad.socket, 4400);
    assert.equal((await bad.seen())?.status, 'suspect');
    assert.equal((await good.seen())?.status, 'live');
  });

  test('text that is not UTF-8 is closed, and nobody else notices', async () => {
    const socket = await greet(hub(), 'json');
    const { raw } = socket;
    raw.send(Buffer.concat([ascii('{"type":"heartbeat","x":"'), bytes(0xff, 0xc0), ascii('"}')]), {
      binary: false,
    });
    // A library that checks this by itself cuts the connection.
    assert.ok([4400, 1006, 1007].includes(await socket.closeCode()));
    await assertServes(hub(), codec);
  });
});
