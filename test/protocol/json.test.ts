import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../support/properties.js';
import { decodeJson, parseJson } from '../../src/protocol/json.js';
import { LIMITS } from '../../src/protocol/limits.js';
import {
  characterCount,
  decodeUtf8,
  fromHex,
  hasControlCharacters,
  isWellFormed,
  toHex,
  utf8,
} from '../../src/protocol/text.js';

function problem(bytes: Uint8Array | string): string {
  const decoded = typeof bytes === 'string' ? parseJson(bytes) : decodeJson(bytes);
  assert.ok(!decoded.ok);
  return decoded.problem;
}

test('JSON text within the bounds is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), (text) => {
      assert.deepEqual(decodeJson(utf8(text)), { ok: true, value: JSON.parse(text) as unknown });
    }),
    { numRuns: 300 },
  );
});

test('what is no JSON is refused with a bounded message', () => {
  for (const text of [
    '',
    '{',
    '{]',
    'undefined',
    "{'a':1}",
    '[1,]',
    '\u00a0',
    'NaN',
    '1 2',
    `"${'x'.repeat(1000)}`,
  ]) {
    const message = problem(utf8(text));
    assert.match(message, /^it is not valid JSON \(/);
    assert.ok(message.length < 200);
  }
});

test('bytes that are not well-formed UTF-8 are refused, wherever they are', () => {
  const wrong = ['22ff22', '22c32822', '22eda08022', '22c0af22', '22f490808022', '2280', 'fffe'];
  for (const hex of wrong) assert.equal(problem(fromHex(hex)), 'it is not well-formed UTF-8', hex);
});

test('a byte order mark is not skipped, because it would not be part of what is read', () => {
  assert.match(problem(utf8('\ufeff{}')), /not valid JSON/);
});

test('the walk over a value counts every member once and its depth exactly', () => {
  const shape = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(null, true, 0, 'x'),
      fc.array(tie('value'), { maxLength: 6 }),
      fc.dictionary(fc.constantFrom('a', 'b', '__proto__', 'c'), tie('value'), {
        maxKeys: 4,
        noNullPrototype: true,
      }),
    ),
  })).value;
  const count = (value: unknown): number =>
    1 +
    (typeof value === 'object' && value !== null
      ? Object.values(value).reduce<number>((sum, member) => sum + count(member), 0)
      : 0);
  const depth = (value: unknown): number =>
    typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depth)) : 0;
  fc.assert(
    fc.property(shape, fc.nat(16), fc.integer({ min: 0, max: 4200 }), (inner, levels, filler) => {
      let value: unknown = filler > 3000 ? [inner, Array.from({ length: filler }, () => 0)] : inner;
      for (let level = 0; level < levels; level += 1) value = [value];
      // Read back, so that a member "__proto__" is one like all others.
      const read = JSON.parse(JSON.stringify(value)) as unknown;
      const fits = count(read) <= LIMITS.maxValues && depth(read) <= LIMITS.maxDepth;
      assert.equal(parseJson(JSON.stringify(value)).ok, fits);
    }),
    { numRuns: 400 },
  );
});

test('nesting that would exhaust the stack is refused', () => {
  assert.match(
    problem('['.repeat(30_000) + ']'.repeat(30_000)),
    /nested deeper than 16 levels|not valid JSON/,
  );
  assert.match(problem(`${'{"a":'.repeat(17)}1${'}'.repeat(17)}`), /nested deeper than 16 levels/);
});

test('a member named __proto__ is an own member and changes no prototype', () => {
  const decoded = parseJson('{"__proto__":{"type":"advertise"},"id":1}');
  assert.ok(decoded.ok);
  assert.equal((decoded.value as { type?: string }).type, undefined);
});

test('hex and bytes are turned into each other', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      assert.equal(toHex(bytes), Buffer.from(bytes).toString('hex'));
      assert.deepEqual(fromHex(toHex(bytes)), bytes);
    }),
  );
});

test('strict UTF-8 reads exactly what it wrote, and nothing that is malformed', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 8 }), (bytes) => {
      const text = decodeUtf8(bytes);
      const lenient = Buffer.from(bytes).toString('utf8');
      if (text === null) assert.ok(lenient.includes('\ufffd'));
      else assert.deepEqual(Buffer.from(utf8(text)), Buffer.from(bytes));
    }),
    { numRuns: 1000 },
  );
});

test('lone surrogates, control characters and characters are told as Unicode counts them', () => {
  const unit = fc.constantFrom(
    'a',
    '\ud83d',
    '\ude00',
    '😀',
    '\u0000',
    '\u001f',
    ' ',
    '~',
    '\u007f',
    '\u009f',
    '\u00a0',
  );
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 6 }), (units) => {
      const text = units.join('');
      assert.equal(isWellFormed(text), Buffer.from(text, 'utf8').toString('utf8') === text);
      assert.equal(characterCount(text), Array.from(text).length);
      const control = Array.from(text, (character) => character.codePointAt(0)!).some(
        (code) => code < 0x20 || (code >= 0x7f && code <= 0x9f),
      );
      assert.equal(hasControlCharacters(text), control);
    }),
    { numRuns: 500 },
  );
});
