import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServiceClock } from '../../../src/lib/clock.js';
import { ProtocolError } from '../../../src/protocol/errors.js';
import { Origins } from '../../../src/registry/store/origins.js';
import type { CountRecord } from '../../../src/registry/store/records.js';
import { Quotas } from '../../../src/registry/write/quotas.js';
import { FakeClock } from '../../support/fake-clock.js';

const SETTINGS = { advertisements: 0, namesPerDay: 2, invalidSignaturesPerMinute: 3 };
const ADDRESS = '192.0.2.1';
const DAY_S = 86_400;

/** Quotas of a hub, and its clock. */
class Bench {
  readonly quotas: Quotas;
  readonly #clock: FakeClock;
  readonly #service: ServiceClock;

  constructor(clock = new FakeClock(), kept: readonly CountRecord[] = []) {
    this.#clock = clock;
    this.#service = new ServiceClock(clock);
    this.quotas = new Quotas(SETTINGS, new Origins(), this.#service);
    for (const record of kept) this.quotas.restore(record);
  }

  /** @param seconds Whole seconds. */
  pass(seconds: number): void {
    for (let second = 0; second < seconds; second += 1) {
      this.#clock.advance(1000);
      this.#service.tick();
    }
  }

  /** Is wrong so often that signatures are not looked at any more. @returns For how many seconds. */
  async beBlocked(): Promise<number> {
    for (let count = 0; count < SETTINGS.invalidSignaturesPerMinute; count += 1) {
      assert.equal(await this.blockedFor(), 0);
      await this.quotas.noteInvalidSignature(ADDRESS);
    }
    return this.blockedFor();
  }

  blockedFor(): Promise<number> {
    return waitOf('RATE_005', this.quotas.checkSignatures(ADDRESS));
  }

  spendName(): Promise<number> {
    return waitOf('RATE_004', this.quotas.spendName(ADDRESS));
  }
}

/** The seconds to wait that a check gives; 0 when it lets pass. */
async function waitOf(code: string, check: Promise<void>): Promise<number> {
  try {
    await check;
    return 0;
  } catch (error) {
    assert.ok(error instanceof ProtocolError);
    assert.equal(error.code, code);
    return error.retryAfterSeconds!;
  }
}

test('who goes on with invalid signatures waits longer each time, at most a quarter of an hour; after a day it begins anew', async () => {
  const bench = new Bench();
  const waits: number[] = [];
  for (let block = 0; block < 7; block += 1) {
    waits.push(await bench.beBlocked());
    bench.pass(waits.at(-1)!);
  }
  assert.deepEqual(waits, [60, 120, 240, 480, 900, 900, 900]);
  bench.pass(DAY_S);
  assert.equal(await bench.beBlocked(), 60);
});

test('what was under way when the block began does not prolong it', async () => {
  const bench = new Bench();
  await bench.beBlocked();
  bench.pass(10);
  for (let count = 0; count < 9; count += 1) await bench.quotas.noteInvalidSignature(ADDRESS);
  assert.equal(await bench.blockedFor(), 50);
  assert.equal(await waitOf('RATE_005', bench.quotas.checkSignatures('192.0.2.2')), 0);
});

test('a restart forgets neither the names of the day, nor a block, nor how many there were', async () => {
  const clock = new FakeClock();
  const first = new Bench(clock);
  for (let name = 0; name < 2; name += 1) assert.equal(await first.spendName(), 0);
  await first.beBlocked();
  first.pass(20);
  const kept = first.quotas.takeChanges(100);
  assert.deepEqual(first.quotas.takeChanges(100), [], 'told once');

  clock.advance(10_000);
  const second = new Bench(clock, kept);
  assert.equal(await second.spendName(), DAY_S - 30);
  assert.equal(await second.blockedFor(), 30);
  second.pass(30);
  assert.equal(await second.beBlocked(), 120);
});

test('a few invalid signatures are not kept, and what has ended is not taken back', async () => {
  const clock = new FakeClock();
  const first = new Bench(clock);
  await first.quotas.noteInvalidSignature(ADDRESS);
  assert.deepEqual(first.quotas.takeChanges(100), []);
  await first.spendName();
  await first.spendName();
  const kept = first.quotas.takeChanges(100);
  clock.advance(DAY_S * 1000);
  assert.equal(await new Bench(clock, kept).spendName(), 0);
});

test('a wall clock that jumps between two runs makes nobody wait longer than the limit itself', async () => {
  const clock = new FakeClock();
  const first = new Bench(clock);
  for (let name = 0; name < 2; name += 1) await first.spendName();
  await first.beBlocked();
  const kept = first.quotas.takeChanges(100);
  clock.jump(-31 * DAY_S * 1000);
  const second = new Bench(clock, kept);
  assert.equal(await second.spendName(), DAY_S);
  assert.equal(await second.blockedFor(), 900);
});

test('nobody, and no limit, are never refused', async () => {
  const quotas = new Quotas(
    { ...SETTINGS, namesPerDay: 0, invalidSignaturesPerMinute: 0 },
    new Origins(),
    new ServiceClock(new FakeClock()),
  );
  const limited = new Bench();
  for (let count = 0; count < 100; count += 1) {
    for (const [one, address] of [
      [quotas, ADDRESS],
      [limited.quotas, null],
    ] as const) {
      await one.spendName(address);
      await one.noteInvalidSignature(address);
      await one.checkSignatures(address);
    }
  }
  assert.deepEqual(quotas.takeChanges(100), []);
});
