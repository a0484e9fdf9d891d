import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../../support/properties.js';
import { RequestQueue } from '../../../src/gateway/connections/request-queue.js';
import { QUEUE } from '../../../src/gateway/settings.js';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('requests are worked off in their order, one at a time, whichever would be ready first', async () => {
  const durations = fc.array(fc.nat(3), { maxLength: QUEUE.maxWaitingRequests });
  await fc.assert(
    fc.asyncProperty(durations, async (turns) => {
      const queue = new RequestQueue();
      const log: string[] = [];
      turns.forEach((count, index) => {
        const taken = queue.add(async () => {
          log.push(`${String(index)} begins`);
          for (let turn = 0; turn < count; turn += 1) await nextTurn();
          log.push(`${String(index)} ends`);
        });
        assert.ok(taken);
      });
      assert.deepEqual(log, [], 'none begins within the call that adds it');
      assert.equal(queue.isIdle, turns.length === 0);
      while (!queue.isIdle) await nextTurn();
      assert.deepEqual(
        log,
        turns.flatMap((_, index) => [`${String(index)} begins`, `${String(index)} ends`]),
      );
    }),
  );
});

test('more than it has room for are not taken on, until one is done', async () => {
  const queue = new RequestQueue();
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  for (let count = 0; count < QUEUE.maxWaitingRequests; count += 1) assert.ok(queue.add(() => held));
  assert.equal(
    queue.add(() => held),
    false,
  );
  release();
  while (!queue.isIdle) await nextTurn();
  assert.ok(queue.add(() => held));
});
