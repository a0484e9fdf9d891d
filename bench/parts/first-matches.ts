import type { Bench, Family, Outcome } from '../part.js';
import { Program } from '../processes.js';
import { Remote } from '../rpc.js';
import type { FirstMatchesCalls } from '../servers/first-matches.js';

const STREAMS = 1000;
const PROVIDERS = 10_000;
const UPDATES = 1000;
const ROUNDS = 5;
const LIMIT = 10;

interface Followers {
  program: Program;
  remote: Remote<FirstMatchesCalls>;
  micros: number;
  events: number;
}

/** The cost of following only the cheapest matches. */
export const firstMatches: Family = {
  title: 'first matches',
  parts: [
    {
      name: 'first-matches',
      work: `an update of prices with 1,000 streams of the ${String(LIMIT)} cheapest matches, in process, CPU`,
      baseline: 'the same with 1,000 streams of all matches',
      unit: 'µs',
      aim: { of: 'ratio', sense: 'at most', value: 2 },
    },
  ],
  async run(bench) {
    const some = await begin(bench, LIMIT);
    const all = await begin(bench, null);
    bench.say('following updates of prices');
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const followers of [some, all]) {
        const { micros, events } = await followers.remote.call('follow', bench.size(UPDATES));
        // The best of all rounds, because other activity on the machine only adds to it.
        followers.micros = Math.min(followers.micros, micros);
        followers.events = events;
      }
    }
    await Promise.all([some, all].map(({ program }) => program.end()));
    const outcome: Outcome = {
      name: 'first-matches',
      hub: some.micros,
      baseline: all.micros,
      loadShare: null,
      baselineLoadShare: null,
      longestStopMs: null,
      note: `an update is told ${some.events.toFixed(1)} streams of the cheapest, and ${all.events.toFixed(1)} of all`,
    };
    return [outcome];
  },
};

async function begin(bench: Bench, limit: number | null): Promise<Followers> {
  bench.say('subscribing to the first matches, and to all');
  const program = new Program(bench, 'the streams', './servers/first-matches.js', [], { calls: true });
  const remote = new Remote<FirstMatchesCalls>(program.child, program.error);
  await remote.call('prepare', { filters: STREAMS, providers: PROVIDERS, limit });
  return { program, remote, micros: Number.POSITIVE_INFINITY, events: 0 };
}
