import type { Bench, Family, Outcome } from '../part.js';
import { Program } from '../processes.js';
import { Remote } from '../rpc.js';
import type { AttributesCalls } from '../servers/attributes.js';

const SMALL = 1000;
const LARGE = 100_000;
const HUGE = 1_000_000;
const LISTS = 20_000;
const CHANGES = 5000;
const FEW = 100;
const MANY = 10_000;
const ROUNDS = 4;
/** A million providers are made one by one, at some 110 µs each. */
const PREPARE_LIMIT_MS = 600_000;

type Attributes = Remote<AttributesCalls>;

/** The cost of filters by attributes, which providers name freely. */
export const attributes: Family = {
  title: 'attributes',
  parts: [
    {
      name: 'attribute-list-100k',
      work: 'list with limit=10 by the value of one attribute, 100,000 providers, in process, CPU',
      baseline: 'the same at 1,000 providers',
      unit: 'per second',
      aim: { of: 'ratio', sense: 'at least', value: 0.5 },
    },
    {
      name: 'attribute-filters',
      work: 'a change beside 10,000 streams of different filters by attribute, 1,000 providers, in process, CPU',
      baseline: 'the same beside 100',
      unit: 'µs',
      aim: { of: 'ratio', sense: 'at most', value: 5 },
    },
    {
      name: 'attribute-row-memory',
      work: 'memory of a provider with six attributes, 100,000 providers, in process',
      baseline: '–',
      unit: 'bytes',
      aim: { of: 'figure', sense: 'at most', value: 1280 },
    },
  ],
  run: (bench, wanted) => measure(bench, LARGE, '100k', wanted),
};

/** The same with a million providers, which takes minutes. Only measured on request. */
export const manyAttributes: Family = {
  title: 'attributes of a million providers',
  parts: [
    {
      name: 'attribute-list-1m',
      work: 'list with limit=10 by the value of one attribute, 1,000,000 providers, in process, CPU',
      baseline: 'the same at 1,000 providers',
      unit: 'per second',
      aim: { of: 'ratio', sense: 'at least', value: 0.5 },
    },
  ],
  run: (bench, wanted) => measure(bench, HUGE, '1m', wanted),
};

async function measure(
  bench: Bench,
  providers: number,
  size: string,
  wanted: ReadonlySet<string>,
): Promise<Outcome[]> {
  bench.say('making providers with attributes');
  const [small, large] = [start(bench), start(bench)];
  await small.remote.call('prepare', SMALL);
  const bytes = await large.remote.call('prepare', bench.size(providers), PREPARE_LIMIT_MS);
  const outcomes: Outcome[] = [];
  const note = (name: string, hub: number, baseline: number | null): void => {
    if (!wanted.has(name)) return;
    const unknown = { loadShare: null, baselineLoadShare: null, longestStopMs: null };
    outcomes.push({ name, hub, baseline, ...unknown, note: '' });
  };
  const list = (remote: Attributes) => (): Promise<number> => remote.call('list', bench.size(LISTS));
  const lists = await inTurns([list(large.remote), list(small.remote)], Math.max);
  note(`attribute-list-${size}`, lists[0]!, lists[1]!);
  const change = (filters: number) => (): Promise<number> =>
    small.remote.call('change', { filters, changes: bench.size(CHANGES) });
  if (wanted.has('attribute-filters')) {
    const changed = await inTurns([change(MANY), change(FEW)], Math.min);
    note('attribute-filters', changed[0]!, changed[1]!);
  }
  note('attribute-row-memory', bytes, null);
  await Promise.all([small.program.end(), large.program.end()]);
  return outcomes;
}

function start(bench: Bench): { program: Program; remote: Attributes } {
  const program = new Program(bench, 'the attributes', './servers/attributes.js', [], { calls: true });
  return { program, remote: new Remote<AttributesCalls>(program.child, program.error) };
}

/** The best figure of each, because other activity on the machine only makes it worse. */
async function inTurns(
  asks: readonly (() => Promise<number>)[],
  best: (...figures: number[]) => number,
): Promise<number[]> {
  const figures: number[][] = asks.map(() => []);
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [at, ask] of asks.entries()) figures[at]!.push(await ask());
  return figures.map((all) => best(...all));
}
