import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from '../../support/properties.js';
import { RateLimiter } from '../../../src/lib/limits/rate-limiter.js';
import { COUNT_BOUNDS } from '../../../src/lib/limits/shared-keys.js';

const MINUTE = 60_000;

/** A limiter, and the time that it goes by. */
class Bench {
  now = 0;
  readonly limiter: RateLimiter;

  constructor(limit: number, bounds = COUNT_BOUNDS) {
    this.limiter = new RateLimiter(limit, MINUTE, () => this.now, bounds);
  }

  async spendMany(key: string, times: number): Promise<void> {
    for (let count = 0; count < times; count += 1) await this.limiter.spend(key);
  }
}

describe('rate-limiter-flexible on counts in memory', () => {
  test('so many may go on, and the next is told how long to wait, by the clock that it was given', async () => {
    const bench = new Bench(3);
    bench.now = 1000;
    for (let count = 0; count < 3; count += 1) assert.equal(await bench.limiter.spend('a'), 0);
    assert.equal(await bench.limiter.spend('a'), 60);
    bench.now = 60_999.9;
    assert.equal(await bench.limiter.wait('a'), 1);
    bench.now = 61_000;
    assert.equal(await bench.limiter.wait('a'), 0);
    assert.equal(await bench.limiter.spend('a'), 0);
  });

  test('it waits from the limit on, for the others not at all', async () => {
    const bench = new Bench(2);
    assert.equal(await bench.limiter.wait('a'), 0);
    await bench.spendMany('a', 1);
    assert.equal(await bench.limiter.wait('a'), 0);
    await bench.spendMany('a', 1);
    assert.equal(await bench.limiter.wait('a'), 60);
    assert.equal(await bench.limiter.wait('b'), 0);
  });

  test('a block lasts as long as it is told to, and then all is forgiven', async () => {
    const bench = new Bench(2);
    await bench.spendMany('a', 2);
    await bench.limiter.block('a', 600);
    bench.now = 599_999;
    await bench.spendMany('a', 3);
    assert.equal(await bench.limiter.wait('a'), 1);
    bench.now = 600_000;
    assert.equal(await bench.limiter.wait('a'), 0);
    assert.equal(bench.limiter.size, 0);
  });

  test('what is given back counts no longer, and is no credit for later', async () => {
    const bench = new Bench(1);
    await bench.spendMany('a', 1);
    await bench.limiter.reward('a');
    assert.equal(await bench.limiter.spend('a'), 0);
    assert.ok((await bench.limiter.spend('a')) > 0);
    bench.now = MINUTE;
    await bench.limiter.reward('a', 5);
    assert.equal(await bench.limiter.spend('a'), 0);
    assert.ok((await bench.limiter.spend('a')) > 0);
    assert.equal(await bench.limiter.delete('a'), true);
    assert.equal(await bench.limiter.delete('b'), false);
    assert.equal(await bench.limiter.spend('a'), 0);
  });

  test('far more addresses than are counted leave memory bounded; whole networks share a count, and nobody else loses theirs', async () => {
    const bounds = { keys: 1000, networks: 600, groups: 40 };
    const most = bounds.keys + bounds.networks + bounds.groups;
    const bench = new Bench(2, bounds);
    const { limiter } = bench;
    const v4 = (n: number): string =>
      `${String(n >> 24)}.${String((n >> 16) & 255)}.${String((n >> 8) & 255)}.${String(n & 255)}`;
    const first = 10 << 24;
    for (let n = 0; n < bounds.keys; n += 1) void limiter.penalty(v4(first + n));
    // The next ones are alone in their /24, until there are too many of these too.
    assert.equal(await limiter.spend('203.0.113.1'), 0);
    assert.equal(await limiter.spend('203.0.113.2'), 0);
    assert.ok((await limiter.spend('203.0.113.3')) > 0, 'a third of one /24');
    assert.equal(await limiter.spend('203.0.114.3'), 0, 'of another /24');
    assert.equal(await limiter.spend('2001:db8:1:1::/64'), 0);
    assert.equal(await limiter.spend('2001:db8:1:2::/64'), 0);
    assert.ok((await limiter.spend('2001:db8:1:3::/64')) > 0, 'a third of one /48');
    assert.equal(await limiter.spend('2001:db8:2:3::/64'), 0, 'of another /48');
    for (let n = 0; n < 10 * most; n += 1) void limiter.penalty(v4((20 << 24) + 256 * n));
    assert.ok(limiter.size <= most, `${String(limiter.size)} counts`);
    assert.equal(await limiter.spend(v4(first + 7)), 0, 'those who were there before keep their own count');
    bench.now = MINUTE;
    assert.equal(await limiter.spend('203.0.113.4'), 0);
    assert.equal(limiter.size, 1);
  });

  test('what changed is told once, and goes on where it was in another limiter', async () => {
    const bench = new Bench(3);
    await bench.spendMany('a', 2);
    await bench.spendMany('b', 1);
    await bench.limiter.block('c', 600);
    bench.now = 20_000;
    assert.equal(bench.limiter.takeChanges(2).length, 2);
    await bench.spendMany('a', 1);
    const changes = bench.limiter.takeChanges(100);
    assert.deepEqual(changes.map(({ key }) => key).sort(), ['a', 'c']);
    assert.deepEqual(bench.limiter.takeChanges(100), []);
    const other = new Bench(3);
    other.now = 5_000_000;
    for (const change of changes) other.limiter.restore(change);
    assert.equal(await other.limiter.wait('a'), 40);
    assert.equal(await other.limiter.wait('b'), 0);
    assert.equal(await other.limiter.wait('c'), 580);
    await bench.spendMany('b', 1);
    bench.now = 70_000;
    assert.deepEqual(bench.limiter.takeChanges(100), [], 'it has ended');
  });

  test('it decides as somebody would who writes everything down', async () => {
    const step = fc.record({
      key: fc.constantFrom('a', 'b', 'c'),
      pause: fc.constantFrom(0, 1, 999, 20_000, 59_999, 60_000),
      what: fc.constantFrom('spend', 'spend', 'spend', 'wait', 'block'),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(step, { maxLength: 60 }),
        async (limit, steps) => {
          const bench = new Bench(limit);
          const windows = new Map<string, { endsAt: number; count: number }>();
          for (const { key, pause, what } of steps) {
            bench.now += pause;
            let window = windows.get(key);
            if (window === undefined || bench.now >= window.endsAt)
              window = { endsAt: bench.now + MINUTE, count: 0 };
            if (what === 'block') {
              window = { endsAt: bench.now + 90_000, count: limit + 1 };
              await bench.limiter.block(key, 90);
            } else {
              if (what === 'spend') window.count += 1;
              const mayNot = what === 'spend' ? window.count > limit : window.count >= limit;
              const expected = mayNot ? Math.max(1, Math.ceil((window.endsAt - bench.now) / 1000)) : 0;
              const wait = await (what === 'spend' ? bench.limiter.spend(key) : bench.limiter.wait(key));
              assert.equal(wait, expected);
            }
            if (window.count > 0) windows.set(key, window);
          }
        },
      ),
    );
  });
});
