import assert from 'node:assert/strict';
import test from 'node:test';
import { UnwantedError, type Work, WorkQueue } from '../../../src/lib/turns/work-queue.js';
import { randomOf } from '../../support/random.js';

const LIMITS = { perTurn: 100, quick: 20, running: 2, waiting: 8, waitingOfOne: 3 };

/** A queue whose turns come when they are asked for. */
class World {
  readonly log: string[] = [];
  /** Work that was done since the last turn began. */
  done = 0;
  #turn: (() => void) | null = null;
  /** Milliseconds. */
  now = 0;
  readonly queue = new WorkQueue(
    LIMITS,
    (turn) => {
      assert.equal(this.#turn, null, 'one turn is waited for at a time');
      this.#turn = turn;
    },
    () => this.now,
  );

  run(key: string, name: string, steps: readonly number[]): Promise<string> | string | null {
    return this.queue.run({ key: () => key }, () => this.#work(name, steps));
  }

  *#work(name: string, steps: readonly number[]): Work<string> {
    for (const step of steps) {
      this.done += step;
      this.log.push(name);
      yield step;
    }
    return name;
  }

  /** @returns Whether there was one to come. */
  turn(): boolean {
    const turn = this.#turn;
    if (turn === null) return false;
    this.#turn = null;
    this.done = 0;
    turn();
    return true;
  }
}

const long = (steps: number): number[] => new Array<number>(steps).fill(10);

test('what is short is done at once; what is long in turns', async () => {
  const world = new World();
  assert.equal(world.run('a', 'short', [10]), 'short');
  const promised = world.run('a', 'long', long(30));
  assert.ok(promised instanceof Promise);
  assert.equal(world.done, 10 + LIMITS.quick);
  let turns = 0;
  while (world.turn()) turns += 1;
  assert.equal(await promised, 'long');
  assert.equal(turns, 3);
  assert.equal(
    world.log.filter((name) => name === 'long').length,
    30,
    'what was done to find out is not done again',
  );
  assert.equal(world.queue.size, 0);
});

test('no turn does more than its budget and one step, however much is asked for within one iteration', async () => {
  const world = new World();
  const promised = Array.from({ length: 50 }, (_, at) => world.run(String(at), `n${String(at)}`, [10]));
  assert.ok(world.done <= LIMITS.perTurn, String(world.done));
  const waiting = promised.filter((one) => one instanceof Promise);
  assert.equal(waiting.length, LIMITS.waiting);
  assert.equal(promised.filter((one) => one === null).length, 50 - 10 - LIMITS.waiting);
  while (world.turn()) assert.ok(world.done <= LIMITS.perTurn + 10, String(world.done));
  assert.equal((await Promise.all(waiting)).length, LIMITS.waiting);
});

test('each client has one at a time in turn, and so many waiting', () => {
  const world = new World();
  const promised = Array.from({ length: 6 }, (_, at) => world.run('greedy', `g${String(at)}`, long(100)));
  assert.deepEqual(
    promised.map((one) => one !== null),
    // One in progress, and as many as may wait.
    [true, true, true, true, false, false],
  );
  assert.deepEqual(world.log, ['g0', 'g0'], 'what is refused or has to wait costs nothing');
  void world.run('honest', 'h', long(10));
  // Until each has shown that it is long.
  world.turn();
  world.turn();
  world.log.length = 0;
  world.turn();
  assert.deepEqual(world.log.slice(0, 4), ['g0', 'h', 'g0', 'h']);
  for (const waiting of ['g1', 'g2', 'g3']) assert.ok(!world.log.includes(waiting), waiting);
});

test('what is short does not wait for what is long', async () => {
  const world = new World();
  for (const key of ['a', 'b', 'c']) void world.run(key, key, long(1000));
  world.turn();
  // The present iteration's share is used up.
  const short = world.run('d', 'short', [10]);
  world.turn();
  assert.equal(await short, 'short');
  assert.equal(world.queue.size, 3);
});

test('a failure is that of its own work', async () => {
  const world = new World();
  const failing = world.queue.run({ key: () => 'a' }, function* (): Work<string> {
    for (let step = 0; step < 5; step += 1) yield 10;
    throw new Error('failed');
  });
  const other = world.run('b', 'other', long(10));
  const failed = assert.rejects(async () => await failing, /failed/);
  while (world.turn());
  await failed;
  assert.equal(await other, 'other');
  const fail = (): number => {
    throw new Error('at once');
  };
  assert.throws(
    () =>
      world.queue.run({ key: () => 'a' }, function* (): Work<string> {
        yield fail();
        return 'never';
      }),
    /at once/,
  );
});

test('work that nobody waits for any more is given up, begun or not', async () => {
  const world = new World();
  const ended: string[] = [];
  const ask = (name: string): { asker: { key(): string; isGone: boolean }; answer: unknown } => {
    const asker = { key: () => name, isGone: false };
    const answer = world.queue.run(asker, function* (): Work<string> {
      try {
        for (let step = 0; step < 100; step += 1) {
          world.log.push(name);
          yield 10;
        }
        return name;
      } finally {
        ended.push(name);
      }
    });
    return { asker, answer };
  };
  const [begun, waiting, other] = [ask('begun'), ask('waiting'), ask('other')];
  world.turn();
  assert.ok(world.log.includes('begun'));
  ended.length = 0;
  world.log.length = 0;
  begun.asker.isGone = true;
  waiting.asker.isGone = true;
  const given = [begun, waiting].map(({ answer }) => assert.rejects(async () => await answer, UnwantedError));
  while (world.turn());
  await Promise.all(given);
  assert.equal(await other.answer, 'other');
  assert.ok(!world.log.includes('begun') && !world.log.includes('waiting'));
  assert.ok(ended.includes('begun'), 'it lets go of what it holds');
});

test('a step that takes longer than it says counts for what it took', () => {
  const world = new World();
  let steps = 0;
  void world.queue.run({ key: () => 'a' }, function* (): Work<void> {
    for (; steps < 100; steps += 1) {
      world.now += 5;
      yield 1;
    }
  });
  world.turn();
  const before = steps;
  world.turn();
  assert.equal(steps - before, 1);
});

test('whatever comes in whatever order is done or refused, within the bounds', async (t) => {
  const random = randomOf(t);
  const below = (limit: number): number => Math.floor(random() * limit);
  const world = new World();
  const promised: { name: string; result: Promise<string> }[] = [];
  for (let at = 0; at < 2000; at += 1) {
    const name = `n${String(at)}`;
    const result = world.run(`client ${String(below(6))}`, name, long(below(15)));
    if (result instanceof Promise) promised.push({ name, result });
    else assert.ok(result === null || result === name);
    assert.ok(world.queue.size <= LIMITS.waiting);
    if (below(3) === 0) world.turn();
  }
  while (world.turn()) assert.ok(world.done <= LIMITS.perTurn + 10);
  assert.ok(promised.length > 100);
  for (const { name, result } of promised) assert.equal(await result, name);
});
