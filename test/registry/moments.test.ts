import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../support/properties.js';
import type { PublishedAdvertisement } from '../../src/protocol/advertisement.js';
import type { Filter } from '../../src/protocol/filters/filter.js';
import type { Moment } from '../../src/registry/moments.js';
import { Predicate } from '../../src/registry/store/predicate.js';
import { FilterIndex } from '../../src/streams/matching/filter-index.js';
import { type Content, content, filter } from '../support/data/arbitraries.js';
import { comparable, RegistryWorld } from '../support/worlds/registry-world.js';
import { sequences, type Step, steps } from '../support/worlds/steps.js';

interface Reading {
  filter: Filter;
  predicate: Predicate;
  moment: Moment;
  next: number | null;
  read: Map<string, string>;
}

function parse(row: Uint8Array): PublishedAdvertisement {
  return JSON.parse(Buffer.from(row).toString('utf8')) as PublishedAdvertisement;
}

/** Readers that take their time while the registry goes on. */
class Readers {
  readonly world: RegistryWorld;
  overrun = 0;
  readonly #readings: Reading[] = [];
  /** Holds the texts of filters, as streams do. */
  readonly #filters: FilterIndex;

  constructor(replayEvents: number) {
    this.world = new RegistryWorld({ expiryMs: 1000, replayEvents });
    this.#filters = new FilterIndex(this.world.registry.store.numbers);
  }

  open(asked: Filter): void {
    const predicate = this.#filters.predicate(this.#filters.add(asked));
    const moment = this.world.registry.moments.open();
    assert.equal(moment.seq, this.world.seq);
    this.#readings.push({ filter: asked, predicate, moment, next: 0, read: new Map() });
  }

  read(pick: number, most: number): void {
    const reading = this.#readings[pick % Math.max(1, this.#readings.length)];
    if (reading === undefined) return;
    const { moment, predicate, read } = reading;
    assert.equal(moment.isKept, this.world.registry.changes.covers(moment.seq));
    if (!moment.isKept) {
      this.overrun += 1;
      this.#end(reading);
      return;
    }
    const { rows, next, looks } = moment.read(predicate, reading.next!, {
      rows: most,
      bytes: 5000,
      looks: 3,
    });
    assert.ok(rows.length <= most && looks <= 3);
    for (const advertisement of rows.map(parse)) {
      assert.ok(!read.has(advertisement.provider_id), 'it was read twice');
      read.set(advertisement.provider_id, comparable(advertisement));
    }
    reading.next = next;
    if (next !== null) return;
    const expected = this.world.matching(reading.filter, moment.seq);
    assert.deepEqual([...read].sort(), [...expected].sort());
    this.#end(reading);
  }

  finish(): void {
    while (this.#readings.length > 0) this.read(0, 3);
    assert.equal(this.world.registry.moments.bytes, 0, 'rows are kept that nobody will read');
  }

  #end(reading: Reading): void {
    reading.moment.close();
    this.#readings.splice(this.#readings.indexOf(reading), 1);
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
    weight: 6,
    arbitrary: steps('read', [fc.nat(), fc.integer({ min: 1, max: 3 })], (readers: Readers, pick, most) => {
      readers.read(pick, most);
    }),
  },
);

test('a moment stays what it was, while rows change, go, and their slots are used again', () => {
  let overrun = 0;
  fc.assert(
    fc.property(fc.constantFrom(6, 30, 1000), sequences(step, 120), (replayEvents, sequence) => {
      const readers = new Readers(replayEvents);
      for (const one of sequence) one.run(readers);
      readers.finish();
      overrun += readers.overrun;
    }),
    { numRuns: 500 },
  );
  assert.ok(overrun > 20, 'hardly any moment was older than the change log');
});

const CONTENT: Content = {
  ipAddress: '203.0.113.7',
  country: 'SE',
  resources: { cpu: 1, memory: 1, storage: 1 },
  platform: null,
  pricing: null,
  name: null,
  paymentsNetwork: null,
  attributes: null,
  endpoint: null,
};

test('what changed is kept once for all moments, and only what one of them has seen', () => {
  const world = new RegistryWorld();
  const { moments, store } = world.registry;
  world.advertise('a', CONTENT);
  const bytes = store.fragmentBytes(0);
  const open = Array.from({ length: 1000 }, () => moments.open());
  world.advertise('a', { ...CONTENT, name: 'x' });
  assert.equal(moments.bytes, bytes);
  for (const name of ['y', 'z']) world.advertise('a', { ...CONTENT, name });
  assert.equal(moments.bytes, bytes, 'nobody has opened what came in between');
  const all = new Predicate({}, store.numbers);
  const step = { rows: 10, bytes: 10_000, looks: 10 };
  for (const moment of open) assert.equal(parse(moment.read(all, 0, step).rows[0]!).name, null);
  for (const moment of open.slice(1)) moment.close();
  assert.equal(moments.bytes, bytes);
  assert.equal(moments.oldest, open[0]);
  open[0]!.close();
  assert.equal(moments.bytes, 0);
  world.withdraw('a');
  assert.equal(moments.bytes, 0, 'nobody reads any more');
});

test('the oldest moment lets go of what only it needs', () => {
  const world = new RegistryWorld();
  const { moments, store } = world.registry;
  for (const one of ['a', 'b']) world.advertise(one, CONTENT);
  const [older, bytes] = [moments.open(), store.fragmentBytes(0)];
  world.withdraw('a');
  const newer = moments.open();
  world.withdraw('b');
  assert.equal(moments.bytes, 2 * bytes);
  older.close();
  assert.equal(moments.bytes, bytes);
  newer.close();
  assert.equal(moments.bytes, 0);
});

test('a step of reading ends with its rows, its bytes or its looks, whichever comes first', () => {
  const world = new RegistryWorld();
  for (const one of ['a', 'b', 'c', 'd']) world.advertise(one, CONTENT);
  const { moments, store } = world.registry;
  const all = new Predicate({}, store.numbers);
  const moment = moments.open();
  const size = store.fragmentBytes(0);
  const lengths = (step: { rows: number; bytes: number; looks: number }) => {
    const { rows, next, looks } = moment.read(all, 0, step);
    return [rows.length, looks, next];
  };
  assert.deepEqual(lengths({ rows: 2, bytes: 1e6, looks: 100 }), [2, 2, 2]);
  assert.deepEqual(lengths({ rows: 100, bytes: size + 1, looks: 100 }), [2, 2, 2]);
  assert.deepEqual(lengths({ rows: 100, bytes: 1e6, looks: 3 }), [3, 3, 3]);
  assert.deepEqual(lengths({ rows: 4, bytes: 1e6, looks: 100 }), [4, 4, null]);
  assert.deepEqual(
    new RegistryWorld().registry.moments.open().read(all, 0, { rows: 1, bytes: 1, looks: 1 }),
    {
      rows: [],
      next: null,
      looks: 0,
    },
  );
});
