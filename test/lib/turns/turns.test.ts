import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../../support/properties.js';
import { type Account, metered, type Task, Turns, WORK_PER_MS } from '../../../src/lib/turns/turns.js';

const turn = () => new Promise<void>(setImmediate);

interface Job {
  account: Account;
  steps: number[];
}

class Bench {
  /** Work done in each turn, and the jobs in the order in which their steps were done. */
  readonly byTurn: number[] = [0];
  readonly order: Job[] = [];
  readonly turns: Turns<Job>;

  constructor(workPerTurn: number) {
    this.turns = new Turns(
      workPerTurn,
      ({ account }) => account,
      (job) => this.#task(job),
    );
  }

  async finish(): Promise<void> {
    this.turns.run();
    while (!this.turns.idle) {
      this.byTurn.push(0);
      await turn();
    }
  }

  *#task(job: Job): Task {
    for (const work of job.steps) {
      this.order.push(job);
      this.byTurn[this.byTurn.length - 1]! += work;
      yield work;
    }
  }
}

const steps = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 });

test('a turn does so much work, and at most one step more; every job is done, each without another in between', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(3), steps), { maxLength: 30 }),
      fc.integer({ min: 1, max: 100 }),
      async (jobs, workPerTurn) => {
        const bench = new Bench(workPerTurn);
        const accounts = Array.from({ length: 4 }, () => ({ work: 0 }));
        const made = jobs.map(([which, sizes]) => ({ account: accounts[which]!, steps: sizes }));
        for (const job of made) bench.turns.add(job);
        await bench.finish();
        for (const work of bench.byTurn) assert.ok(work < workPerTurn + 20, `${String(work)} in one turn`);
        const runs = bench.order.filter((job, at) => at === 0 || bench.order[at - 1] !== job);
        assert.equal(new Set(runs).size, made.length);
        assert.equal(runs.length, made.length, 'a job was begun before another was done');
      },
    ),
  );
});

test('an account with a thousand jobs does not keep another waiting with its first', async () => {
  const bench = new Bench(100);
  const [busy, late] = [{ work: 0 }, { work: 0 }];
  for (let job = 0; job < 1000; job += 1) bench.turns.add({ account: busy, steps: [50] });
  bench.turns.run();
  for (let waited = 0; waited < 10; waited += 1) await turn();
  const done = bench.order.length;
  const jobs = Array.from({ length: 20 }, () => ({ account: late, steps: [50] }));
  for (const job of jobs) bench.turns.add(job);
  await bench.finish();
  assert.ok(bench.order.indexOf(jobs[0]!) <= done + 1);
  // From then on they take turns, and what the busy one has had before is not held against it.
  const during = bench.order.slice(done, bench.order.indexOf(jobs.at(-1)!) + 1);
  const ofBusy = during.filter(({ account }) => account === busy).length;
  assert.ok(ofBusy >= 18 && ofBusy <= 22, `${String(ofBusy)} of ${String(during.length)}`);
});

test('a job that is taken out is not done, and one that is added twice is done once', async () => {
  const bench = new Bench(1);
  const account = { work: 0 };
  const [first, second, third] = [1, 2, 3].map((size) => ({ account, steps: [size] })) as [Job, Job, Job];
  for (const job of [first, second, second, third]) bench.turns.add(job);
  bench.turns.remove(third);
  await bench.finish();
  assert.deepEqual(bench.order, [first, second]);
});

test('a step that takes longer than it says counts as the time that it took', () => {
  let now = 0;
  function* task(): Task {
    now += 3;
    yield 10;
    yield 20;
    now += 1;
  }
  assert.deepEqual([...metered(task(), () => now)], [3 * WORK_PER_MS, 20, WORK_PER_MS]);
});
