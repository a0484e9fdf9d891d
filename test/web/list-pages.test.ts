import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ListPages, PAGE_SIZE } from '../../web/model/list-pages.js';
import { randomOf } from '../support/random.js';
import { published } from './advertisements.js';

/** A hub's list of so many providers, which can be made to fail. */
class List {
  size: number;
  failures: Error[] = [];
  reads = 0;
  underWay = 0;

  constructor(size: number) {
    this.size = size;
  }

  async read(after: string | null, size: number) {
    this.reads += 1;
    this.underWay += 1;
    assert.equal(this.underWay, 1, 'one page at a time');
    await nextTurn();
    this.underWay -= 1;
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    const from = after === null ? 0 : Number(after);
    const to = Math.min(this.size, from + size);
    const advertisements = Array.from({ length: Math.max(0, to - from) }, (_, index) =>
      published(`p${String(from + index)}`),
    );
    return { advertisements, cursor: '', next: to < this.size ? String(to) : null };
  }
}

class World {
  now = 0;
  problem: Error | null = null;
  readonly list: List;
  readonly pages: ListPages;
  #timers: { due: number; run: () => void }[] = [];

  constructor(size: number) {
    const list = new List(size);
    this.list = list;
    this.pages = new ListPages({
      read: (after, size) => list.read(after, size),
      changed: () => undefined,
      failed: (error) => {
        this.problem = error;
      },
      now: () => this.now,
      after: (ms, run) => {
        const timer = { due: this.now + ms, run };
        this.#timers.push(timer);
        return () => {
          this.#timers = this.#timers.filter((other) => other !== timer);
        };
      },
    });
  }

  /** Lets time pass. */
  async pass(ms: number): Promise<void> {
    this.now += ms;
    const due = this.#timers.filter((timer) => timer.due <= this.now);
    this.#timers = this.#timers.filter((timer) => timer.due > this.now);
    for (const { run } of due) run();
    await this.quiet();
  }

  /** Waits until nothing is read any more. */
  async quiet(): Promise<void> {
    for (let reads = -1; reads !== this.list.reads || this.list.underWay > 0;) {
      reads = this.list.reads;
      for (let turn = 0; turn < 4; turn += 1) await nextTurn();
    }
  }
}

test('whichever rows come into view, they are the rows of the list', async (t) => {
  const random = randomOf(t);
  const world = new World(40 * PAGE_SIZE + 123);
  const { pages, list } = world;
  for (let step = 0; step < 60; step += 1) {
    const from = Math.floor(random() * (list.size - 50));
    pages.show(from, from + 50);
    await world.quiet();
    for (let row = from; row < from + 50; row += 1) {
      assert.equal(pages.at(row)?.provider_id, `p${String(row)}`);
    }
  }
  assert.ok(list.reads < 41 + 120, `${String(list.reads)} pages were read`);
  pages.show(list.size - 10, list.size);
  await world.quiet();
  assert.equal(pages.end, list.size);
  assert.equal(pages.at(list.size), undefined);
});

test('only so many pages are kept, however far somebody has come', async () => {
  const world = new World(100 * PAGE_SIZE);
  for (let page = 0; page < 100; page += 1) {
    world.pages.show(page * PAGE_SIZE, page * PAGE_SIZE + 30);
    await world.quiet();
  }
  let kept = 0;
  for (let page = 0; page < 100; page += 1) if (world.pages.at(page * PAGE_SIZE) !== undefined) kept += 1;
  assert.ok(kept <= 12, `${String(kept)} pages`);
});

test('pages in view are read again, and the list may have become shorter', async () => {
  const world = new World(PAGE_SIZE + 10);
  world.pages.show(PAGE_SIZE, PAGE_SIZE + 5);
  await world.quiet();
  assert.equal(world.pages.end, PAGE_SIZE + 10);
  world.list.size = PAGE_SIZE + 3;
  await world.pass(20_000);
  assert.equal(world.pages.end, PAGE_SIZE + 3);
  world.list.size = 5;
  world.pages.show(0, 5);
  await world.pass(20_000);
  assert.equal(world.pages.end, 5);
  assert.equal(world.pages.at(4)?.provider_id, 'p4');
});

test('a page that cannot be read is asked for again, when the hub says', async () => {
  const world = new World(10);
  world.list.failures.push(Object.assign(new Error('too many requests'), { retryAfterSeconds: 20 }));
  world.pages.show(0, 10);
  await world.quiet();
  assert.equal(world.problem?.message, 'too many requests');
  await world.pass(19_000);
  assert.equal(world.list.reads, 1, 'not before');
  await world.pass(1000);
  assert.equal(world.problem, null);
  assert.equal(world.pages.at(9)?.provider_id, 'p9');
  world.pages.stop();
  await world.pass(60_000);
  assert.equal(world.list.reads, 2, 'nothing is read any more');
});
