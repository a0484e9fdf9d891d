import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Entry } from '../../src/registry/entry.js';
import { type Log, noLog, PersistenceError } from '../../src/registry/log.js';
import { Sessions } from '../../src/registry/sessions.js';
import { State } from '../../src/registry/state.js';

/** A log of several hubs that takes what it is told to. */
function sharedLog(state: State): Log & { hub: string; isRefusing: boolean } {
  let position = 0;
  return {
    ...noLog,
    isShared: true,
    hub: 'first',
    isRefusing: false,
    propose(entry: Entry): Promise<number> {
      if (this.isRefusing) return Promise.reject(new PersistenceError('no answer'));
      position += 1;
      state.apply(entry, position);
      return Promise.resolve(position);
    },
  };
}

/** A hub's sessions over such a log. */
function sessionsOf(state: State, log: Log): Sessions {
  const silent = {
    steady: () => 0,
    heartbeatAgeOf: () => 0,
    vouch: () => undefined,
    takenOver: () => undefined,
  };
  return new Sessions({ state, log: () => log, ...silent });
}

const emptyState = (): State => new State('', 10, (at) => ({ updatedAt: at, expiresAt: at, deadline: at }));

test('a session that could not be attached again is tried until it is: its provider notices nothing', async () => {
  const state = emptyState();
  const log = sharedLog(state);
  const sessions = sessionsOf(state, log);
  sessions.tick();
  const { token, applied } = sessions.begin('p', null);
  await applied;
  state.apply({ kind: 'end', hub: 'first' }, 10);
  log.hub = 'second';
  log.isRefusing = true;
  for (let tick = 0; tick < 3; tick += 1) {
    sessions.tick();
    await nextTurn();
  }
  assert.equal(state.sessionOf('p'), undefined);
  log.isRefusing = false;
  sessions.tick();
  await nextTurn();
  assert.deepEqual({ ...state.sessionOf('p') }, { hub: 'second', token, from: null });
});

test('a hub that is declared dead before its first look attaches its sessions again, too', async () => {
  const state = emptyState();
  const log = sharedLog(state);
  const sessions = sessionsOf(state, log);
  const { token, applied } = sessions.begin('p', null);
  await applied;
  state.apply({ kind: 'end', hub: 'first' }, 10);
  log.hub = 'second';
  sessions.tick();
  await nextTurn();
  assert.deepEqual({ ...state.sessionOf('p') }, { hub: 'second', token, from: null });
});

test('a session that ends before it is applied began with a sign of life', async () => {
  const state = emptyState();
  const log = sharedLog(state);
  const told: Entry[] = [];
  const propose = log.propose.bind(log);
  log.propose = (entry) => {
    told.push(entry);
    return propose(entry);
  };
  let now = 1000;
  const host = { steady: () => now, vouch: () => undefined, takenOver: () => undefined };
  const sessions = new Sessions({ state, log: () => log, heartbeatAgeOf: () => 290_000, ...host });
  const { token, applied } = sessions.begin('p', null);
  now += 30;
  sessions.end('p', token);
  await applied;
  const ages = told.flatMap((entry) => (entry.kind === 'detach' ? [entry.heartbeatAgeMs] : []));
  assert.deepEqual(ages, [30]);
});
