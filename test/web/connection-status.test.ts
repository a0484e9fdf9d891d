import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WatchState } from '../../src/client/index.js';
import {
  CONNECTING,
  type ConnectionStatus,
  nextStatus,
  RESUMED_MS,
  worstOf,
} from '../../web/model/connection-status.js';

/** The kinds that follow on these states, one a second. */
function kinds(...states: WatchState[]): ConnectionStatus[] {
  let status = CONNECTING;
  return states.map((state, second) => (status = nextStatus(status, state, 'why', second * 1000)));
}

test('a lost connection is stale since it was lost, until it is live again', () => {
  const statuses = kinds(
    'connecting',
    'subscribing',
    'live',
    'waiting',
    'connecting',
    'waiting',
    'subscribing',
    'live',
  );
  assert.deepEqual(
    statuses.map(({ kind }) => kind),
    ['connecting', 'connecting', 'live', 'stale', 'stale', 'stale', 'stale', 'resumed'],
  );
  assert.equal(statuses[6]!.since, 3000, 'since it was lost, not since the last try');
});

test('who never got through is still connecting; a refusal is the end', () => {
  const statuses = kinds('waiting', 'refused');
  assert.deepEqual(statuses[0], { kind: 'connecting', since: 0, reason: 'why' });
  assert.deepEqual(statuses[1], { kind: 'over', since: 1000, reason: 'why' });
});

test('of several connections the worst counts, and coming back is said for a while', () => {
  const live: ConnectionStatus = { kind: 'live', since: 0, reason: null };
  const stale: ConnectionStatus = { kind: 'stale', since: 5, reason: null };
  const resumed: ConnectionStatus = { kind: 'resumed', since: 1000, reason: null };
  assert.equal(worstOf([live, stale], 9000), stale);
  assert.equal(worstOf([live, resumed], 1000).kind, 'resumed');
  assert.equal(worstOf([live, resumed], 1000 + RESUMED_MS).kind, 'live');
  assert.equal(worstOf([], 0).kind, 'connecting');
});
