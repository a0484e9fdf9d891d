import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../support/properties.js';
import { TimingWheel } from '../../src/lib/timing-wheel.js';
import { sequences, steps } from '../support/worlds/steps.js';

const BUCKET_MS = 10;
const BUCKETS = 8;
const TURN_MS = BUCKETS * BUCKET_MS;
const SLOTS = 12;

/** Compares a wheel with a plain list of deadlines. */
class WheelModel {
  readonly wheel = new TimingWheel(4, BUCKET_MS, BUCKETS);
  readonly deadlines = new Map<number, number>();
  /** Slots that may not be looked at before this time; only known while the wheel was not behind. */
  readonly #notBefore = new Map<number, number>();
  /** What the next look does beside expiring the slot. */
  meanwhile: ((slot: number) => void) | null = null;
  #now = 0;
  #caughtUp = true;
  #capacity = 4;

  schedule(slot: number, inMs: number): void {
    while (slot >= this.#capacity) this.wheel.grow((this.#capacity *= 2));
    // What is due already comes with the next bucket.
    const time = this.#now + Math.max(0, inMs);
    this.deadlines.set(slot, time);
    this.file(slot, this.#now + inMs);
  }

  file(slot: number, time: number): void {
    this.wheel.schedule(slot, time);
    if (this.#caughtUp && time < this.#now + TURN_MS - 2 * BUCKET_MS) this.#notBefore.set(slot, time);
    else this.#notBefore.delete(slot);
  }

  /** A heartbeat: the deadline moves, and the wheel is not told. */
  postpone(slot: number, byMs: number): void {
    const deadline = this.deadlines.get(slot);
    if (deadline !== undefined) this.deadlines.set(slot, deadline + byMs);
  }

  cancel(slot: number): void {
    if (slot >= this.#capacity) return;
    this.wheel.cancel(slot);
    this.deadlines.delete(slot);
  }

  advance(byMs: number, budget: number): void {
    this.#now += byMs;
    let looks = 0;
    this.#caughtUp = false;
    this.#caughtUp = this.wheel.advance(this.#now, budget, (slot) => {
      looks += 1;
      this.#look(slot);
    });
    assert.ok(looks <= budget, 'it looked at more than its budget');
    if (!this.#caughtUp) {
      assert.equal(looks, budget, 'it stopped before its budget was used up');
      return;
    }
    for (const [slot, deadline] of this.deadlines)
      assert.ok(deadline + BUCKET_MS > this.#now, `slot ${String(slot)} is late`);
  }

  /** Lets time stand still until nothing that is due is left. */
  settle(): void {
    for (let rounds = 0; !this.#caughtUp; rounds += 1) {
      assert.ok(rounds < 1000, 'it never catches up');
      this.advance(0, 3);
    }
  }

  #look(slot: number): void {
    const deadline = this.deadlines.get(slot);
    assert.ok(deadline !== undefined, `slot ${String(slot)} is looked at, but not filed`);
    assert.ok(this.#now >= (this.#notBefore.get(slot) ?? 0), `slot ${String(slot)} is looked at early`);
    this.#notBefore.delete(slot);
    if (deadline > this.#now) {
      this.file(slot, deadline);
      return;
    }
    this.deadlines.delete(slot);
    const { meanwhile } = this;
    this.meanwhile = null;
    meanwhile?.(slot);
  }
}

const slot = fc.nat(SLOTS - 1);
const ms = fc.oneof(
  fc.integer({ min: -50, max: 3 * TURN_MS }),
  fc.double({ min: 0, max: 2 * TURN_MS, noNaN: true }),
  fc.constantFrom(0, BUCKET_MS, TURN_MS, TURN_MS - BUCKET_MS, 50 * TURN_MS),
);
const time = fc.oneof(
  fc.nat(3 * BUCKET_MS),
  fc.double({ min: 0, max: 30, noNaN: true }),
  fc.nat(20 * TURN_MS),
);
const step = fc.oneof(
  steps('schedule', [slot, ms], (model: WheelModel, one, inMs) => {
    model.schedule(one, inMs);
  }),
  steps('postpone', [slot, ms], (model: WheelModel, one, byMs) => {
    model.postpone(one, Math.max(0, byMs));
  }),
  steps('cancel', [slot], (model: WheelModel, one) => {
    model.cancel(one);
  }),
  steps('advance', [time, fc.integer({ min: 1, max: 20 })], (model: WheelModel, byMs, budget) => {
    model.advance(byMs, budget);
  }),
  // From within a look, slots are filed anew or taken out: the one that is looked at, or others.
  steps('reschedule and cancel meanwhile', [slot, ms], (model: WheelModel, one, inMs) => {
    model.meanwhile = (looked) => {
      model.schedule(looked, inMs);
      model.cancel(one);
    };
  }),
  steps('schedule meanwhile', [slot, ms], (model: WheelModel, one, inMs) => {
    model.meanwhile = () => {
      model.schedule(one, inMs);
    };
  }),
);

test('a slot is looked at not before its time and at most one bucket after it, whatever happens meanwhile', () => {
  fc.assert(
    fc.property(sequences(step, 80), (sequence) => {
      const model = new WheelModel();
      for (const one of sequence) one.run(model);
      model.settle();
      model.advance(200 * TURN_MS, Number.POSITIVE_INFINITY);
      for (const [, deadline] of model.deadlines) assert.ok(deadline > 0);
    }),
    { numRuns: 600 },
  );
});

test('what is due comes in whole within as many calls as the budget makes necessary', () => {
  const wheel = new TimingWheel(1000, BUCKET_MS, BUCKETS);
  for (let one = 0; one < 1000; one += 1) wheel.schedule(one, one % 50);
  const looked: number[] = [];
  let calls = 1;
  while (!wheel.advance(100, 64, (one) => looked.push(one))) calls += 1;
  assert.equal(calls, Math.ceil(1000 / 64));
  assert.equal(new Set(looked).size, 1000);
  // In the order of their buckets.
  const buckets = looked.map((one) => Math.ceil((one % 50) / BUCKET_MS) || 1);
  assert.deepEqual(
    buckets,
    [...buckets].sort((a, b) => a - b),
  );
});

test('a slot that is filed again for now from within a look is not looked at twice in one call', () => {
  const wheel = new TimingWheel(1, BUCKET_MS, BUCKETS);
  wheel.schedule(0, 5);
  for (const now of [10, 20, 30, 95]) {
    let looks = 0;
    const done = wheel.advance(now, 10, (one) => {
      looks += 1;
      wheel.schedule(one, now);
    });
    assert.ok(done);
    assert.equal(looks, 1);
  }
});

test('a deadline further ahead than a turn is kept, even one that never comes', () => {
  const wheel = new TimingWheel(2, BUCKET_MS, BUCKETS);
  const deadlines = [10 * TURN_MS + 3, Number.POSITIVE_INFINITY];
  deadlines.forEach((deadline, one) => {
    wheel.schedule(one, deadline);
  });
  let expired = -1;
  for (let now = 0; now <= 20 * TURN_MS; now += 7) {
    wheel.advance(now, 10, (one) => {
      if (deadlines[one]! > now) wheel.schedule(one, deadlines[one]!);
      else expired = now;
    });
    if (expired < 0) assert.ok(now < deadlines[0]! + BUCKET_MS);
  }
  assert.ok(expired >= deadlines[0]! && expired <= deadlines[0]! + BUCKET_MS + 7);
});
