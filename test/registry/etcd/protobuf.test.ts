import assert from 'node:assert/strict';
import test from 'node:test';
import { decode, encode, type Fields } from '../../../src/registry/etcd/client/protobuf.js';
import fc from '../../support/properties.js';

const INNER = { name: [1, 'text'], big: [2, 'big'] } as const satisfies Fields;
const OUTER = {
  bytes: [1, 'bytes'],
  text: [2, 'text'],
  number: [3, 'number'],
  big: [16, 'big'],
  flag: [5, 'flag'],
  one: [6, { one: INNER }],
  many: [2047, { many: INNER }],
} as const satisfies Fields;

const inner = fc.record(
  { name: fc.string(), big: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) },
  { noNullPrototype: true },
);
const outer = fc.record(
  {
    bytes: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    text: fc.string(),
    number: fc.maxSafeInteger(),
    big: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    flag: fc.boolean(),
    one: inner,
    many: fc.array(inner, { maxLength: 3 }),
  },
  { noNullPrototype: true },
);

test('what was encoded is decoded, every value and none more', () => {
  fc.assert(
    fc.property(outer, (message) => {
      assert.deepEqual(decode(OUTER, encode(OUTER, message)), message);
    }),
  );
});

test('messages are encoded as the examples of the protobuf documentation', () => {
  const example = { a: [1, 'number'], b: [2, 'text'], c: [3, { one: { a: [1, 'number'] } }] } as const;
  assert.equal(encode(example, { a: 150 }).toString('hex'), '089601');
  assert.equal(encode(example, { b: 'testing' }).toString('hex'), '120774657374696e67');
  assert.equal(encode(example, { c: { a: 150 } }).toString('hex'), '1a03089601');
  assert.equal(encode(example, { a: -1 }).toString('hex'), '08ffffffffffffffffff01');
});

test('fields that nobody asked for are skipped, those that are missing have their default', () => {
  const sent = { a: [1, 'number'], b: [2, 'text'], c: [3, { one: INNER }], d: [4, 'big'] } as const;
  const bytes = encode(sent, { a: 7, b: 'x', c: { name: 'y' }, d: 9n });
  assert.deepEqual(decode({ d: [4, 'big'], e: [5, 'flag'], f: [6, { one: INNER }] }, bytes), {
    d: 9n,
    e: false,
    f: null,
  });
  const fixed = Buffer.from('0d01020304' + '110102030405060708' + '2001', 'hex');
  assert.deepEqual(decode({ last: [4, 'number'] }, fixed), { last: 1 });
});

test('a message that is cut off anywhere within a field, or is none at all, is refused', () => {
  const bytes = encode(OUTER, { text: 'some text', number: 2 ** 40 });
  for (const length of [1, 2, 5, 10, 12, 16]) {
    assert.throws(() => decode(OUTER, bytes.subarray(0, length)), RangeError, `cut at ${length}`);
  }
  assert.throws(() => decode(OUTER, Buffer.from('0f', 'hex')), /wire type 7/);
  assert.throws(() => decode(OUTER, Buffer.from('08' + 'ff'.repeat(11), 'hex')), /more than ten bytes/);
});
