import assert from 'node:assert/strict';
import test from 'node:test';
import { deserialize, serialize } from 'node:v8';
import fc from '../support/properties.js';
import type { Change } from '../../src/registry/change-log.js';
import type { Entry } from '../../src/registry/entry.js';
import { matchingSlots } from '../../src/registry/lists/query.js';
import type { Deliver } from '../../src/registry/log.js';
import { State } from '../../src/registry/state.js';
import { COUNTRY } from '../../src/registry/store/columns.js';
import type { Store } from '../../src/registry/store/store.js';
import { content } from '../support/data/arbitraries.js';
import { MemoryLog } from '../support/worlds/memory-log.js';
import { RegistryWorld } from '../support/worlds/registry-world.js';
import { sequences, type Step, steps } from '../support/worlds/steps.js';

const EXPIRY_MS = 2000;
const REPLAY_EVENTS = 50;

/** A log that writes down each entry with its position, as bytes. */
class RecordingLog extends MemoryLog {
  readonly written: Buffer[] = [];

  override deliverTo(deliver: Deliver): void {
    super.deliverTo((entry, position) => {
      this.written.push(serialize([entry, position]));
      deliver(entry, position);
    });
  }
}

const id = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const step = <Args extends unknown[]>(
  name: string,
  args: { [Index in keyof Args]: fc.Arbitrary<Args[Index]> },
  run: (world: RegistryWorld, ...given: Args) => void,
): fc.Arbitrary<Step<RegistryWorld>> => steps(name, args, run);

// Heartbeats are no entries: a run without them has all of its times in entries.
const anything = fc.oneof(
  step('advertise', [id, content, fc.boolean(), fc.boolean()], (world, who, what, overSession, signed) => {
    world.advertise(who, what, { overSession, signed });
  }),
  step('repeat', [id], (world, who) => {
    world.repeat(who);
  }),
  step('withdraw', [id], (world, who) => {
    world.withdraw(who);
  }),
  step('attach', [id], (world, who) => {
    world.attach(who);
  }),
  step('detach', [id], (world, who) => {
    world.detach(who);
  }),
  step('pass', [fc.integer({ min: 200, max: 1500 })], (world, ms) => {
    world.pass(ms);
  }),
);

/** All that a list of everything would say. */
function everything(store: Store): string {
  const slots = matchingSlots(store, store.predicates.of({}));
  return slots.map((slot) => store.fragment(slot).toString('utf8')).join('\n');
}

/** A change with the attributes before it and the advertisement after it. */
function told({ store, changes }: Pick<State, 'store' | 'changes'>, change: Change): string {
  const { seq, providerId, beforeRow, slot, reason } = change;
  const { before } = changes;
  const row =
    beforeRow === null
      ? null
      : [...before.amounts, before.values[COUNTRY]!, ...before.flags].map((column) => column[beforeRow]);
  const after = slot === null ? null : store.fragment(slot).toString('utf8');
  return JSON.stringify([seq, providerId, row, after, reason]);
}

test('the entries of any run, applied from scratch at another time, give the same lists, numbers and events', () => {
  let entries = 0;
  fc.assert(
    fc.property(sequences(anything, 60), (run) => {
      const log = new RecordingLog();
      const world = new RegistryWorld({ expiryMs: EXPIRY_MS, replayEvents: REPLAY_EVENTS }, log);
      const { registry } = world;
      const events: string[] = [];
      registry.onChange((change) => events.push(told(registry, change)));
      for (const one of run) one.run(world);

      const again = new State('another', REPLAY_EVENTS, (at) => ({
        updatedAt: at,
        expiresAt: at + EXPIRY_MS,
        deadline: Number.POSITIVE_INFINITY,
      }));
      const eventsAgain: string[] = [];
      again.onChange((change) => eventsAgain.push(told(again, change)));
      for (const bytes of log.written) again.apply(...(deserialize(bytes) as [Entry, number]));

      assert.deepEqual(eventsAgain, events);
      assert.equal(everything(again.store), everything(registry.store));
      assert.equal(again.changes.seq, registry.changes.seq);
      assert.deepEqual(again.gone, registry.gone);
      entries += log.written.length;
    }),
    { numRuns: 300 },
  );
  assert.ok(entries > 3000, `only ${String(entries)} entries were compared`);
});

test('listeners are told in the order in which they came, and none replaces another', () => {
  const world = new RegistryWorld();
  const calls: string[] = [];
  world.registry.onChange(() => calls.push('first'));
  world.registry.onChange(() => calls.push('second'));
  world.attach('a');
  world.advertise('a', fc.sample(content, 1)[0]!, { overSession: true });
  assert.deepEqual(calls, ['first', 'second']);
});
