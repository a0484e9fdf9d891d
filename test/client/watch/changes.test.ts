import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../support/properties.js';
import { type Change, ChangeQueue, changeOf } from '../../../src/client/watch/changes.js';
import type { PublishedAdvertisement } from '../../../src/client/index.js';
import { publishedAs } from '../support/fake-hub.js';

const A = publishedAs('a');
const A2 = publishedAs('a', { country: 'NO' });
const A_LATER = publishedAs('a', {
  updated_at: '2026-01-01T00:01:00.000Z',
  expires_at: '2026-01-01T00:06:00.000Z',
});

const newQueue = (): ChangeQueue => new ChangeQueue(() => undefined);

test('a transition amounts to its net effect', () => {
  const reason = 'expired';
  assert.equal(changeOf({ before: null, after: null, reason }), null);
  assert.equal(changeOf({ before: A, after: A, reason }), null);
  assert.equal(changeOf({ before: A, after: A_LATER, reason }), null);
  assert.deepEqual(changeOf({ before: null, after: A, reason }), { type: 'added', advertisement: A });
  assert.deepEqual(changeOf({ before: A, after: A2, reason }), {
    type: 'updated',
    advertisement: A2,
    previous: A,
  });
  assert.deepEqual(changeOf({ before: A, after: null, reason }), {
    type: 'removed',
    advertisement: A,
    reason,
  });
});

test('every member but the two of heartbeats makes a difference', () => {
  for (const difference of [
    { status: 'suspect' },
    { verified: false },
    { created_at: '2026-01-01T00:00:00.001Z' },
    { pricing: {} },
    { resources: { cpu: 4, memory: 8, storage: 40, gpu: 0 } },
    { a_member_of_tomorrow: true },
  ]) {
    assert.equal(
      changeOf({ before: A, after: publishedAs('a', difference), reason: 'missed' })?.type,
      'updated',
    );
  }
});

test('what waits of one provider is merged', async () => {
  const queue = newQueue();
  queue.push('a', { before: null, after: A, reason: 'missed' });
  queue.push('a', { before: A, after: A2, reason: 'missed' });
  assert.deepEqual(await queue.next(), { done: false, value: { type: 'added', advertisement: A2 } });
  queue.push('a', { before: A2, after: A, reason: 'missed' });
  queue.push('a', { before: A, after: null, reason: 'expired' });
  assert.deepEqual(await queue.next(), {
    done: false,
    value: { type: 'removed', advertisement: A2, reason: 'expired' },
  });
});

test('what comes and goes, or changes and changes back, leaves nothing', () => {
  const queue = newQueue();
  queue.push('a', { before: null, after: A, reason: 'missed' });
  queue.push('a', { before: A, after: null, reason: 'withdrawn' });
  queue.push('b', { before: A, after: A2, reason: 'missed' });
  queue.push('b', { before: A2, after: A_LATER, reason: 'missed' });
  assert.equal(queue.size, 0);
});

test('a provider that changes all the time does not lose its place', async () => {
  const queue = newQueue();
  queue.push('a', { before: A, after: A2, reason: 'missed' });
  queue.push('b', { before: null, after: publishedAs('b'), reason: 'missed' });
  queue.push('a', { before: A2, after: null, reason: 'expired' });
  assert.equal((await queue.next()).value?.advertisement.provider_id, 'a');
});

test('readers that wait are served in turn', async () => {
  const queue = newQueue();
  const reads = [queue.next(), queue.next()];
  queue.push('a', { before: null, after: A, reason: 'missed' });
  queue.push('a', { before: A, after: A2, reason: 'missed' });
  assert.deepEqual(
    (await Promise.all(reads)).map(({ value }) => value?.type),
    ['added', 'updated'],
  );
});

test('the end drops what waits; an error comes after it, once', async () => {
  const ended = newQueue();
  ended.push('a', { before: null, after: A, reason: 'missed' });
  ended.finish(null);
  assert.deepEqual(await ended.next(), { done: true, value: undefined });

  const failed = newQueue();
  failed.push('a', { before: null, after: A, reason: 'missed' });
  failed.finish(new Error('refused'));
  failed.push('b', { before: null, after: A, reason: 'missed' });
  assert.equal((await failed.next()).value?.type, 'added');
  await assert.rejects(failed.next(), /refused/);
  assert.equal((await failed.next()).done, true);
});

test('however slow the consumer is, it ends up with the truth, and the queue stays small', async () => {
  const ids = ['a', 'b', 'c'];
  const step = fc.oneof(
    fc.record({ id: fc.constantFrom(...ids), cpu: fc.integer({ min: 0, max: 2 }) }),
    fc.constant('read' as const),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const queue = newQueue();
      const truth = new Map<string, PublishedAdvertisement>();
      const seen = new Map<string, PublishedAdvertisement>();
      const apply = ({ type, advertisement }: Change): void => {
        const known = seen.has(advertisement.provider_id);
        assert.equal(known, type !== 'added');
        if (type === 'removed') seen.delete(advertisement.provider_id);
        else seen.set(advertisement.provider_id, advertisement);
      };
      const read = async (): Promise<void> => {
        if (queue.size > 0) apply((await queue.next()).value!);
      };
      for (const one of steps) {
        if (one === 'read') {
          await read();
          continue;
        }
        const before = truth.get(one.id) ?? null;
        const after =
          one.cpu === 0 ? null : publishedAs(one.id, { resources: { cpu: one.cpu, memory: 1, storage: 1 } });
        if (after === null) truth.delete(one.id);
        else truth.set(one.id, after);
        queue.push(one.id, { before, after, reason: 'expired' });
        assert.ok(queue.size <= ids.length);
      }
      while (queue.size > 0) await read();
      assert.deepEqual(Object.fromEntries(seen), Object.fromEntries(truth));
    }),
  );
});
