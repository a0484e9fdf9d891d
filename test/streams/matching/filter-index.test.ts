import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../../support/properties.js';
import type { Filter } from '../../../src/protocol/filters/filter.js';
import { hasBit, lowestBit, wordsFor } from '../../../src/lib/bitmap.js';
import { FilterIndex } from '../../../src/streams/matching/filter-index.js';
import { renderHead } from '../../../src/registry/store/advertisement-json.js';
import { Predicate } from '../../../src/registry/store/predicate.js';
import { Store } from '../../../src/registry/store/store.js';
import { ThresholdIndex } from '../../../src/streams/matching/threshold-index.js';
import { ValueIndex } from '../../../src/streams/matching/value-index.js';
import { content, filter, recordOf } from '../../support/data/arbitraries.js';
import { matches } from '../../support/worlds/naive.js';
import { sequences, steps } from '../../support/worlds/steps.js';
import { CONTENT } from '../../support/data/contents.js';

const LEASE = { updatedAt: 0, expiresAt: 0, deadline: 0 };

function bitsOf(bitmap: Uint32Array): number[] {
  const bits: number[] = [];
  bitmap.forEach((word, index) => {
    for (let left = word; left !== 0; left &= left - 1) bits.push(index * 32 + lowestBit(left));
  });
  return bits;
}

test('the bits of a word are found one by one, from the lowest', () => {
  fc.assert(
    fc.property(fc.uint32Array({ maxLength: 4 }), (words) => {
      const expected = Array.from({ length: words.length * 32 }, (_, bit) => bit).filter(
        (bit) => ((words[bit >> 5]! >>> (bit & 31)) & 1) === 1,
      );
      assert.deepEqual(bitsOf(words), expected);
      for (const bit of expected) assert.ok(hasBit(words, bit));
      assert.equal(wordsFor(words.length * 32), words.length);
    }),
  );
});

// ---- thresholds -----------------------------------------------------------------------------------------------

class ThresholdModel {
  readonly index = new ThresholdIndex();
  readonly thresholds = new Map<number, number>();
  #words = 4;

  insert(threshold: number, count: number): void {
    for (let added = 0; added < count; added += 1) {
      let handle = 0;
      while (this.thresholds.has(handle)) handle += 1;
      if (handle >= this.#words * 32) {
        this.#words *= 2;
        this.index.invalidate();
      }
      this.thresholds.set(handle, threshold + added);
      this.index.insert(threshold + added, handle);
    }
  }

  remove(pick: number, count: number): void {
    for (let removed = 0; removed < count && this.thresholds.size > 0; removed += 1) {
      const [handle, threshold] = [...this.thresholds][pick % this.thresholds.size]!;
      this.thresholds.delete(handle);
      this.index.remove(threshold, handle);
    }
  }

  check(value: number): void {
    const bitmap = this.index.candidates(value, this.#words);
    const candidates = new Set(bitmap === null ? [] : bitsOf(bitmap));
    let met = 0;
    for (const [handle, threshold] of this.thresholds) {
      if (threshold > value) continue;
      met += 1;
      assert.ok(candidates.has(handle), `${String(handle)} is missing`);
    }
    for (const handle of candidates) assert.ok(this.thresholds.has(handle), `${String(handle)} is not there`);
    assert.ok(candidates.size - met < 64, `${String(candidates.size - met)} too many`);
  }
}

test('a value meets the thresholds that are at most as high, and few others, while they come and go', () => {
  const small = fc.nat(20);
  const check = steps('check', [fc.nat(200)], (model: ThresholdModel, value) => {
    model.check(value);
  });
  const step = fc.oneof(
    steps('insert', [small, fc.constantFrom(1, 3, 70, 150)], (model: ThresholdModel, threshold, count) => {
      model.insert(threshold, count);
    }),
    steps('remove', [fc.nat(), fc.constantFrom(1, 3, 60)], (model: ThresholdModel, pick, count) => {
      model.remove(pick, count);
    }),
    { weight: 3, arbitrary: check },
  );
  fc.assert(
    fc.property(sequences(step, 30), (sequence) => {
      const model = new ThresholdModel();
      for (const one of sequence) one.run(model);
      for (const value of [0, 5, 19, 20, 21, 100, 200]) model.check(value);
    }),
    { numRuns: 150 },
  );
});

// ---- values ---------------------------------------------------------------------------------------------------

class ValueModel {
  #words = 2;
  readonly index = new ValueIndex(this.#words);
  readonly accepted = new Map<number, number[] | null>();

  insert(values: number[] | null, count: number): void {
    for (let added = 0; added < count; added += 1) {
      let handle = 0;
      while (this.accepted.has(handle)) handle += 1;
      if (handle >= this.#words * 32) this.index.grow((this.#words *= 2));
      this.accepted.set(handle, values);
      this.index.insert(values, handle);
    }
  }

  remove(pick: number, count: number): void {
    for (let removed = 0; removed < count && this.accepted.size > 0; removed += 1) {
      const [handle, values] = [...this.accepted][pick % this.accepted.size]!;
      this.accepted.delete(handle);
      this.index.remove(values, handle);
    }
  }

  check(value: number): void {
    const expected = [...this.accepted].flatMap(([handle, values]) =>
      values === null || values.includes(value) ? [handle] : [],
    );
    assert.deepEqual(
      bitsOf(this.index.accepting(value)),
      expected.sort((a, b) => a - b),
    );
  }
}

test('a value meets exactly the filters that ask for it or for nothing, while they come and go', () => {
  const values = fc.option(fc.uniqueArray(fc.nat(4), { minLength: 1, maxLength: 3 }));
  const step = fc.oneof(
    steps('insert', [values, fc.constantFrom(1, 3, 80)], (model: ValueModel, accepted, count) => {
      model.insert(accepted, count);
    }),
    steps('remove', [fc.nat(), fc.constantFrom(1, 3, 90)], (model: ValueModel, pick, count) => {
      model.remove(pick, count);
    }),
    steps('check', [fc.nat(5)], (model: ValueModel, value) => {
      model.check(value);
    }),
  );
  fc.assert(
    fc.property(sequences(step, 30), (sequence) => {
      const model = new ValueModel();
      for (const one of sequence) one.run(model);
      for (let value = 0; value < 6; value += 1) model.check(value);
    }),
    { numRuns: 150 },
  );
});

/** Of which some are so few that rows have to keep their facts as texts. */
const maxFacts = fc.constantFrom(0, 2, 5, 1000);

// ---- whole filters --------------------------------------------------------------------------------------------

test('a predicate says of every row what the contract says of the advertisement', () => {
  fc.assert(
    fc.property(content, filter, fc.boolean(), maxFacts, (one, asked, live, most) => {
      const store = new Store(most);
      const record = recordOf('a', one);
      const slot = store.add(record, renderHead(record), LEASE, live);
      const expected = matches(asked, store.advertisement(slot));
      assert.equal(new Predicate(asked, store.numbers).matches(store.attributes, slot), expected);
    }),
    { numRuns: 1500 },
  );
});

/** Rows and filters that come and go at the same time. */
class FilterModel {
  readonly store: Store;
  readonly index: FilterIndex;
  readonly filters = new Map<number, Filter>();
  readonly slots: number[] = [];
  #nextId = 0;

  /** @param most Different facts that rows may have numbers for. */
  constructor(most = 1000) {
    this.store = new Store(most);
    this.index = new FilterIndex(this.store.numbers);
  }

  addFilters(filters: readonly Filter[], times: number): void {
    for (let round = 0; round < times; round += 1) {
      for (const one of filters) {
        const handle = this.index.add(one);
        assert.ok(!this.filters.has(handle), 'a handle was given out twice');
        this.filters.set(handle, one);
      }
    }
    assert.equal(this.index.size, this.filters.size);
  }

  removeFilters(pick: number, count: number): void {
    for (let removed = 0; removed < count && this.filters.size > 0; removed += 1) {
      const handle = [...this.filters.keys()][pick % this.filters.size]!;
      this.filters.delete(handle);
      this.index.remove(handle);
    }
    assert.equal(this.index.size, this.filters.size);
  }

  addRow(one: Parameters<typeof recordOf>[1], live: boolean): void {
    const record = recordOf(`p${String((this.#nextId += 1))}`, one);
    this.slots.push(this.store.add(record, renderHead(record), LEASE, live));
  }

  removeRow(pick: number): void {
    const [slot] = this.slots.splice(pick % Math.max(1, this.slots.length), 1);
    if (slot !== undefined) this.store.remove(slot);
  }

  check(): void {
    for (const slot of this.slots) {
      const advertisement = this.store.advertisement(slot);
      const expected = [...this.filters].flatMap(([handle, one]) =>
        matches(one, advertisement) ? [handle] : [],
      );
      assert.deepEqual(
        this.index.match(this.store.attributes, slot),
        expected.sort((a, b) => a - b),
      );
      for (const [handle, one] of this.filters)
        assert.equal(
          this.index.predicate(handle).matches(this.store.attributes, slot),
          matches(one, advertisement),
        );
    }
  }
}

const step = fc.oneof(
  steps(
    'add filters',
    [fc.array(filter, { minLength: 1, maxLength: 6 }), fc.constantFrom(1, 1, 1, 30)],
    (model: FilterModel, filters, times) => {
      model.addFilters(filters, times);
    },
  ),
  steps('remove filters', [fc.nat(), fc.constantFrom(1, 2, 100)], (model: FilterModel, pick, count) => {
    model.removeFilters(pick, count);
  }),
  steps('add a row', [content, fc.boolean()], (model: FilterModel, one, live) => {
    model.addRow(one, live);
  }),
  steps('remove a row', [fc.nat()], (model: FilterModel, pick) => {
    model.removeRow(pick);
  }),
  steps('check', [], (model: FilterModel) => {
    model.check();
  }),
);

test('the index finds exactly the filters that a loop over all of them would find, while both rows and filters come and go', () => {
  fc.assert(
    fc.property(sequences(step, 40), maxFacts, (sequence, most) => {
      const model = new FilterModel(most);
      for (const one of sequence) one.run(model);
      model.check();
      model.removeFilters(0, model.filters.size);
      while (model.slots.length > 0) model.removeRow(0);
      assert.equal(model.store.numbers.size, 0, 'texts are held that nobody uses');
    }),
    { numRuns: 120 },
  );
});

test('several hundred filters in one index are found one by one', () => {
  const model = new FilterModel();
  const filters = Array.from({ length: 700 }, (_, index): Filter => ({
    cpu: 1 + (index % 350),
    memory: 1 + (index >> 1),
  }));
  model.addFilters(filters, 1);
  for (const cpu of [1, 64, 128, 350]) {
    for (const memory of [1, 65, 300])
      model.addRow({ ...CONTENT, resources: { cpu, memory, storage: 1 } }, true);
  }
  model.check();
  model.removeFilters(3, 300);
  model.check();
  model.addFilters(filters.slice(100, 200), 2);
  model.check();
});
