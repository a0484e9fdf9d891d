import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../../support/properties.js';
import { Packr } from 'msgpackr';
import { CODECS } from '../../../src/protocol/frames/codec.js';
import { decodeJson } from '../../../src/protocol/json.js';
import { LIMITS } from '../../../src/protocol/limits.js';
import { findMsgpackProblem } from '../../../src/protocol/frames/msgpack-guard.js';

/** How somebody else might have set up the same library. */
const packrs = [new Packr({ useRecords: false }), new Packr({ useRecords: false, variableMapSize: true })];

const character = fc.constantFrom('a', '\u0000', 'é', '日', '😀', '"');
const text = fc.oneof(
  fc.array(character, { maxLength: 40 }).map((characters) => characters.join('')),
  fc.integer({ min: 0, max: 300 }).map((length) => 'x'.repeat(length)),
);
const scalar = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  text,
  fc.uint8Array({ maxLength: 300 }),
);
const value = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(text, tie('value'), { maxKeys: 20, noNullPrototype: true }),
  ),
})).value;
const packed = fc
  .tuple(value, fc.nat(packrs.length - 1))
  .map(([one, index]) => Uint8Array.from(packrs[index]!.pack(one)));

/** Whether there is anything in it that JSON has no counterpart for, binary data aside. */
function hasExtension(one: unknown): boolean {
  if (typeof one !== 'object' || one === null || one instanceof Uint8Array) return typeof one === 'bigint';
  const prototype: unknown = Object.getPrototypeOf(one);
  if (prototype !== Object.prototype && prototype !== null && prototype !== Array.prototype) return true;
  return Object.values(one).some(hasExtension);
}

/** Whatever the guard lets through has to decode to plain values. */
function assertSafe(bytes: Uint8Array): boolean {
  if (findMsgpackProblem(bytes) !== null) {
    assert.equal(CODECS.msgpack.decode(bytes).ok, false);
    return false;
  }
  const decoded = CODECS.msgpack.decode(bytes);
  assert.ok(decoded.ok, `accepted, but not decodable: ${Buffer.from(bytes).toString('hex')}`);
  assert.equal(hasExtension(decoded.value), false, Buffer.from(bytes).toString('hex'));
  return true;
}

test('what MessagePack libraries make of plain values is accepted', () => {
  fc.assert(
    fc.property(packed, (bytes) => {
      assert.equal(findMsgpackProblem(bytes), null);
      assert.ok(assertSafe(bytes));
    }),
    { numRuns: 300 },
  );
});

test('random bytes never make it throw, and what it accepts decodes to plain values', () => {
  let accepted = 0;
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 12 }), (bytes) => {
      accepted += assertSafe(bytes) ? 1 : 0;
    }),
    { numRuns: 5000 },
  );
  assert.ok(accepted > 0);
});

test('two bytes of every kind, with zeros behind them, decode to plain values where they are accepted', () => {
  for (let first = 0; first < 256; first += 1) {
    for (let second = 0; second < 256; second += 1) {
      for (const length of [1, 2, 3, 5, 10])
        assertSafe(Buffer.concat([Buffer.of(first, second), Buffer.alloc(12)]).subarray(0, length));
    }
  }
});

test('frames with bytes changed, removed, put in or cut off never make it throw or let an extension through', () => {
  const special = fc.constantFrom(
    0x40,
    0x72,
    0x7f,
    0x80,
    0x81,
    0x90,
    0x91,
    0xc0,
    0xc1,
    0xc4,
    0xc7,
    0xc9,
    0xd4,
    0xd6,
    0xd7,
    0xdb,
    0xdd,
    0xdf,
    0xff,
  );
  const edit = fc.record({ at: fc.nat(), removed: fc.nat(2), inserted: fc.array(special, { maxLength: 3 }) });
  fc.assert(
    fc.property(packed, fc.array(edit, { minLength: 1, maxLength: 4 }), fc.boolean(), (bytes, edits, cut) => {
      let mutated = Buffer.from(bytes);
      for (const { at, removed, inserted } of edits) {
        const position = at % (mutated.length + 1);
        mutated = Buffer.concat([
          mutated.subarray(0, position),
          Buffer.from(inserted),
          mutated.subarray(position + removed),
        ]);
      }
      assertSafe(cut ? mutated.subarray(0, mutated.length >> 1) : mutated);
    }),
    { numRuns: 2000 },
  );
});

test('a frame that is cut off anywhere, or has something behind its end, is refused', () => {
  fc.assert(
    fc.property(packed, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 3 }), (bytes, at, more) => {
      assert.notEqual(findMsgpackProblem(bytes.subarray(0, at % bytes.length)), null);
      assert.equal(findMsgpackProblem(Buffer.concat([bytes, more])), 'it has bytes behind its end');
    }),
    { numRuns: 300 },
  );
  assert.equal(findMsgpackProblem(new Uint8Array()), 'it ends too early');
});

test('extension types, the byte without a meaning, and keys that are no strings are refused', () => {
  for (const lead of [0xc1, 0xc7, 0xc8, 0xc9, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8]) {
    const bytes = Buffer.concat([Buffer.of(lead, 1), Buffer.alloc(20)]);
    assert.match(findMsgpackProblem(bytes) ?? '', /extension types are not accepted/);
    assert.match(findMsgpackProblem(Buffer.concat([Buffer.of(0x91), bytes])) ?? '', /extension types/);
  }
  for (const key of [0x01, 0xc0, 0xc3, 0x90, 0x80, 0xff])
    assert.equal(findMsgpackProblem(Buffer.of(0x81, key, 0x01)), 'it has a map key that is not a string');
  assert.equal(
    findMsgpackProblem(Buffer.of(0x81, 0xc4, 0x00, 0x01)),
    'it has a map key that is not a string',
  );
  // What libraries use extensions for.
  for (const one of [new Date(0), new Map([[1, 2]]), /x/, new Error('x'), 2n ** 70n, undefined, new Set([1])])
    assert.notEqual(
      findMsgpackProblem(new Packr({ moreTypes: true }).pack({ one })),
      null,
      Object.prototype.toString.call(one),
    );
  assert.notEqual(findMsgpackProblem(new Packr({ useRecords: true }).pack({ one: 1 })), null);
});

test('lengths that are longer than the frame are refused before anything is built', () => {
  const huge = Buffer.of(0xff, 0xff, 0xff, 0xff);
  for (const lead of [0xdd, 0xdf, 0xdb, 0xc6])
    assert.match(findMsgpackProblem(Buffer.concat([Buffer.of(lead), huge])) ?? '', /than it has bytes/);
});

test('containers may lie 16 deep, as in JSON', () => {
  for (let depth = 1; depth <= 40; depth += 1) {
    const lists = Buffer.concat([Buffer.alloc(depth, 0x91), Buffer.of(0xc0)]);
    const maps = Buffer.concat([...Array<Buffer>(depth).fill(Buffer.of(0x81, 0xa1, 0x61)), Buffer.of(0xc0)]);
    const json = Buffer.from(`${'['.repeat(depth)}null${']'.repeat(depth)}`);
    assert.equal(findMsgpackProblem(lists) === null, depth <= LIMITS.maxDepth);
    assert.equal(findMsgpackProblem(maps) === null, depth <= LIMITS.maxDepth);
    assert.equal(decodeJson(json).ok, depth <= LIMITS.maxDepth);
  }
  assert.notEqual(findMsgpackProblem(Buffer.alloc(LIMITS.maxFrameBytes, 0x91)), null);
});

test('a frame may have 4096 values, as in JSON, keys not counted', () => {
  const packr = packrs[0]!;
  for (const count of [4094, 4095, 4096, 4097]) {
    const list = Array.from({ length: count }, () => 0);
    const map = Object.fromEntries(list.map((zero, index) => [`k${String(index)}`, zero]));
    for (const one of [list, map]) {
      // The container itself is a value too.
      const fits = count + 1 <= LIMITS.maxValues;
      assert.equal(findMsgpackProblem(packr.pack(one)) === null, fits, String(count));
      assert.equal(decodeJson(Buffer.from(JSON.stringify(one))).ok, fits, String(count));
    }
  }
});

test('a reader of snapshots may allow more values, in both wire forms, but not more depth', () => {
  const list = Array.from({ length: 5000 }, () => 0);
  const deep = Buffer.from(`${'['.repeat(17)}${']'.repeat(17)}`);
  for (const codec of Object.values(CODECS)) {
    const bytes = codec.encode(list);
    assert.equal(codec.decode(bytes).ok, false);
    assert.equal(codec.decode(bytes, 5000).ok, false);
    assert.deepEqual(codec.decode(bytes, 5001), { ok: true, value: list });
    assert.equal(codec.decode(codec.encode(JSON.parse(deep.toString())), 5001).ok, false);
  }
});

test('what both wire forms accept of the same value is the same', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 5000 }), (depth, width) => {
      let one: unknown = Array.from({ length: width }, () => 0);
      for (let level = 0; level < depth; level += 1) one = level % 2 === 0 ? [one] : { a: one };
      const json = decodeJson(Buffer.from(JSON.stringify(one)));
      assert.equal(CODECS.msgpack.decode(packrs[0]!.pack(one)).ok, json.ok);
    }),
    { numRuns: 100 },
  );
});
