import type { Bench, Family, Outcome } from '../part.js';
import { Program } from '../processes.js';
import { Remote } from '../rpc.js';
import type { MatchingCalls } from '../servers/matching.js';

const FEW = 100;
const MANY = 10_000;
const PROVIDERS = 10_000;
const UPDATES = 1000;
const ROUNDS = 6;

interface Matcher {
  program: Program;
  remote: Remote<MatchingCalls>;
  micros: number;
  matches: number;
}

/**
 * The time to match one update against filters, for several numbers of them in turn.
 * @param telling How many filters may match the updated providers; null for all.
 */
export async function measureMatching(
  bench: Bench,
  sizes: readonly number[],
  telling: number | null,
): Promise<{ micros: number; matches: number }[]> {
  const matchers: Matcher[] = [];
  for (const filters of sizes) {
    bench.say(`subscribing to ${filters.toLocaleString('en')} filters`);
    const program = new Program(bench, 'the matching', './servers/matching.js', [], { calls: true });
    const remote = new Remote<MatchingCalls>(program.child, program.error);
    await remote.call('prepare', { filters, providers: PROVIDERS, telling });
    matchers.push({ program, remote, micros: Number.POSITIVE_INFINITY, matches: 0 });
  }
  bench.say('matching');
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const matcher of matchers) {
      const { micros, matches } = await matcher.remote.call('match', bench.size(UPDATES));
      // The best of all rounds, because other activity on the machine only adds to it.
      matcher.micros = Math.min(matcher.micros, micros);
      matcher.matches = matches;
    }
  }
  await Promise.all(matchers.map(({ program }) => program.end()));
  return matchers;
}

/** The cost of one more filter. */
export const distinctFilters: Family = {
  title: 'distinct filters',
  parts: [
    {
      name: 'distinct-filters',
      work: 'matching one update against 10,000 distinct filters, 100 of which may match it, in process',
      baseline: 'the same against those 100',
      unit: 'µs',
      aim: { of: 'ratio', sense: 'at most', value: 5 },
    },
  ],
  async run(bench) {
    const [few, many] = await measureMatching(bench, [FEW, MANY], FEW);
    const outcome: Outcome = {
      name: 'distinct-filters',
      hub: many!.micros,
      baseline: few!.micros,
      loadShare: null,
      baselineLoadShare: null,
      longestStopMs: null,
      note: `each update matches ${few!.matches.toFixed(1)} of 100 and ${many!.matches.toFixed(1)} of 10,000`,
    };
    return [outcome];
  },
};
