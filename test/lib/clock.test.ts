import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../support/properties.js';
import { ServiceClock, TICK_MS } from '../../src/lib/clock.js';
import type { Registry } from '../../src/registry/registry.js';
import { recordOf } from '../support/data/arbitraries.js';
import { FakeClock } from '../support/fake-clock.js';
import { sequences } from '../support/worlds/steps.js';
import { advertised } from '../support/data/entries.js';
import { LoggedRegistry } from '../support/worlds/logged-registry.js';
import { CONTENT } from '../support/data/contents.js';

const EXPIRY_MS = 300_000;
const DAY = 24 * 3_600_000;
function registryWith(clock: FakeClock, ...ids: string[]): LoggedRegistry {
  const registry = new LoggedRegistry(
    { expiryMs: EXPIRY_MS, restartGraceMs: 60_000, replayEvents: 100, cleanupMs: 60_000 },
    clock,
  );
  for (const id of ids) registry.propose(advertised(recordOf(id, CONTENT)));
  return registry;
}

/** The hub ticks as it does by itself. */
function run(registry: Registry, clock: FakeClock, ms: number, onTick: () => void = () => undefined): void {
  for (let passed = 0; passed < ms; passed += TICK_MS) {
    clock.advance(TICK_MS);
    onTick();
    registry.tick();
  }
}

test('service time is the monotonic time less what the hub stood still, to within a tick for each stall', () => {
  const gap = fc.oneof(
    fc.nat(1000),
    fc.double({ min: 0, max: 1000, noNaN: true }),
    fc.constantFrom(1001, 5000, 600_000),
  );
  fc.assert(
    fc.property(sequences(fc.tuple(gap, fc.constantFrom(0, DAY, -DAY)), 40), (gaps) => {
      const fake = new FakeClock();
      fake.advance(12_345);
      const clock = new ServiceClock(fake);
      let expected = 0;
      let stalls = 0;
      for (const [ms, jump] of gaps) {
        const before = fake.monotonic();
        fake.advance(ms);
        fake.jump(jump);
        const passed = fake.monotonic() - before;
        assert.ok(clock.now === expected, 'it moves at ticks only');
        clock.tick();
        expected += passed > 1000 ? TICK_MS : passed;
        stalls += passed > 1000 ? passed - TICK_MS : 0;
        assert.equal(clock.now, expected);
        assert.equal(clock.credited, stalls);
        assert.equal(clock.wall(), fake.wall());
      }
    }),
  );
});

test('an advertisement expires 300 s after its last heartbeat, to within a second', () => {
  const clock = new FakeClock();
  const registry = registryWith(clock, 'a');
  run(registry, clock, 100_000);
  registry.heartbeat('a');
  run(registry, clock, EXPIRY_MS - 200);
  assert.notEqual(registry.find('a'), null);
  run(registry, clock, 1000);
  assert.equal(registry.find('a'), null);
  assert.equal(registry.gone.expired, 1);
});

test('ten minutes in which the process was stopped expire nobody, and everybody has as much time left as before', () => {
  const clock = new FakeClock();
  const registry = registryWith(clock, 'a');
  run(registry, clock, 200_000);
  registry.propose(advertised(recordOf('b', CONTENT)));
  clock.advance(600_000);
  registry.tick();
  assert.notEqual(registry.find('a'), null);
  run(registry, clock, 99_000);
  assert.notEqual(registry.find('a'), null);
  run(registry, clock, 2000);
  assert.equal(registry.find('a'), null);
  assert.notEqual(registry.find('b'), null);
  run(registry, clock, 200_000);
  assert.equal(registry.find('b'), null);
});

test('a wall clock that is set a day forward or back expires nobody early and keeps nobody longer', () => {
  for (const jump of [DAY, -DAY]) {
    const clock = new FakeClock();
    const registry = registryWith(clock, 'before', 'between');
    run(registry, clock, 100_000);
    clock.jump(jump);
    registry.tick();
    assert.equal(registry.store.size, 2);
    registry.heartbeat('between');
    registry.propose(advertised(recordOf('after', CONTENT)));
    run(registry, clock, 199_000);
    assert.equal(registry.store.size, 3);
    run(registry, clock, 2000);
    assert.equal(registry.find('before'), null);
    assert.equal(registry.store.size, 2);
    clock.jump(-jump);
    run(registry, clock, 98_000);
    assert.equal(registry.store.size, 2);
    run(registry, clock, 2000);
    assert.equal(registry.store.size, 0, 'somebody lives for ever');
  }
});

test('whatever gaps and jumps there are, a provider is there exactly until its 300 s of service time are over', () => {
  const event = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(200, 500, 1000).map((gap) => ({ gap })) },
    { weight: 1, arbitrary: fc.constantFrom(1001, 30_000, 600_000).map((gap) => ({ gap })) },
    { weight: 1, arbitrary: fc.constantFrom(DAY, -DAY, 1000, -1000).map((jump) => ({ jump })) },
    { weight: 1, arbitrary: fc.constantFrom('a', 'b', 'c').map((heartbeat) => ({ heartbeat })) },
    { weight: 1, arbitrary: fc.constantFrom(20_000, 150_000, 290_000).map((pass) => ({ pass })) },
  );
  fc.assert(
    fc.property(sequences(event, 40), (events) => {
      const clock = new FakeClock();
      const registry = registryWith(clock, 'a', 'b', 'c');
      const heard = new Map(['a', 'b', 'c'].map((id) => [id, 0]));
      let now = 0;
      const tick = (gap: number) => {
        clock.advance(gap);
        registry.tick();
        now += gap > 1000 ? TICK_MS : gap;
        for (const [id, at] of heard) {
          const isThere = registry.find(id) !== null;
          if (now < at + EXPIRY_MS) assert.ok(isThere, `${id} expired early`);
          else if (now >= at + EXPIRY_MS + TICK_MS) assert.ok(!isThere, `${id} is late`);
          if (!isThere) heard.delete(id);
        }
      };
      for (const one of events) {
        if ('gap' in one) tick(one.gap);
        else if ('jump' in one) clock.jump(one.jump);
        else if ('pass' in one) for (let left = one.pass; left > 0; left -= 1000) tick(1000);
        else {
          registry.heartbeat(one.heartbeat);
          if (heard.has(one.heartbeat)) heard.set(one.heartbeat, now);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('many that expire at once go over several ticks, within a second', () => {
  const clock = new FakeClock();
  const ids = Array.from({ length: 12_000 }, (_, index) => `p${String(index)}`);
  const registry = registryWith(clock, ...ids);
  const left: number[] = [];
  run(registry, clock, EXPIRY_MS + 1000, () => {
    if (registry.store.size < ids.length) left.push(registry.store.size);
  });
  assert.equal(registry.store.size, 0);
  assert.equal(registry.gone.expired, 12_000);
  assert.deepEqual(left.slice(0, 3), [7000, 2000, 0]);
});

test('stalls in which the hub was busy, as an attacker can keep it, prolong no life', () => {
  const clock = new FakeClock();
  const registry = registryWith(clock, 'a');
  const stall = 24_000;
  let passed = 0;
  while (registry.find('a') !== null && passed < 2 * EXPIRY_MS) {
    clock.work(stall);
    registry.tick();
    passed += stall;
  }
  assert.ok(passed <= EXPIRY_MS + 2 * stall, `it was there for ${String(passed / 1000)} s`);
  assert.equal(registry.clock.credited, 0);
});

test('of a stall only the time counts in which the hub was busy, and only once heartbeats could be read', () => {
  const clock = new FakeClock();
  const registry = registryWith(clock, 'a', 'b');
  run(registry, clock, 200_000);
  clock.advance(3_600_000);
  clock.work(99_000);
  registry.tick();
  assert.equal(registry.clock.credited, 3_600_000);
  run(registry, clock, 2 * TICK_MS);
  assert.equal(registry.store.size, 2);
  clock.work(90_000);
  registry.tick();
  // What came meanwhile is read between two ticks.
  registry.heartbeat('b');
  run(registry, clock, TICK_MS);
  assert.equal(registry.find('a'), null);
  assert.notEqual(registry.find('b'), null);
});
