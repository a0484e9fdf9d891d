import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../support/properties.js';
import type { Filter } from '../../src/protocol/filters/filter.js';
import type { First } from '../../src/protocol/filters/first.js';
import { content, filter } from '../support/data/arbitraries.js';
import { rounds } from '../support/rounds.js';
import { sequences, type Step, steps } from '../support/worlds/steps.js';
import { type ResumeFrom, type StreamClient, StreamWorld } from '../support/worlds/stream-world.js';

/** Some providers are busier than others. */
const id = fc.constantFrom(...Array.from('aaabbbccddefghijklmn'));
const pick = fc.nat();
const frames = fc.integer({ min: 0, max: 4 });
const codec = fc.constantFrom<'json' | 'msgpack'>('json', 'msgpack');
/** Few different ones, so that streams are shared. */
const FILTERS: Filter[] = [
  {},
  { status: 'live' },
  { cpu: 2 },
  { country: ['NO', 'SE'] },
  { platform: ['arm64'], memory: 2 },
  { max_usd_per_month: 1 },
  { max_glm_per_month: 0.3, verified: true },
  { not_country: ['SE'], exclude: ['a', 'b'] },
];
const asked = fc.oneof(fc.constantFrom(...FILTERS), filter);
/** The first matches, of few and many, or all. */
const first: fc.Arbitrary<First> = fc.record({
  sort: fc.constantFrom('price', 'price_glm'),
  limit: fc.constantFrom(1, 1, 2, 3, 5, 100),
});

function clientOf(world: StreamWorld, which: number): StreamClient | undefined {
  const open = world.clients.filter(({ closed }) => !closed);
  return open[which % Math.max(1, open.length)];
}

type WorldStep = fc.Arbitrary<Step<StreamWorld>>;
function step<Args extends unknown[]>(
  name: string,
  args: { [Index in keyof Args]: fc.Arbitrary<Args[Index]> },
  run: (world: StreamWorld, ...given: Args) => void,
): WorldStep {
  return steps(name, args, run);
}

const registrySteps: { weight: number; arbitrary: WorldStep }[] = [
  {
    weight: 8,
    arbitrary: step(
      'advertise',
      [id, content, fc.boolean(), fc.boolean()],
      (world, one, said, overSession, signed) => {
        world.advertise(one, said, { overSession, signed });
      },
    ),
  },
  {
    weight: 1,
    arbitrary: step('repeat', [id], (world, one) => {
      world.repeat(one);
    }),
  },
  {
    weight: 3,
    arbitrary: step('withdraw', [id], (world, one) => {
      world.withdraw(one);
    }),
  },
  {
    weight: 1,
    arbitrary: step('heartbeat', [id], (world, one) => {
      world.heartbeat(one);
    }),
  },
  {
    weight: 2,
    arbitrary: step('attach', [id], (world, one) => {
      world.attach(one);
    }),
  },
  {
    weight: 2,
    arbitrary: step('detach', [id], (world, one) => {
      world.detach(one);
    }),
  },
  {
    weight: 2,
    arbitrary: step('pass', [fc.constantFrom(200, 600, 1400)], (world, ms) => {
      world.pass(ms);
    }),
  },
];

/** A cursor that this hub never gave out. */
const madeUp = fc.constantFrom(
  '',
  'x',
  'e:1',
  '0:0',
  '123456789abc:1',
  'EPOCH:999999',
  'EPOCH:-1',
  'EPOCH:1.5',
);

/** @param some What streams are limited to; null for all matches. */
const clientSteps = (some: fc.Arbitrary<First | null>): { weight: number; arbitrary: WorldStep }[] => [
  {
    weight: 3,
    arbitrary: step('connect and subscribe', [codec, asked, some, frames], (world, name, one, few, room) => {
      const client = world.connect(name);
      if (room > 0) client.limit(room);
      client.subscribe(one, null, few);
    }),
  },
  {
    weight: 2,
    arbitrary: step('subscribe', [pick, asked, some], (world, which, one, few) => {
      clientOf(world, which)?.subscribe(one, null, few);
    }),
  },
  {
    weight: 4,
    arbitrary: step('come back and resume', [codec, pick, frames], (world, name, which, room) => {
      const from = world.checkpoints[which % Math.max(1, world.checkpoints.length)];
      if (from === undefined) return;
      const client = world.connect(name);
      if (room > 0) client.limit(room);
      client.subscribe(from.filter, from, from.first);
    }),
  },
  {
    weight: 1,
    arbitrary: step(
      'resume from a made-up cursor',
      [codec, asked, some, madeUp],
      (world, name, one, few, cursor) => {
        const from: ResumeFrom = cursor.replace('EPOCH', world.registry.changes.epoch);
        world.connect(name).subscribe(one, from, few);
      },
    ),
  },
  {
    weight: 1,
    arbitrary: step('unsubscribe', [pick, pick], (world, which, view) => {
      clientOf(world, which)?.unsubscribe(view);
    }),
  },
  {
    weight: 3,
    arbitrary: step('limit', [pick, frames], (world, which, room) => {
      clientOf(world, which)?.limit(room);
    }),
  },
  {
    weight: 4,
    arbitrary: step('take', [pick, fc.option(frames)], (world, which, room) => {
      clientOf(world, which)?.take(room ?? undefined);
    }),
  },
  {
    weight: 1,
    arbitrary: step('break', [pick, frames], (world, which, left) => {
      clientOf(world, which)?.breakAfter(left);
    }),
  },
  {
    weight: 1,
    arbitrary: step('disconnect', [pick], (world, which) => {
      clientOf(world, which)?.close();
    }),
  },
  {
    weight: 1,
    arbitrary: step('bookmark', [pick], (world, which) => {
      clientOf(world, which)?.bookmark();
    }),
  },
];

/** Making a counterexample smaller ends, at the latest, with the smallest that was found by then. */
const WITHIN_TIME = { interruptAfterTimeLimit: 120_000, markInterruptAsFailure: true };

/** What happens within one turn of the event loop. */
const bursts = (some: fc.Arbitrary<First | null>): fc.Arbitrary<Step<StreamWorld>[]> =>
  fc.array(fc.oneof(...registrySteps, ...clientSteps(some)), { minLength: 1, maxLength: 6 });
const burst = bursts(fc.constant(null));
const beginning = sequences(fc.oneof(...registrySteps), 20);

async function play(
  world: StreamWorld,
  first: readonly Step<StreamWorld>[],
  then: readonly (readonly Step<StreamWorld>[])[],
): Promise<void> {
  for (const one of first) one.run(world);
  for (const together of then) {
    for (const one of together) {
      one.run(world);
      world.check();
    }
    await world.turn();
  }
  await world.settle();
}

test('every client holds, at every cursor it is given, exactly what a list would have returned there', async () => {
  const seen = { exact: 0, refused: 0, fallenBehind: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(2, 8, 30, 1000),
      // So few that a flush takes several turns, in which more changes and clients come and go.
      fc.record({ framesPerTurn: fc.constantFrom(1, 2, 500), flushesPerTurn: fc.constantFrom(1, 2, 1000) }),
      // So little that every step of a snapshot, a resume or a catch-up is a turn of its own.
      fc.constantFrom(1, 500_000),
      fc.constantFrom(0, 2, 1000),
      beginning,
      sequences(burst, 80),
      async (replayEvents, perTurn, workPerTurn, maxSharedLag, first, then) => {
        // Snapshots of more than one frame, with a few providers.
        const limits = { ...perTurn, workPerTurn, maxSharedLag, snapshotBatch: 2, snapshotLooks: 5 };
        const world = new StreamWorld({ expiryMs: 2000, replayEvents, limits });
        await play(world, first, then);
        seen.exact += world.decided.exact;
        seen.refused += world.decided.refused;
        seen.fallenBehind += world.fallenBehind;
      },
    ),
    { numRuns: rounds(120), ...WITHIN_TIME },
  );
  for (const [what, times] of Object.entries(seen))
    assert.ok(times > 20, `${what}: only ${String(times)} times`);
});

test('the same holds where catching up with more than a few events is refused, and slow snapshots are given up', async () => {
  // Bounds that take thousands of providers to meet, so small that a few providers cross them again and again.
  const limits = { framesPerTurn: 3, snapshotBatch: 1, maxCatchUpEvents: 2, maxSnapshotBytes: 900 };
  const seen = { refused: 0, fallenBehind: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(1, 500_000),
      beginning,
      sequences(burst, 60),
      async (workPerTurn, first, then) => {
        const world = new StreamWorld({
          expiryMs: 2000,
          replayEvents: 100,
          limits: { ...limits, workPerTurn },
        });
        await play(world, first, then);
        seen.refused += world.decided.refused;
        seen.fallenBehind += world.fallenBehind;
      },
    ),
    { numRuns: rounds(60), ...WITHIN_TIME },
  );
  for (const [what, times] of Object.entries(seen))
    assert.ok(times > 20, `${what}: only ${String(times)} times`);
});

test('streams of the first matches hold at every cursor the first of the list, whoever comes, goes or is outranked', async () => {
  const seen = { exact: 0, refused: 0, fallenBehind: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(2, 8, 30, 1000),
      fc.record({ framesPerTurn: fc.constantFrom(1, 500), flushesPerTurn: fc.constantFrom(1, 1000) }),
      // So little that changes come between the steps of a search.
      fc.constantFrom(1, 500_000),
      // None to spare, so that it is searched again and again.
      fc.constantFrom(0, 0, 2, 16),
      beginning,
      sequences(bursts(fc.option(first, { freq: 8 })), 80),
      async (replayEvents, perTurn, workPerTurn, leastSpare, before, then) => {
        const limits = { ...perTurn, workPerTurn, leastSpare, snapshotBatch: 2, snapshotLooks: 5 };
        const world = new StreamWorld({ expiryMs: 2000, replayEvents, limits });
        await play(world, before, then);
        seen.exact += world.decided.exact;
        seen.refused += world.decided.refused;
        seen.fallenBehind += world.fallenBehind;
      },
    ),
    { numRuns: rounds(80), ...WITHIN_TIME },
  );
  for (const [what, times] of Object.entries(seen))
    assert.ok(times > 20, `${what}: only ${String(times)} times`);
});
