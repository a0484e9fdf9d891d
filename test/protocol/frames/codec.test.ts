import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../../support/properties.js';
import { Packr } from 'msgpackr';
import { CODECS, type CodecName, concat, negotiateCodec } from '../../../src/protocol/frames/codec.js';

/** Another reader than the hub's own. */
const packr = new Packr({ useRecords: false, int64AsType: 'number' });
const readers: Record<CodecName, (bytes: Uint8Array) => unknown> = {
  json: (bytes) => JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown,
  msgpack: (bytes) => packr.unpack(bytes) as unknown,
};

const character = fc.constantFrom(
  'a',
  'Z',
  '0',
  ' ',
  '"',
  '\\',
  '\n',
  '\u0000',
  'é',
  'ß',
  '日',
  '⚡',
  '😀',
  '\u2028',
);
const text = fc.array(character, { maxLength: 40 }).map((characters) => characters.join(''));
const number = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0)),
);
/** What both wire forms can say: JSON's values. */
const value = fc.letrec<{ value: unknown; object: Record<string, unknown> }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.oneof(fc.constant(null), fc.boolean(), number, text),
    fc.array(tie('value'), { maxLength: 20 }),
    tie('object'),
  ),
  object: fc.dictionary(
    text.filter((key) => key !== '__proto__'),
    tie('value'),
    { maxKeys: 18, noNullPrototype: true },
  ),
}));

for (const codec of Object.values(CODECS)) {
  test(`${codec.name}: what was encoded is decoded as it was, also by another reader`, () => {
    fc.assert(
      fc.property(value.value, (one) => {
        const bytes = codec.encode(one);
        assert.deepEqual(codec.decode(bytes), { ok: true, value: one });
        assert.deepEqual(readers[codec.name as CodecName](bytes), one);
      }),
      { numRuns: 300 },
    );
  });

  test(`${codec.name}: a list put together out of encoded items equals the encoded list`, () => {
    fc.assert(
      fc.property(fc.array(value.value, { maxLength: 40 }), (items) => {
        const joined = codec.extendList(
          { a: 1 },
          'items',
          items.map((item) => codec.encode(item)),
        );
        assert.deepEqual(Buffer.from(joined), Buffer.from(codec.encode({ a: 1, items })));
      }),
      { numRuns: 100 },
    );
  });

  test(`${codec.name}: lists of any length equal the encoded list`, () => {
    for (const length of [0, 1, 15, 16, 17, 255, 256, 65_535, 65_536]) {
      const items = Array.from({ length }, (_, index) => index & 0x7f);
      const joined = codec.extendList(
        { a: 1 },
        'items',
        items.map((item) => codec.encode(item)),
      );
      assert.ok(Buffer.from(joined).equals(Buffer.from(codec.encode({ a: 1, items }))), String(length));
    }
  });

  test(`${codec.name}: an object with one more member put in equals the encoded whole object`, () => {
    const head = fc.dictionary(
      text.filter((key) => key !== '__proto__'),
      value.value,
      { minKeys: 1, maxKeys: 14, noNullPrototype: true },
    );
    fc.assert(
      fc.property(head, value.value, (members, more) => {
        const name = 'ads';
        const extended = codec.extend(members, name, codec.encode(more));
        assert.deepEqual(Buffer.from(extended), Buffer.from(codec.encode({ ...members, [name]: more })));
      }),
      { numRuns: 80 },
    );
  });

  test(`${codec.name}: an event put together out of parts is read as the whole`, () => {
    const advertisement = { provider_id: 'a', name: 'Göteborg ⚡', resources: { cpu: 4 } };
    const event = codec.extend({ op: 'added' }, 'advertisement', codec.encode(advertisement));
    const removed = codec.encode({ op: 'removed', provider_id: 'b', reason: 'expired' });
    const frame = codec.extendList({ type: 'events', stream: 's1', cursor: 'e:1' }, 'events', [
      event,
      removed,
    ]);
    assert.deepEqual(readers[codec.name as CodecName](frame), {
      type: 'events',
      stream: 's1',
      cursor: 'e:1',
      events: [
        { op: 'added', advertisement },
        { op: 'removed', provider_id: 'b', reason: 'expired' },
      ],
    });
  });

  test(`${codec.name}: frames that were encoded before are not touched by those that follow`, () => {
    const frames = Array.from({ length: 2000 }, (_, index) =>
      codec.encode({ type: 'x', index, filler: 'f'.repeat(index % 50) }),
    );
    frames.forEach((frame, index) => {
      assert.equal((readers[codec.name as CodecName](frame) as { index: number }).index, index);
    });
  });

  test(`${codec.name}: no bytes make the decoder throw`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const decoded = codec.decode(bytes);
        if (!decoded.ok) assert.ok(decoded.problem.length > 0);
      }),
      { numRuns: 1000 },
    );
  });
}

test('a member that is undefined is left out in JSON and nil in MessagePack', () => {
  assert.deepEqual(readers.json(CODECS.json.encode({ a: undefined, b: 1 })), { b: 1 });
  assert.deepEqual(readers.msgpack(CODECS.msgpack.encode({ a: undefined, b: 1 })), { a: null, b: 1 });
});

test('byte strings are joined in order', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 8 }), (parts) => {
      assert.deepEqual(Buffer.from(concat(parts)), Buffer.concat(parts));
    }),
  );
});

test('the first known subprotocol that was offered is taken; none means JSON; only unknown ones mean none', () => {
  const negotiate = (offered: string) => {
    const result = negotiateCodec(offered);
    return result && [result.codec.name, result.subprotocol];
  };
  assert.deepEqual(negotiate(''), ['json', '']);
  assert.deepEqual(negotiate('  '), ['json', '']);
  assert.deepEqual(negotiate('vm-discovery.v1.json'), ['json', 'vm-discovery.v1.json']);
  assert.deepEqual(negotiate('vm-discovery.v1.msgpack'), ['msgpack', 'vm-discovery.v1.msgpack']);
  assert.deepEqual(negotiate('chat, vm-discovery.v1.msgpack , vm-discovery.v1.json'), [
    'msgpack',
    'vm-discovery.v1.msgpack',
  ]);
  for (const offered of [
    'chat',
    'vm-discovery.v2.json',
    'VM-DISCOVERY.V1.JSON',
    'vm-discovery.v1.json2',
    ',',
  ])
    assert.equal(negotiate(offered), null, offered);
});

test('members with the names that libraries call on objects are written like any others', () => {
  const value = {
    constructor: 1,
    toJSON: 'x',
    toString: 2,
    then: 3,
    length: 4,
    pricing: { constructor: 'Map', toJSON: 1 },
  };
  for (const codec of Object.values(CODECS)) {
    assert.deepEqual(codec.decode(codec.encode(value)), { ok: true, value });
    assert.deepEqual(
      codec.decode(codec.extend({ toJSON: 1, constructor: 2 }, 'toJSON2', codec.encode(value))),
      {
        ok: true,
        value: { toJSON: 1, constructor: 2, toJSON2: value },
      },
    );
  }
});
