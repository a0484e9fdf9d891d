import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { PublishedAdvertisement } from '../../../src/protocol/advertisement.js';
import type { Filter } from '../../../src/protocol/filter.js';
import { matchingSlots } from '../../../src/registry/lists/query.js';
import { type Snapshot, Snapshots } from '../../../src/registry/store/snapshot.js';
import { type Content, content, filter } from '../../support/arbitraries.js';
import { comparable, RegistryWorld } from '../../support/registry-world.js';
import { sequences, type Step, steps } from '../../support/steps.js';
import { CONTENT } from '../../support/contents.js';

interface Reading {
  filter: Filter;
  snapshot: Snapshot;
  read: Map<string, string>;
}

/** A registry whose rows are set aside for snapshots of the test before they change. */
class SnapshotWorld extends RegistryWorld {
  readonly #snapshots = new Snapshots(this.registry.store);

  constructor(settings: { expiryMs?: number } = {}) {
    super(settings);
    const { changes } = this.registry;
    const append = changes.append.bind(changes);
    // The last step before a row changes.
    changes.append = (seq, id, current, reason) => {
      if (current !== null) this.#snapshots.preserve(current.slot);
      return append(seq, id, current, reason);
    };
  }

  openSnapshot(asked: Filter): Snapshot {
    const { store } = this.registry;
    return this.#snapshots.open(matchingSlots(store, store.predicates.of(asked)), this.seq);
  }
}

/** Readers that take their time while the registry goes on. */
class Readers {
  readonly world = new SnapshotWorld({ expiryMs: 1000 });
  readonly #readings: Reading[] = [];

  open(asked: Filter): void {
    const snapshot = this.world.openSnapshot(asked);
    assert.equal(snapshot.seq, this.world.seq);
    this.#readings.push({ filter: asked, snapshot, read: new Map() });
  }

  read(pick: number, max: number): void {
    const reading = this.#readings[pick % Math.max(1, this.#readings.length)];
    if (reading === undefined) return;
    const { snapshot, read } = reading;
    const fragments = snapshot.read(max);
    assert.ok(fragments.length <= max);
    assert.equal(fragments.length, Math.min(max, snapshot.size - read.size));
    for (const fragment of fragments) {
      const advertisement = JSON.parse(Buffer.from(fragment).toString('utf8')) as PublishedAdvertisement;
      assert.ok(!read.has(advertisement.provider_id), 'it was read twice');
      read.set(advertisement.provider_id, comparable(advertisement));
    }
    assert.equal(snapshot.done, read.size === snapshot.size);
    if (!snapshot.done) return;
    const expected = this.world.matching(reading.filter, snapshot.seq);
    assert.deepEqual([...read].sort(), [...expected].sort());
    assert.equal(snapshot.setAsideBytes, 0, 'rows are kept that nobody will read');
    this.#readings.splice(this.#readings.indexOf(reading), 1);
  }

  finish(): void {
    while (this.#readings.length > 0) this.read(0, 3);
  }
}

const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
const step: fc.Arbitrary<Step<Readers>> = fc.oneof(
  {
    weight: 6,
    arbitrary: steps('advertise', [id, content], ({ world }: Readers, one, said: Content) => {
      world.advertise(one, said);
    }),
  },
  {
    weight: 3,
    arbitrary: steps('withdraw', [id], ({ world }: Readers, one) => {
      world.withdraw(one);
    }),
  },
  steps('attach', [id], ({ world }: Readers, one) => {
    world.attach(one);
  }),
  steps('detach', [id], ({ world }: Readers, one) => {
    world.detach(one);
  }),
  steps('heartbeat', [id], ({ world }: Readers, one) => {
    world.heartbeat(one);
  }),
  steps('pass', [fc.constantFrom(200, 600, 1000)], ({ world }: Readers, ms) => {
    world.pass(ms);
  }),
  {
    weight: 3,
    arbitrary: steps('open', [filter], (readers: Readers, asked) => {
      readers.open(asked);
    }),
  },
  steps('open all', [], (readers: Readers) => {
    readers.open({});
  }),
  {
    weight: 4,
    arbitrary: steps('read', [fc.nat(), fc.integer({ min: 1, max: 3 })], (readers: Readers, pick, max) => {
      readers.read(pick, max);
    }),
  },
);

test('a snapshot reads the truth of its cursor, while rows change, go, and their slots are used again', () => {
  fc.assert(
    fc.property(sequences(step, 100), (sequence) => {
      const readers = new Readers();
      for (const one of sequence) one.run(readers);
      readers.finish();
    }),
    { numRuns: 500 },
  );
});

test('only rows that are still to be read are set aside, and no longer than until they are read', () => {
  const world = new SnapshotWorld();
  for (const one of ['a', 'b', 'c']) world.advertise(one, CONTENT);
  const snapshot = world.openSnapshot({});
  assert.equal(snapshot.size, 3);
  snapshot.read(1);
  world.withdraw('a');
  assert.equal(snapshot.setAsideBytes, 0);
  world.advertise('b', { ...CONTENT, name: 'changed' });
  const bytes: number = snapshot.setAsideBytes;
  assert.notEqual(bytes, 0);
  world.withdraw('b');
  assert.equal(snapshot.setAsideBytes, bytes, 'a row is set aside once');
  assert.match(Buffer.from(snapshot.read(1)[0]!).toString('utf8'), /"provider_id":"b".*"name":null/);
  assert.equal(snapshot.setAsideBytes, 0);
});

test('a snapshot that is closed sets nothing aside any more', () => {
  const world = new SnapshotWorld();
  for (const one of ['a', 'b']) world.advertise(one, CONTENT);
  const snapshot = world.openSnapshot({});
  world.withdraw('a');
  snapshot.close();
  world.withdraw('b');
  assert.equal(snapshot.setAsideBytes, 0);
});

test('a snapshot without matches is done before it is read', () => {
  const snapshot = new SnapshotWorld().openSnapshot({});
  assert.equal(snapshot.done, true);
  assert.deepEqual(snapshot.read(10), []);
});
