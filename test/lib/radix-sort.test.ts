import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../support/properties.js';
import { sortByText } from '../../src/lib/radix-sort.js';
import { randomSource } from '../support/random.js';

/** Compares with a plain sort; the numbers of the texts have gaps, as slots do. */
function assertSorted(texts: readonly string[]): void {
  const numbered = texts.flatMap((text) => [undefined, text]);
  const order = Uint32Array.from(texts, (_, index) => 2 * index + 1);
  sortByText(numbered, order);
  assert.deepEqual(
    Array.from(order, (number) => numbered[number]),
    [...texts].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)),
  );
  assert.equal(new Set(order).size, texts.length);
}

const ID_CHARACTERS = Array.from('ABYZabyz0189._:-');
const HEX_DIGITS = Array.from('0123456789abcdef');
const id = fc.string({ unit: fc.constantFrom(...ID_CHARACTERS), minLength: 1, maxLength: 12 });
const key = fc.string({ unit: fc.constantFrom(...HEX_DIGITS), minLength: 64, maxLength: 64 });
const named = fc.nat(5000).map((number) => `provider-of-a-large-fleet-${String(number)}`);
const text = fc.oneof(id, key, named, fc.string({ unit: 'binary', maxLength: 9 }), fc.string());

test('the order is that of a plain sort, for any texts, also equal ones', () => {
  fc.assert(
    fc.property(fc.array(text, { maxLength: 400 }), (texts) => {
      assertSorted(texts);
    }),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(id, key, named), { minLength: 200, maxLength: 2000 }), (texts) => {
      assertSorted(texts);
    }),
    { numRuns: 50 },
  );
});

test('texts that are the beginning of others come before them', () => {
  assertSorted(Array.from({ length: 300 }, (_, length) => 'a'.repeat((length * 7) % 300)));
  assertSorted(Array<string>(100).fill('same'));
  assertSorted(Array<string>(100).fill(''));
});

test('many keys and names at once', () => {
  const random = randomSource(7);
  const digits = (count: number): string =>
    Array.from({ length: count }, () => Math.floor(random() * 16).toString(16)).join('');
  assertSorted(
    Array.from({ length: 30_000 }, (_, index) => (index % 3 === 0 ? `provider-${digits(5)}` : digits(64))),
  );
});
