import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff } from '../../../src/client/connection/backoff.js';

const limits = (backoff: Backoff, tries: number): number[] =>
  Array.from({ length: tries }, () => backoff.next());

test('the limit doubles from half a second and ends at a minute', () => {
  const almostOne = 1 - 2 ** -53;
  const waits = limits(new Backoff(() => almostOne), 12);
  assert.deepEqual(waits.slice(0, 7), [499, 999, 1999, 3999, 7999, 15_999, 31_999]);
  assert.deepEqual(waits.slice(7), Array(5).fill(59_999));
});

test('the jitter is full: any wait from nothing up to the limit', () => {
  assert.deepEqual(limits(new Backoff(() => 0), 10), Array(10).fill(0));
  assert.deepEqual(limits(new Backoff(() => 0.5), 3), [250, 500, 1000]);
});

test('a reset begins anew', () => {
  const backoff = new Backoff(() => 0.5);
  limits(backoff, 5);
  assert.equal(backoff.tries, 5);
  backoff.reset();
  assert.equal(backoff.next(), 250);
});

test('what the hub asks for comes first, the jitter on top, within an hour', () => {
  const backoff = new Backoff(() => 0.5);
  assert.equal(backoff.next(7000), 7250);
  assert.equal(backoff.next(1e12), 3_600_500);
});

test('the limit stays finite after any number of tries', () => {
  const backoff = new Backoff(() => 0.5);
  limits(backoff, 5000);
  assert.equal(backoff.next(), 30_000);
});
