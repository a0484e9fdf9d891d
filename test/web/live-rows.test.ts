import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PublishedAdvertisement } from '../../src/client/index.js';
import { columnNamed, orderBy } from '../../web/model/columns.js';
import { LiveRows, MARK_MS } from '../../web/model/live-rows.js';
import { randomOf } from '../support/random.js';
import { priced } from './advertisements.js';

const BY_PRICE = orderBy(columnNamed('price')!, false, { cpu: 1, memory: 1, storage: 1 });
const DEAREST_FIRST = orderBy(columnNamed('price')!, true, { cpu: 1, memory: 1, storage: 1 });

const idsOf = (rows: LiveRows): string[] => rows.rows.map(({ advertisement }) => advertisement.provider_id);

test('whatever happens, the rows come to be what there is, in order; while they are held nothing moves', (t) => {
  const random = randomOf(t);
  const whole = (below: number): number => Math.floor(random() * below);
  const truth = new Map<string, PublishedAdvertisement>();
  for (let number = 0; number < 10; number += 1)
    truth.set(`p${String(number)}`, priced(`p${String(number)}`, whole(5)));
  let order = BY_PRICE;
  const rows = new LiveRows(order);
  rows.start(truth.values());
  let now = 0;
  let isHeld = false;
  let before = idsOf(rows);
  for (let step = 0; step < 5000; step += 1) {
    const id = `p${String(whole(20))}`;
    const known = truth.get(id);
    const what = random();
    if (what < 0.3) {
      const advertisement = priced(id, whole(5));
      truth.set(id, advertisement);
      if (known === undefined) rows.take({ type: 'added', advertisement }, now);
      else rows.take({ type: 'updated', advertisement, previous: known }, now);
    } else if (what < 0.45 && known !== undefined) {
      truth.delete(id);
      rows.take({ type: 'removed', advertisement: known, reason: 'withdrawn' }, now);
    } else if (what < 0.5) {
      isHeld = !isHeld;
      rows.hold(isHeld);
      if (isHeld) {
        rows.settle(now);
        before = idsOf(rows);
      }
    } else if (what < 0.52 && !isHeld) {
      order = order === BY_PRICE ? DEAREST_FIRST : BY_PRICE;
      rows.setOrder(order);
    } else {
      now += whole(MARK_MS / 3);
      rows.settle(now);
      if (isHeld) assert.deepEqual(idsOf(rows), before, 'what is held does not move, come or go');
    }
    if (step % 50 !== 0) continue;
    rows.settle(now);
    for (const { advertisement, mark } of rows.rows) {
      const { provider_id: shown } = advertisement;
      if (mark !== 'removed') assert.equal(advertisement, truth.get(shown), 'a row shows what there is now');
      else assert.ok(!truth.has(shown));
    }
    assert.equal(
      rows.rows.filter(({ mark }) => mark !== 'removed').length + rows.waiting,
      truth.size,
      'whoever is not shown waits',
    );
    if (isHeld) continue;
    now += MARK_MS;
    rows.settle(now);
    const expected = [...truth.values()].sort(order).map(({ provider_id: id }) => id);
    assert.deepEqual(idsOf(rows), expected);
    assert.equal(rows.waiting, 0);
  }
  rows.hold(false);
  rows.settle(now);
  rows.settle(now + MARK_MS);
  assert.equal(rows.hasMarks, false, 'marks end by themselves');
});

test('a row that did not change is the same object, so that it is not drawn again', () => {
  const rows = new LiveRows(BY_PRICE);
  rows.start([priced('a', 1), priced('b', 2), priced('c', 3)]);
  const [, second, third] = rows.rows;
  rows.take({ type: 'updated', advertisement: priced('a', 9), previous: priced('a', 1) }, 0);
  assert.equal(rows.settle(0), true);
  assert.deepEqual(idsOf(rows), ['b', 'c', 'a']);
  assert.deepEqual([rows.rows[0], rows.rows[1]], [second, third]);
  assert.equal(rows.rows[0], second);
  assert.equal(rows.rows[1], third);
  assert.equal(rows.settle(1), false, 'nothing has changed since');
});

test('who goes is seen to go for a moment, and stays in place while the order is held', () => {
  const rows = new LiveRows(BY_PRICE);
  rows.start([priced('a', 1), priced('b', 2)]);
  rows.hold(true);
  rows.take({ type: 'removed', advertisement: priced('a', 1), reason: 'expired' }, 0);
  rows.settle(10 * MARK_MS);
  assert.deepEqual(
    rows.rows.map(({ advertisement, mark }) => [advertisement.provider_id, mark]),
    [
      ['a', 'removed'],
      ['b', null],
    ],
  );
  rows.hold(false);
  rows.settle(10 * MARK_MS);
  assert.deepEqual(idsOf(rows), ['b']);
});
