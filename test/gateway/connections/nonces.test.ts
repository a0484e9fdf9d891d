import assert from 'node:assert/strict';
import test from 'node:test';
import { Nonces } from '../../../src/gateway/connections/nonces.js';

test('every nonce is new, also after those that were drawn together', () => {
  const nonces = new Nonces();
  const all = Array.from({ length: 2000 }, () => nonces.next());
  for (const nonce of all) assert.match(nonce, /^[0-9a-f]{64}$/);
  assert.equal(new Set(all).size, all.length);
  // No part of one is to be found in another, as it would be if bytes were handed out twice.
  const halves = all.flatMap((nonce) => [nonce.slice(0, 32), nonce.slice(32)]);
  assert.equal(new Set(halves).size, halves.length);
});
