import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeMsgpack, encodeMsgpack } from '../../../src/client/connection/msgpack.js';
import { CODECS } from '../../../src/protocol/frames/codec.js';
import { byteMutation, mutateBytes } from '../../fuzz/mutations.js';
import fc from '../../support/properties.js';

/** The library reads a member called __proto__ as __proto_; the client leaves it out. */
const name = fc.string({ maxLength: 40 }).filter((text) => text !== '__proto__');

/** Plain data with every size class of texts, lists, maps and numbers in it. */
const plain = fc
  .letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constantFrom<unknown>(
        null,
        true,
        false,
        -0,
        2 ** 32,
        -(2 ** 31),
        2 ** 53,
        -33,
        255,
        256,
        65_536,
        0.1,
      ),
      fc.integer(),
      fc.double(),
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.integer({ min: 250, max: 300 }).map((length) => 'é'.repeat(length)),
      fc.array(tie('tree'), { maxLength: 20 }),
      fc.dictionary(name, tie('tree'), { maxKeys: 20, noNullPrototype: true }),
    ),
  }))
  .tree.map((value) => JSON.parse(JSON.stringify(value ?? null)) as unknown);

const large = fc.constantFrom<unknown>(
  'x'.repeat(70_000),
  new Array<number>(70_000).fill(1),
  Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`m${String(index)}`, index])),
);

test("what a client writes is what the hub's library reads, and the other way round", () => {
  const bothWays = (value: unknown): void => {
    const read = CODECS.msgpack.decode(encodeMsgpack(value), Infinity);
    assert.deepEqual(read, { ok: true, value });
    assert.deepEqual(decodeMsgpack(CODECS.msgpack.encode(value), Infinity), { ok: true, value });
  };
  fc.assert(fc.property(plain, bothWays), { numRuns: 1000 });
  fc.assert(fc.property(large, bothWays), { numRuns: 6 });
});

test('damaged bytes are refused, or read as the library reads them', () => {
  fc.assert(
    fc.property(plain, fc.array(byteMutation, { maxLength: 3 }), (value, damage) => {
      const bytes = mutateBytes(encodeMsgpack(value), damage);
      // The library reads a member called __proto__ as __proto_; here it is left out.
      if (bytes.includes('__proto__')) return;
      const expected = CODECS.msgpack.decode(bytes);
      const read = decodeMsgpack(bytes);
      if (expected.ok) assert.deepEqual(plainOf(read), plainOf(expected));
      else assert.equal(read.ok, false);
    }),
    { numRuns: 3000 },
  );
});

/** Bytes as plain lists: the library makes Node's buffers of them. */
function plainOf(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, part: unknown) => (part instanceof Uint8Array ? [...part] : part)),
  ) as unknown;
}

test('members that are undefined are left out, as in JSON', () => {
  const read = decodeMsgpack(encodeMsgpack({ type: 'x', id: undefined }));
  assert.deepEqual(read, { ok: true, value: { type: 'x' } });
});
