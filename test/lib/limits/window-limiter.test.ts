import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from '../../support/properties.js';
import { WindowLimiter } from '../../../src/lib/limits/window-limiter.js';

describe('requests a minute of an address', () => {
  test('so many may go on, and the next is told how long to wait', () => {
    const limiter = new WindowLimiter(3, 60_000);
    assert.equal(limiter.off, false);
    for (let count = 0; count < 3; count += 1) assert.equal(limiter.spend('a', 1000), 0);
    assert.equal(limiter.spend('a', 1000), 60);
    assert.equal(limiter.spend('a', 21_500), 40);
    assert.equal(limiter.spend('a', 60_000), 1);
    assert.equal(limiter.spend('a', 60_999.9), 1);
  });

  test('after the minute all is forgiven, also what was refused meanwhile', () => {
    const limiter = new WindowLimiter(2, 60_000);
    for (let count = 0; count < 50; count += 1) limiter.spend('a', count);
    assert.ok(limiter.spend('a', 59_999) > 0);
    assert.equal(limiter.spend('a', 60_000), 0);
    assert.equal(limiter.spend('a', 119_999), 0);
    assert.equal(limiter.spend('a', 119_999), 1);
    assert.equal(limiter.spend('a', 120_000), 0);
  });

  test('each address has its own count', () => {
    const limiter = new WindowLimiter(1, 60_000);
    for (const address of ['a', 'b', '192.0.2.1', '2001:db8:0:0::/64', '', '__proto__']) {
      assert.equal(limiter.spend(address, 0), 0, address);
      assert.ok(limiter.spend(address, 0) > 0, address);
    }
  });

  test('0 limits nothing and keeps nothing', () => {
    const limiter = new WindowLimiter(0, 60_000);
    assert.equal(limiter.off, true);
    for (let count = 0; count < 10_000; count += 1) assert.equal(limiter.spend('a', 0), 0);
    assert.equal(limiter.size, 0);
  });

  test('what has ended is forgotten', () => {
    const limiter = new WindowLimiter(5, 60_000);
    for (let number = 0; number < 1000; number += 1) limiter.spend(String(number), number);
    assert.equal(limiter.size, 1000);
    limiter.spend('another', 60_499);
    assert.equal(limiter.size, 501);
    limiter.spend('another', 200_000);
    assert.equal(limiter.size, 1);
  });

  test('beyond 100,000 addresses newcomers share counts in groups, so that a million leave memory bounded', () => {
    const limiter = new WindowLimiter(2, 60_000);
    for (let number = 0; number < 100_000; number += 1) limiter.spend(`first ${String(number)}`, 0);
    let refused = 0;
    for (let number = 0; number < 900_000; number += 1) {
      if (limiter.spend(`later ${String(number)}`, 1) > 0) refused += 1;
    }
    assert.ok(refused >= 900_000 - 2 * 4096, `${String(refused)} of 900000 were refused`);
    assert.ok(limiter.size <= 100_000 + 4096);
    assert.equal(limiter.spend('first 7', 1), 0, 'those who were there before keep their own count');
    assert.equal(limiter.spend('later 1', 60_001), 0);
    assert.ok(limiter.size <= 4097);
  });

  test('it decides as somebody would who writes every request down', () => {
    const request = fc.record({
      address: fc.constantFrom('a', 'b', 'c'),
      pause: fc.constantFrom(0, 1, 999, 20_000, 59_999, 60_000),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.array(request, { maxLength: 60 }),
        (perMinute, requests) => {
          const limiter = new WindowLimiter(perMinute, 60_000);
          const windows = new Map<string, { begin: number; count: number }>();
          let now = 0;
          for (const { address, pause } of requests) {
            now += pause;
            let window = windows.get(address);
            if (window === undefined || now >= window.begin + 60_000) window = { begin: now, count: 0 };
            window.count += 1;
            windows.set(address, window);
            const wait = limiter.spend(address, now);
            assert.equal(wait > 0, window.count > perMinute);
            if (wait > 0) assert.equal(wait, Math.max(1, Math.ceil((window.begin + 60_000 - now) / 1000)));
          }
        },
      ),
    );
  });
});
