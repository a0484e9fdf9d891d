import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../support/properties.js';
import { addressesIn, Arena, roomFor, SLAB_BYTES } from '../../src/lib/arena.js';
import { sequences } from '../support/worlds/steps.js';

const UNIT = 16;

/** An allocation that has not been released, and what was written there. */
interface Live {
  address: number;
  bytes: number;
  mark: number;
}

class ArenaModel {
  readonly arena = new Arena();
  readonly live: Live[] = [];
  #nextMark = 1;

  allocate(bytes: number): void {
    const address = this.arena.allocate(bytes);
    const view = this.arena.view(address, bytes);
    assert.equal(view.length, bytes, 'it reaches over the end of its slab');
    const begin = address * UNIT;
    for (const other of this.live) {
      const otherBegin = other.address * UNIT;
      const apart = begin + bytes <= otherBegin || otherBegin + other.bytes <= begin;
      assert.ok(
        apart,
        `${String(bytes)} bytes at ${String(begin)} overlap ${String(other.bytes)} at ${String(otherBegin)}`,
      );
    }
    const mark = this.#nextMark % 251;
    this.#nextMark += 1;
    view.fill(mark);
    this.live.push({ address, bytes, mark });
  }

  /** Takes over a slab that was filled elsewhere. */
  adopt(sizes: readonly number[]): void {
    const slab = Buffer.alloc(SLAB_BYTES);
    const filled: Live[] = [];
    let end = 0;
    for (const bytes of sizes) {
      if (end + roomFor(bytes) > SLAB_BYTES) break;
      const mark = this.#nextMark % 251;
      this.#nextMark += 1;
      slab.fill(mark, end, end + bytes);
      filled.push({ address: addressesIn(end), bytes, mark });
      end += roomFor(bytes);
    }
    const base = this.arena.adopt(slab, end);
    for (const one of filled) this.live.push({ ...one, address: base + one.address });
  }

  release(pick: number): void {
    const [one] = this.live.splice(pick % Math.max(1, this.live.length), 1);
    if (one === undefined) return;
    this.check(one);
    this.arena.release(one.address, one.bytes);
  }

  check({ address, bytes, mark }: Live): void {
    const view = this.arena.view(address, bytes);
    assert.ok(view.equals(Buffer.alloc(bytes, mark)), 'the content has changed');
    assert.equal(this.arena.slab(address)[this.arena.offset(address)], mark);
  }

  checkAll(): void {
    for (const one of this.live) this.check(one);
    const asked = this.live.reduce((sum, { bytes }) => sum + bytes, 0);
    assert.ok(this.arena.usedBytes >= asked);
    assert.ok(this.arena.usedBytes <= this.arena.reservedBytes);
  }
}

const size = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 700 }) },
  { weight: 2, arbitrary: fc.integer({ min: 700, max: 40_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 40_000, max: SLAB_BYTES }) },
  { weight: 1, arbitrary: fc.constantFrom(1, 15, 16, 17, 255, 256, 257, 272, 273, SLAB_BYTES) },
);
type Step = { allocate: number } | { release: number } | { adopt: number[] };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: size.map((allocate) => ({ allocate })) },
  { weight: 2, arbitrary: fc.nat().map((release) => ({ release })) },
  { weight: 1, arbitrary: fc.array(size, { maxLength: 8 }).map((adopt) => ({ adopt })) },
);

test('no two live allocations overlap, and what was written stays until it is released', () => {
  fc.assert(
    fc.property(sequences(step, 120), (steps) => {
      const model = new ArenaModel();
      for (const one of steps) {
        if ('allocate' in one) model.allocate(one.allocate);
        else if ('adopt' in one) model.adopt(one.adopt);
        else model.release(one.release);
      }
      model.checkAll();
      while (model.live.length > 0) model.release(0);
      assert.equal(model.arena.usedBytes, 0);
    }),
    { numRuns: 60 },
  );
});

test('room that was released is taken again before new room is asked for', () => {
  fc.assert(
    fc.property(sequences(size, 60), (sizes) => {
      const arena = new Arena();
      const addresses = sizes.map((bytes) => arena.allocate(bytes));
      const reserved = arena.reservedBytes;
      for (let round = 0; round < 3; round += 1) {
        sizes.forEach((bytes, index) => {
          arena.release(addresses[index]!, bytes);
        });
        sizes.forEach((bytes, index) => {
          addresses[index] = arena.allocate(bytes);
        });
        assert.equal(arena.reservedBytes, reserved);
        assert.equal(new Set(addresses).size, addresses.length);
      }
    }),
    { numRuns: 50 },
  );
});

test('rounding costs at most a thirty-second, or less than a unit of 16 bytes', () => {
  const arena = new Arena();
  let before = 0;
  for (let bytes = 1; bytes <= 70_000; bytes += bytes < 600 ? 1 : 97) {
    arena.allocate(bytes);
    const taken = arena.usedBytes - before;
    before = arena.usedBytes;
    assert.equal(taken % UNIT, 0);
    assert.ok(taken >= bytes);
    assert.ok(taken < bytes * (1 + 1 / 32) + UNIT, `${String(bytes)} bytes take ${String(taken)}`);
  }
});

test('the end of a slab that is too short for the next allocation is not lost', () => {
  const arena = new Arena();
  arena.allocate((SLAB_BYTES / 8) * 7);
  arena.allocate(SLAB_BYTES / 4);
  assert.equal(arena.reservedBytes, 2 * SLAB_BYTES);
  assert.ok(arena.allocate(SLAB_BYTES / 8) * UNIT < SLAB_BYTES, 'the first slab has that much left');
  assert.ok(arena.allocate(SLAB_BYTES / 8) * UNIT >= SLAB_BYTES);
  assert.equal(arena.reservedBytes, 2 * SLAB_BYTES);
});
