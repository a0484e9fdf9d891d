import assert from 'node:assert/strict';
import test from 'node:test';
import type { Filter } from '../../../src/protocol/filters/filter.js';
import { renderHead } from '../../../src/registry/store/advertisement-json.js';
import { matchingSlots } from '../../../src/registry/lists/query.js';
import { FactLists, NO_FACTS } from '../../../src/registry/store/facts/fact-lists.js';
import { Store } from '../../../src/registry/store/store.js';
import { recordOf } from '../../support/data/arbitraries.js';
import { CONTENT } from '../../support/data/contents.js';

const LEASE = { updatedAt: 0, expiresAt: 0, deadline: 0 };

function add(store: Store, id: string, attributes: Record<string, string | number | boolean>): number {
  const record = recordOf(id, { ...CONTENT, attributes });
  return store.add(record, renderHead(record), LEASE, true);
}

function found(store: Store, filter: Filter): string[] {
  return matchingSlots(store, store.predicates.of(filter)).map((slot) => store.ids[slot]!);
}

/** How many rows are handed out to be looked at. */
function looked(store: Store, filter: Filter): number {
  let count = 0;
  store.rowsFor(store.predicates.of(filter)).scan(null, (slots, from) => {
    count += slots.length - from;
    return true;
  });
  return count;
}

test('rows that are copies of each other share a list, and nothing is kept of facts that nobody has', () => {
  const lists = new FactLists();
  const first = lists.put(['aspeed=n1', 'agpu=sx']);
  assert.equal(lists.put(['agpu=sx', 'aspeed=n1'], first), first);
  const other = lists.put(['agpu=sx'], first);
  assert.notEqual(other, first);
  assert.equal(lists.put([], first), NO_FACTS);
  for (const address of [first, first, other]) lists.release(address);
  assert.equal(lists.numbers.size, 0);
  assert.equal(lists.put(['agpu=sy', 'atee=btrue']), first, 'the room is used again');
});

test('beyond the bound a row keeps its facts as texts, is found all the same, and leaves the others alone', () => {
  const store = new Store(2);
  add(store, 'a', { gpu: 'x', speed: 1 });
  add(store, 'b', { gpu: 'y', speed: 2 });
  add(store, 'c', { gpu: 'x', speed: 3 });
  add(store, 'd', { speed: 1 });
  const { facts } = store.numbers;
  assert.equal(facts.unnumbered, 2);
  assert.ok(facts.numbers.size <= 2);
  assert.deepEqual(found(store, { attributes: { gpu: ['x'] } }), ['a', 'c']);
  assert.deepEqual(found(store, { attributes: { gpu: ['y'] } }), ['b']);
  assert.deepEqual(found(store, { attributes: { speed: { min: 2 } } }), ['b', 'c']);
  // Room again: what comes now has numbers, what is there stays as it is.
  store.remove(store.find('a')!);
  add(store, 'e', { gpu: 'y' });
  assert.equal(facts.unnumbered, 2);
  assert.deepEqual(found(store, { attributes: { gpu: ['y'] } }), ['b', 'e']);
  for (const id of ['b', 'c', 'd', 'e']) store.remove(store.find(id)!);
  assert.equal(facts.unnumbered, 0);
  assert.equal(facts.numbers.size, 0);
});

test('a filter on a value that few have looks at those few, however many rows there are', () => {
  const store = new Store();
  const ROWS = 5000;
  for (let at = 0; at < ROWS; at += 1) {
    const id = `p${String(at * 7919)}`;
    add(store, id, { gpu: at % 500 === 0 ? 'rare' : `m${String(at % 3)}`, speed: at, zone: at % 2 });
  }
  const rare: Filter = { attributes: { gpu: ['rare'] } };
  assert.equal(found(store, rare).length, 10);
  assert.equal(looked(store, rare), 10);
  assert.equal(looked(store, { attributes: { gpu: ['rare', 'unheard of'], zone: [0] } }), 10);
  assert.equal(looked(store, { attributes: { gpu: ['unheard of'] } }), 0);
  assert.equal(looked(store, { attributes: { zone: [0] } }), ROWS, 'half of all are as soon found among all');
  store.remove(store.find('p0')!);
  add(store, 'p0', { gpu: 'm1' });
  assert.equal(looked(store, rare), 9);
});

test('facts that are loaded together are found as if they had come one by one', () => {
  const store = new Store();
  const slots: number[] = [];
  for (const [id, gpu] of [
    ['b', 'x'],
    ['c', 'y'],
    ['a', 'x'],
    ['d', 'z'],
  ] as const) {
    const record = recordOf(id, { ...CONTENT, attributes: { gpu, speed: gpu.length } });
    slots.push(store.add(record, renderHead(record), LEASE, true, false));
  }
  store.loadIndexes(slots);
  assert.deepEqual(found(store, { attributes: { gpu: ['x'] } }), ['a', 'b']);
  assert.deepEqual(found(store, { attributes: { gpu: ['z', 'y'] } }), ['c', 'd']);
  assert.deepEqual(found(store, { attributes: { speed: { min: 1, max: 1 } } }), ['a', 'b', 'c', 'd']);
  for (const id of ['a', 'b', 'c', 'd']) store.remove(store.find(id)!);
  assert.equal(store.numbers.size, 0);
});
