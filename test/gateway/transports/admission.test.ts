import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Admission } from '../../../src/gateway/transports/admission.js';

/** Admission with a clock that the test moves. */
function admission(maxSilentPerAddress: number): { door: Admission; pass: (ms: number) => void } {
  let now = 0;
  const door = new Admission({ maxConnections: 100, maxSilentPerAddress }, () => now);
  return { door, pass: (ms) => (now += ms) };
}

test('each address may have so many silent connections, and one more for each that goes or asks', () => {
  const { door } = admission(2);
  const gone = [door.listenTo('a'), door.listenTo('a')];
  assert.equal(door.listenTo('a'), null);
  assert.notEqual(door.listenTo('b'), null);
  assert.equal(door.refused, 1);
  gone[0]!();
  gone[0]!();
  assert.notEqual(door.listenTo('a'), null, 'one has gone');
  assert.equal(door.listenTo('a'), null, 'and only one');
  door.heard('a');
  assert.notEqual(door.listenTo('a'), null, 'one has asked for something');
  assert.equal(door.listenTo('a'), null);
});

test('nothing is kept of connections that are not silent any more, even where it is not known which they are', () => {
  const { door, pass } = admission(10);
  const first = door.listenTo('a')!;
  door.listenTo('a');
  // The second asks, which speaks for the first; then the first goes, and the second stays for ever.
  door.heard('a');
  first();
  assert.equal(door.silent, 1);
  pass(15_000);
  door.listenTo('b')!();
  assert.equal(door.silent, 0);
  door.heard('nobody');
});
