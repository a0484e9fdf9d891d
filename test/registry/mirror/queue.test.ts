import assert from 'node:assert/strict';
import test from 'node:test';
import type { Operation } from '../../../src/registry/mirror/messages.js';
import { type Batch, operationsOf, WriteQueue } from '../../../src/registry/mirror/queue.js';
import { toAdvertisementRow } from '../../../src/registry/mirror/rows.js';
import { randomSource } from '../../support/random.js';
import { advertisementOf } from './support.js';

/** A row as far as this test looks at it: when it was advertised, and its last heartbeat. */
interface Row {
  advertised: number;
  updated: number;
}

interface Step {
  kind: 'advertise' | 'withdraw' | 'heartbeat' | 'purge';
  time: number;
  state: 'waits' | 'done' | 'failed';
}

const isLazy = ({ kind }: Step): boolean => kind === 'heartbeat' || kind === 'purge';

function apply(row: Row | null, { kind, time }: Step): Row | null {
  if (kind === 'advertise') return { advertised: time, updated: time };
  if (kind === 'heartbeat') return row && { ...row, updated: time };
  return null;
}

/** What a row may be after these steps: a failed write may take lazy ones before it along, nothing else may go. */
function acceptable(steps: readonly Step[]): (Row | null)[] {
  const lastDone = steps.findLastIndex((step) => !isLazy(step) && step.state === 'done');
  const lastFailed = steps.findLastIndex((step) => step.state === 'failed');
  const base = lastDone < 0 ? null : apply(null, steps[lastDone]!);
  let candidates = [base];
  steps.forEach((step, index) => {
    if (index <= lastDone || !isLazy(step)) return;
    const applied = candidates.map((row) => apply(row, step));
    candidates = index < lastFailed ? [...candidates, ...applied] : applied;
  });
  return candidates;
}

function execute(rows: Map<string, Row>, operation: Operation): void {
  if (operation[0] === 'advertise') {
    const [id, time] = [operation[1][0], operation[1][7]];
    rows.set(id, { advertised: time, updated: time });
  } else if (operation[0] === 'remove') {
    rows.delete(operation[1]);
  } else if (operation[0] === 'heartbeat') {
    const row = rows.get(operation[1]);
    if (row !== undefined) row.updated = operation[2];
  }
}

function play(seed: number): void {
  const random = randomSource(seed);
  const ids = ['a', 'b', 'c', 'd'];
  const history = new Map<string, Step[]>(ids.map((id) => [id, []]));
  const rows = new Map<string, Row>();
  const queue = new WriteQueue();
  let underWay: Batch | null = null;
  /** The time of the last anchor that was asked for, and of the one that was written. */
  let anchored = 0;
  let written = 0;

  function take(limit: number, withLazy: boolean): Batch {
    const batch = queue.take(limit, withLazy);
    const hasClock = batch.rest.some(([kind]) => kind === 'clock');
    if (hasClock) assert.equal(queue.lazyCount, 0, 'the clock passes heartbeats that it vouches for');
    return batch;
  }

  function add(time: number): void {
    const id = ids[Math.floor(random() * ids.length)]!;
    const kind = (['advertise', 'withdraw', 'heartbeat', 'heartbeat', 'purge'] as const)[
      Math.floor(random() * 5)
    ]!;
    const step: Step = { kind, time, state: 'waits' };
    history.get(id)!.push(step);
    if (kind === 'heartbeat') {
      anchored = time;
      queue.addHeartbeats({
        anchor: { steady: time, wall: time, boot: null },
        providerIds: [id],
        updatedAt: Float64Array.of(time),
        attached: Uint8Array.of(1),
      });
    } else if (kind === 'purge') {
      queue.addPurge([id], 0);
    } else {
      queue.add({
        operation:
          kind === 'withdraw'
            ? ['remove', id, null]
            : ['advertise', toAdvertisementRow(advertisementOf(id, { updatedAt: time })), null],
        since: 0,
        resolve: () => (step.state = 'done'),
        reject: () => (step.state = 'failed'),
      });
    }
  }

  function finish(batch: Batch, works: boolean): void {
    if (works) {
      for (const operation of operationsOf(batch)) {
        execute(rows, operation);
        if (operation[0] !== 'clock') continue;
        assert.ok(operation[1].steady > written, 'the clock goes back');
        written = operation[1].steady;
      }
    } else queue.restoreLazy(batch, 0);
    for (const write of batch.awaited) {
      if (works) write.resolve();
      else write.reject(new Error('no'));
    }
  }

  for (let time = 1; time <= 60; time += 1) {
    if (random() < 0.7) add(time);
    else if (underWay === null) underWay = take(1 + Math.floor(random() * 6), random() < 0.7);
    else {
      finish(underWay, random() < 0.6);
      underWay = null;
    }
  }
  if (underWay !== null) finish(underWay, true);
  while (queue.awaitedCount + queue.lazyCount > 0) finish(take(4, true), true);
  assert.equal(written, anchored, `seed ${String(seed)}: the last anchor was lost`);
  assert.equal(queue.oldestSince, null);

  for (const [id, steps] of history) {
    const actual = rows.get(id) ?? null;
    const candidates = acceptable(steps);
    assert.ok(
      candidates.some((row) => row?.advertised === actual?.advertised && row?.updated === actual?.updated),
      `seed ${String(seed)}, ${id}: ${JSON.stringify({ actual, candidates, steps })}`,
    );
  }
}

test('whatever fails, no write undoes a later one and none is lost without need', () => {
  for (let seed = 1; seed <= 5000; seed += 1) play(seed);
});

test('writes that somebody waits for go first, and leave others a share', () => {
  const queue = new WriteQueue();
  const ids = Array.from({ length: 10 }, (_, i) => `p${String(i)}`);
  queue.addHeartbeats({
    anchor: null,
    providerIds: ids,
    updatedAt: new Float64Array(10),
    attached: new Uint8Array(10),
  });
  for (const id of 'abcdefghij') {
    queue.add({
      operation: ['remove', id, null],
      since: 0,
      resolve: () => undefined,
      reject: () => undefined,
    });
  }
  const kinds = () =>
    operationsOf(queue.take(8, true))
      .map(([kind]) => kind[0])
      .join('');
  assert.deepEqual([kinds(), kinds(), kinds()], ['rrrrrrhh', 'rrrrhhhh', 'hhhh']);
});
