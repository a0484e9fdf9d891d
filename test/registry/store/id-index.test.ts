import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../../support/properties.js';
import { IdIndex } from '../../../src/registry/store/id-index.js';
import { sequences, steps } from '../../support/worlds/steps.js';

/** Ids that sort differently by case, by digits and by length. */
function idOf(number: number): string {
  const text = number.toString(36);
  return number % 3 === 0 ? text.toUpperCase() : number % 3 === 1 ? `p-${text}` : `${text}.${text}`;
}

class IndexModel {
  readonly ids: (string | undefined)[] = [];
  readonly index = new IdIndex(this.ids);
  readonly present = new Map<string, number>();

  insert(id: string): void {
    if (this.present.has(id)) return;
    const slot = this.ids.length;
    this.ids.push(id);
    this.present.set(id, slot);
    this.index.insert(slot);
  }

  remove(id: string): void {
    const slot = this.present.get(id);
    if (slot === undefined) return;
    this.index.remove(slot);
    this.present.delete(id);
    this.ids[slot] = undefined;
  }

  /** Takes out neighbours, so that whole parts of the index become empty. */
  removeRun(from: number, count: number): void {
    const sorted = [...this.present.keys()].sort((a, b) => (a < b ? -1 : 1));
    const start = from % Math.max(1, sorted.length);
    for (const id of sorted.slice(start, start + count)) this.remove(id);
  }

  load(ids: readonly string[]): void {
    this.present.clear();
    this.ids.length = 0;
    for (const id of new Set(ids)) {
      this.present.set(id, this.ids.length);
      this.ids.push(id);
    }
    this.index.load([...this.present.values()].reverse());
  }

  check(after: string | null, max: number): void {
    const expected = [...this.present.keys()]
      .sort((a, b) => (a < b ? -1 : 1))
      .filter((id) => after === null || id > after)
      .slice(0, max);
    const seen: string[] = [];
    this.index.scan(after, (slots, from) => {
      for (const slot of slots.slice(from)) seen.push(this.ids[slot]!);
      return seen.length < max;
    });
    assert.deepEqual(seen.slice(0, max), expected);
  }
}

const range = fc.record({ from: fc.nat(3000), count: fc.nat(400), stride: fc.integer({ min: 1, max: 7 }) });
const numbers = range.map(({ from, count, stride }) =>
  Array.from({ length: count }, (_, at) => from + at * stride),
);
const step = fc.oneof(
  steps('insert all', [numbers], (model: IndexModel, all) => {
    for (const number of all) model.insert(idOf(number));
  }),
  steps('remove all', [numbers], (model: IndexModel, all) => {
    for (const number of all) model.remove(idOf(number));
  }),
  steps('remove a run', [fc.nat(), fc.nat(700)], (model: IndexModel, from, count) => {
    model.removeRun(from, count);
  }),
  steps('insert', [fc.nat(3000)], (model: IndexModel, number) => {
    model.insert(idOf(number));
  }),
  steps('remove', [fc.nat(3000)], (model: IndexModel, number) => {
    model.remove(idOf(number));
  }),
  steps(
    'check',
    [fc.option(fc.nat(3100)), fc.constantFrom(1, 2, 100, Number.POSITIVE_INFINITY)],
    (model: IndexModel, after, max) => {
      model.check(after === null ? null : idOf(after), max);
    },
  ),
);

test('a scan gives the slots in the order of their ids, from behind any id on, after any changes', () => {
  fc.assert(
    fc.property(fc.option(numbers), sequences(step, 25), (loaded, sequence) => {
      const model = new IndexModel();
      if (loaded !== null) model.load(loaded.map(idOf));
      for (const one of sequence) one.run(model);
      model.check(null, Number.POSITIVE_INFINITY);
    }),
    { numRuns: 100 },
  );
});

test('an index that has become empty takes new ids', () => {
  const model = new IndexModel();
  for (let round = 0; round < 3; round += 1) {
    for (let number = 0; number < 600; number += 1) model.insert(idOf(number));
    model.check('p-1', 10);
    for (let number = 0; number < 600; number += 1) model.remove(idOf(number));
    model.check(null, 10);
    model.check('a', 10);
  }
});
