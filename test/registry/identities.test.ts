import assert from 'node:assert/strict';
import test from 'node:test';
import { Identities } from '../../src/registry/identities.js';
import { LIMITS } from '../../src/protocol/limits.js';

const DAY = 24 * 3_600_000;
const T0 = 1_740_063_600_000;
const KEY = 'ab'.repeat(32);

function identitiesWith(...ids: string[]): Identities {
  const identities = new Identities();
  for (const providerId of ids) identities.save({ providerId, publicKey: KEY, lastT: 5, seenAt: T0 });
  return identities;
}

test('a name belongs to its key until 30 days after the last heartbeat', () => {
  assert.equal(LIMITS.bindingLifetimeMs, 30 * DAY);
  const identities = identitiesWith('a');
  assert.equal(identities.ownerOf('a', T0), KEY);
  assert.equal(identities.ownerOf('a', T0 + 30 * DAY), KEY);
  assert.equal(identities.ownerOf('a', T0 + 30 * DAY + 1), undefined);
  assert.equal(identities.get('a', T0 + 30 * DAY + 1), undefined);
});

test('a heartbeat keeps the binding, and one that comes late in order does not shorten it', () => {
  const identities = identitiesWith('a');
  identities.touch('a', T0 + 20 * DAY);
  identities.touch('a', T0 + 10 * DAY);
  assert.equal(identities.ownerOf('a', T0 + 50 * DAY), KEY);
  assert.equal(identities.ownerOf('a', T0 + 50 * DAY + 1), undefined);
  identities.touch('unknown', T0);
  assert.equal(identities.size, 1);
});

test('a binding does not lapse, and is not forgotten, while its owner is here', () => {
  const present = new Set(['a']);
  const identities = new Identities((id) => present.has(id));
  for (const providerId of ['a', 'b']) identities.save({ providerId, publicKey: KEY, lastT: 5, seenAt: T0 });
  const wall = T0 + 400 * DAY;
  identities.sweep(wall, 10);
  assert.equal(identities.size, 1);
  assert.equal(identities.ownerOf('a', wall), KEY);
  present.clear();
  assert.equal(identities.ownerOf('a', wall), undefined);
});

test('a key id is its own key, known or not, for ever', () => {
  const identities = new Identities();
  const other = 'cd'.repeat(32);
  assert.equal(identities.ownerOf(KEY, T0), KEY);
  identities.save({ providerId: KEY, publicKey: KEY, lastT: 5, seenAt: T0 });
  assert.equal(identities.ownerOf(KEY, T0 + 1000 * DAY), KEY);
  assert.notEqual(identities.ownerOf(KEY, T0), other);
});

test('what has lapsed is forgotten round by round, and what has not is kept', () => {
  const ids = Array.from({ length: 100 }, (_, index) => `p${String(index)}`);
  const identities = identitiesWith(...ids);
  ids.filter((_, index) => index % 4 === 0).forEach((id) => identities.touch(id, T0 + 10 * DAY));
  const wall = T0 + 35 * DAY;
  for (let round = 0; round < 12; round += 1) identities.sweep(wall, 10);
  assert.equal(identities.size, 25);
  identities.sweep(wall + 10 * DAY, 1000);
  identities.sweep(wall + 10 * DAY, 1000);
  assert.equal(identities.size, 0);
});

test('a sweep goes on while bindings come and go', () => {
  const identities = identitiesWith('a', 'b');
  identities.sweep(T0, 1);
  identities.save({ providerId: 'c', publicKey: KEY, lastT: 0, seenAt: T0 });
  identities.load({ providerId: 'a', publicKey: KEY, lastT: 9, seenAt: T0 });
  for (let round = 0; round < 5; round += 1) identities.sweep(T0 + DAY, 2);
  assert.equal(identities.size, 3);
  assert.equal(identities.get('a', T0)?.lastT, 9);
});

test('the name of a provider that is here does not lapse, however far the wall clock jumps', () => {
  const present = new Set(['provider-1']);
  const identities = new Identities((providerId) => present.has(providerId));
  identities.save({ providerId: 'provider-1', publicKey: 'ab'.repeat(32), lastT: 1, seenAt: 0 });
  const later = 40 * 24 * 3_600_000;
  identities.sweep(later, 10);
  assert.equal(identities.ownerOf('provider-1', later), 'ab'.repeat(32));
  present.clear();
  assert.equal(identities.ownerOf('provider-1', later), undefined);
});
