import assert from 'node:assert/strict';
import test from 'node:test';
import { formatTime, parseTime } from '../../../src/registry/mirror/time.js';
import { randomSource } from '../../support/random.js';

test('writes the form of the first generation', () => {
  assert.equal(formatTime(Date.UTC(2025, 1, 20, 15, 4, 5, 7)), '2025-02-20 15:04:05.007000');
  assert.equal(formatTime(0), '1970-01-01 00:00:00.000000');
});

test('reads what it wrote', () => {
  const random = randomSource(1);
  for (let i = 0; i < 10_000; i += 1) {
    const ms = Math.floor(random() * Date.UTC(2200, 0));
    assert.equal(parseTime(formatTime(ms)), ms);
  }
});

test('reads fractions of any length and none', () => {
  const second = Date.UTC(2025, 1, 20, 15, 0, 0);
  assert.equal(parseTime('2025-02-20 15:00:00'), second);
  assert.equal(parseTime('2025-02-20T15:00:00'), second);
  assert.equal(parseTime('2025-02-20 15:00:00.5'), second + 500);
  assert.equal(parseTime('2025-02-20 15:00:00.57'), second + 570);
  assert.equal(parseTime('2025-02-20 15:00:00.123999'), second + 123);
});

test('says null to what is no time', () => {
  for (const value of [
    null,
    5,
    '',
    'yesterday',
    '2025-02-20',
    '2025-02-20 15:00',
    '2025-02-20 15:00:00.',
    '2025-02-20 15:00:00+01:00',
  ]) {
    assert.equal(parseTime(value), null, String(value));
  }
});
