import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../support/properties.js';
import { ISO_BYTES, isoTime, writeIsoTime } from '../../src/lib/iso-time.js';

const YEAR_0 = -62_167_219_200_000;
const END_OF_9999 = 253_402_300_799_999;

function written(wallMs: number): string {
  const target = Buffer.alloc(ISO_BYTES + 4, 0x2e);
  writeIsoTime(target, 2, wallMs);
  assert.equal(target.toString('latin1', 0, 2), '..');
  assert.equal(target.toString('latin1', ISO_BYTES + 2), '..');
  return target.toString('latin1', 2, ISO_BYTES + 2);
}

test('a time is written as Date writes it, from the year 0 to the year 9999, in any order of days', () => {
  const time = fc.oneof(
    fc.integer({ min: YEAR_0, max: END_OF_9999 }),
    fc.integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 }),
    fc.integer({ min: -200_000_000, max: 200_000_000 }),
    fc.integer({ min: -50_000, max: 50_000 }).map((days) => days * 86_400_000),
    fc.integer({ min: -50_000, max: 50_000 }).map((days) => days * 86_400_000 - 1),
    fc.constantFrom(YEAR_0, END_OF_9999, 0, -1, 951_782_400_000, 951_868_799_999),
  );
  fc.assert(
    fc.property(time, (wallMs) => {
      assert.equal(written(wallMs), new Date(wallMs).toISOString());
      assert.equal(isoTime(wallMs), written(wallMs));
    }),
    { numRuns: 5000 },
  );
});

test('fractions of a millisecond are dropped', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: END_OF_9999, noNaN: true }), (wallMs) => {
      assert.equal(written(wallMs), new Date(wallMs).toISOString());
    }),
    { numRuns: 1000 },
  );
});

test('every second of two days is written as Date writes it', () => {
  const start = Date.UTC(2024, 1, 28, 23, 0, 0, 5);
  for (let second = 0; second < 2 * 86_400; second += 7)
    assert.equal(written(start + second * 1001), new Date(start + second * 1001).toISOString());
});

test('every day of five centuries is written as Date writes it', () => {
  for (let ms = Date.UTC(1599, 11, 31); ms < Date.UTC(2101, 0, 2); ms += 86_400_000)
    assert.equal(written(ms), new Date(ms).toISOString());
});
