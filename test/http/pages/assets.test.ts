import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pickEncoding } from '../../../src/http/pages/assets.js';

test("an encoding is picked that the reader takes, the hub's favourite first", () => {
  const available = ['br', 'gzip'];
  for (const [accepted, expected] of [
    ['', null],
    ['gzip', 'gzip'],
    ['GZIP, Br', 'br'],
    ['gzip;q=1.0, br;q=0', 'gzip'],
    ['br;q=0.000, gzip;q=0', null],
    ['*', 'br'],
    ['*;q=0', null],
    ['br;q=0, *', 'gzip'],
    ['identity', null],
    ['gzip;q=0.001', 'gzip'],
    ['xgzip, brotli', null],
    [';;;,,,q=0', null],
  ] as const) {
    assert.equal(pickEncoding(accepted, available), expected, accepted);
  }
});
