import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../support/properties.js';
import { Identities } from '../../src/registry/identities.js';
import { LIMITS } from '../../src/protocol/limits.js';
import { sequences, steps } from '../support/worlds/steps.js';

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

// Each withdrawal of nothing under a fresh key left a record for 30 days.
test('what a key id signed last is remembered for half an hour, longer than anything it signed could be replayed', () => {
  assert.ok(LIMITS.keyMemoryMs > 2 * LIMITS.maxClockSkewMs);
  const identities = new Identities();
  identities.save({ providerId: KEY, publicKey: KEY, lastT: 5, seenAt: T0 });
  assert.equal(identities.get(KEY, T0 + LIMITS.keyMemoryMs)?.lastT, 5);
  assert.equal(identities.get(KEY, T0 + LIMITS.keyMemoryMs + 1), undefined);
  identities.sweep(T0 + LIMITS.keyMemoryMs + 1, 10);
  assert.equal(identities.size, 0);
});

test('there is room for 100,000 key ids, however many names there are', () => {
  const identities = new Identities();
  const keyOf = (index: number): string => index.toString(16).padStart(64, '0');
  for (let index = 0; index < 100_000; index += 1) {
    assert.equal(identities.isFull, false);
    for (const providerId of [keyOf(index), `name-${String(index)}`]) {
      identities.save({ providerId, publicKey: keyOf(index), lastT: 5, seenAt: T0 });
    }
    identities.save({ providerId: keyOf(index), publicKey: keyOf(index), lastT: 6, seenAt: T0 });
  }
  assert.equal(identities.isFull, true);
  identities.sweep(T0 + LIMITS.keyMemoryMs + 1, 1_000_000);
  assert.equal(identities.isFull, false);
  assert.equal(identities.size, 100_000);
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

interface Told {
  publicKey: string;
  lastT: number;
  seenAt: number;
}

/** Compares with a map that keeps every binding, whatever advertisements tell. */
class BindingModel {
  readonly advertised = new Map<string, Told>();
  readonly identities = new Identities(
    (id) => this.advertised.has(id),
    (id) => {
      const told = this.advertised.get(id);
      return told && { providerId: id, ...told };
    },
  );
  readonly all = new Map<string, Told>();
  wall = T0;

  advertise(id: string, publicKey: string): void {
    const told = { publicKey, lastT: this.wall, seenAt: this.wall };
    this.identities.save({ providerId: id, ...told });
    this.advertised.set(id, { ...told });
    this.identities.settle(id);
    this.all.set(id, { ...told });
  }

  heartbeat(id: string): void {
    const told = this.advertised.get(id);
    if (told === undefined) return;
    told.seenAt = this.wall;
    this.identities.touch(id, this.wall);
    this.all.get(id)!.seenAt = this.wall;
  }

  /** With a signed time when it is withdrawn rather than expired. */
  remove(id: string, isSigned: boolean): void {
    const told = this.advertised.get(id);
    if (told === undefined) return;
    if (isSigned) {
      const record = { publicKey: told.publicKey, lastT: this.wall, seenAt: this.wall };
      this.identities.save({ providerId: id, ...record });
      this.all.set(id, record);
    }
    this.identities.retain(id);
    this.advertised.delete(id);
  }

  /** All is read back from a file: what advertisements tell may come along or not, and in any order. */
  restart(isToldAgain: boolean): void {
    const records = [...this.all].filter(([id]) => isToldAgain || !this.advertised.has(id));
    const fresh = new Identities(
      (id) => this.advertised.has(id),
      (id) => {
        const told = this.advertised.get(id);
        return told && { providerId: id, ...told };
      },
    );
    for (const [providerId, record] of records) fresh.load({ providerId, ...record });
    Object.assign(this, { identities: fresh });
  }

  check(): void {
    this.identities.sweep(this.wall, 3);
    for (const id of IDS) {
      const known = this.all.get(id);
      const lifetime = known?.publicKey === id ? LIMITS.keyMemoryMs : 30 * DAY;
      const isOver = known === undefined || (this.wall - known.seenAt > lifetime && !this.advertised.has(id));
      const expected = isOver ? undefined : { providerId: id, ...known };
      if (isOver) this.all.delete(id);
      assert.deepEqual(this.identities.get(id, this.wall), expected);
    }
    const untold = [...this.all.keys()].filter((id) => !this.advertised.has(id));
    assert.ok(this.identities.size >= untold.length);
  }
}

const IDS = ['a', 'b', 'c', KEY] as const;
const id = fc.constantFrom(...IDS);
const bindingStep = fc.oneof(
  steps('advertise', [id, fc.constantFrom(KEY, 'cd'.repeat(32))], (model: BindingModel, one, key) => {
    model.advertise(one, key);
  }),
  steps('heartbeat', [id], (model: BindingModel, one) => {
    model.heartbeat(one);
  }),
  steps('remove', [id, fc.boolean()], (model: BindingModel, one, isSigned) => {
    model.remove(one, isSigned);
  }),
  steps('restart', [fc.boolean()], (model: BindingModel, isToldAgain) => {
    model.restart(isToldAgain);
  }),
  steps('wait', [fc.constantFrom(1, 1000, DAY, 16 * DAY, 31 * DAY)], (model: BindingModel, ms) => {
    model.wall += ms;
  }),
);

test('what advertisements tell of bindings is the same as if all were kept', () => {
  fc.assert(
    fc.property(sequences(bindingStep, 40), (sequence) => {
      const model = new BindingModel();
      for (const one of sequence) {
        one.run(model);
        model.check();
      }
    }),
    { numRuns: 500 },
  );
});

test('a binding that its advertisement tells of costs no record', () => {
  const model = new BindingModel();
  for (const one of IDS) model.advertise(one, KEY);
  assert.equal(model.identities.size, 0);
  model.restart(true);
  assert.equal(model.identities.size, 0);
  model.remove('a', false);
  assert.equal(model.identities.size, 1);
});
