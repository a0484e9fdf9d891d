import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkAnswers } from '../answers.js';
import { type Query, queriesOf } from '../data/queries.js';
import { seedDatabase } from '../database.js';
import { type Contender, type ContenderFigure, driveInTurns, HttpLoad } from '../http-load.js';
import { Hub } from '../hub.js';
import { type Bench, type Family, type Outcome, type PartInfo, WrongAnswerError } from '../part.js';
import { MANY_CHANGES, MANY_CHANGES_NOTE, Pulse } from '../pulse.js';

const SMALL = 1000;
const LARGE = 100_000;
const HUGE = 1_000_000;
const FILTERED = queriesOf({ matches: [10, 40], sort: 'id', limit: 10 });
const SORTED = queriesOf({ matches: [20, 80], sort: 'price', limit: 20 });

const filteredPart = (name: string, providers: string): PartInfo => ({
  name,
  work: `filtered list with limit=10, ${providers} providers`,
  baseline: 'the same at 1,000 providers',
  unit: 'per second',
  aim: { of: 'ratio', sense: 'at least', value: 0.5 },
});

/** What depends on the number of providers, and what does not. */
export const largeLists: Family = {
  title: 'large registries',
  parts: [
    filteredPart('filtered-list-100k', '100,000'),
    filteredPart('filtered-list-1m', '1,000,000'),
    {
      name: 'sorted-list-100k',
      work: 'sort=price&limit=20 with a filter, 100,000 providers',
      baseline: 'the same at 1,000 providers',
      unit: 'per second',
      aim: { of: 'ratio', sense: 'at least', value: 0.2 },
    },
    {
      name: 'row-memory',
      work: 'memory of a provider, 1,000,000 providers',
      baseline: '–',
      unit: 'bytes',
      aim: { of: 'figure', sense: 'at most', value: 1024 },
    },
    {
      name: 'cold-start',
      work: 'start with 1,000,000 rows until /health answers',
      baseline: 'better-sqlite3 reading the same rows',
      unit: 's',
      aim: { of: 'ratio', sense: 'at most', value: 2.5 },
    },
  ],
  async run(bench, wanted) {
    const outcomes: Outcome[] = [];
    const files = await seed(bench, wanted);
    const hubs: Partial<Record<Size, Hub>> = {};
    if (wanted.has('cold-start')) {
      const { outcome, hub } = await coldStart(bench, files.huge!.file);
      outcomes.push(outcome);
      hubs.huge = hub;
    }
    for (const size of SIZES) {
      const seeded = files[size];
      if (seeded === undefined || hubs[size] !== undefined) continue;
      bench.say(`starting a hub with ${seeded.rows.toLocaleString('en')} providers`);
      hubs[size] = await Hub.start(bench, seeded.file);
    }
    // Before any load, which makes each process grow, whatever it holds.
    const memory = wanted.has('row-memory') ? await rowMemory(bench, hubs.huge!, files.huge!.rows) : null;
    if ([...wanted].some((name) => name.includes('list'))) {
      outcomes.push(...(await compareLists(bench, wanted, files, hubs)));
    }
    if (memory !== null) outcomes.push(memory);
    await Promise.all(Object.values(hubs).map((hub) => hub.end()));
    return outcomes;
  },
};

interface Seeded {
  file: string;
  rows: number;
  filtered: number[][];
  sorted: number[][];
}

const SIZES = ['small', 'large', 'huge'] as const;
type Size = (typeof SIZES)[number];

async function seed(bench: Bench, wanted: ReadonlySet<string>): Promise<Partial<Record<Size, Seeded>>> {
  const needs: Record<Size | 'filtered' | 'sorted', boolean> = {
    filtered: [...wanted].some((name) => name.startsWith('filtered')),
    sorted: wanted.has('sorted-list-100k'),
    small: [...wanted].some((name) => name.includes('list')),
    large: wanted.has('filtered-list-100k') || wanted.has('sorted-list-100k'),
    huge: ['filtered-list-1m', 'row-memory', 'cold-start'].some((name) => wanted.has(name)),
  };
  const rows: Record<Size, number> = { small: SMALL, large: bench.size(LARGE), huge: bench.size(HUGE) };
  const files: Partial<Record<Size, Seeded>> = {};
  for (const size of SIZES) {
    if (!needs[size]) continue;
    bench.say(`filling a database with ${rows[size].toLocaleString('en')} providers`);
    const file = `${size}.db`;
    const queries = [...(needs.filtered ? FILTERED : []), ...(needs.sorted && size !== 'huge' ? SORTED : [])];
    const answers = await seedDatabase(bench, file, rows[size], queries);
    const filtered = needs.filtered ? answers.slice(0, FILTERED.length) : [];
    files[size] = { file, rows: rows[size], filtered, sorted: answers.slice(filtered.length) };
  }
  return files;
}

/** A start that takes longer is not repeated, in seconds: the whole run has five minutes. */
const TOO_LONG_TO_REPEAT = 15;

/** Reads the file and starts a hub, twice in turn, with a warm page cache. The last hub stays. */
async function coldStart(bench: Bench, file: string): Promise<{ outcome: Outcome; hub: Hub }> {
  const rounds: { read: number; start: number }[] = [];
  for (;;) {
    bench.say('reading the rows, nothing else');
    const read = readRows(bench, file);
    bench.say('starting the hub');
    const { hub, seconds } = await startTimed(bench, file);
    rounds.push({ read, start: seconds });
    if (rounds.length < 2 && seconds < TOO_LONG_TO_REPEAT) {
      await hub.program.stop();
      continue;
    }
    const outcome: Outcome = {
      name: 'cold-start',
      hub: Math.min(...rounds.map(({ start }) => start)),
      baseline: Math.min(...rounds.map((round) => round.read)),
      loadShare: null,
      baselineLoadShare: null,
      longestStopMs: null,
      note: `with the start of the process; ${rounds.length === 1 ? 'once' : 'the better of two'}`,
    };
    return { outcome, hub };
  }
}

function readRows(bench: Bench, file: string): number {
  const script = fileURLToPath(new URL('../servers/read-rows.js', import.meta.url));
  const from = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [script, join(bench.folder, file)], {
    encoding: 'utf8',
    timeout: 120_000,
  });
  if (status !== 0) throw new Error(`reading the rows failed:\n${stderr}`);
  return (performance.now() - from) / 1000;
}

async function startTimed(bench: Bench, file: string): Promise<{ hub: Hub; seconds: number }> {
  const from = performance.now();
  const hub = await Hub.start(bench, file);
  const response = await fetch(`${hub.url}/health`, { signal: AbortSignal.timeout(30_000) });
  if (response.status !== 200) throw new WrongAnswerError(`/health answered ${String(response.status)}`);
  await response.arrayBuffer();
  return { hub, seconds: (performance.now() - from) / 1000 };
}

/** Sends the same requests to hubs of different sizes. */
async function compareLists(
  bench: Bench,
  wanted: ReadonlySet<string>,
  files: Partial<Record<Size, Seeded>>,
  hubs: Partial<Record<Size, Hub>>,
): Promise<Outcome[]> {
  const contenders: Record<string, Contender> = {};
  const checks: (() => Promise<unknown>)[] = [];
  const pulses: Pulse[] = [];
  const lists: Record<'filtered' | 'sorted', Query[]> = { filtered: FILTERED, sorted: SORTED };
  for (const size of SIZES) {
    const seeded = files[size];
    const hub = hubs[size];
    if (seeded === undefined || hub === undefined) continue;
    const pulse = await Pulse.open(bench, hub, MANY_CHANGES);
    pulses.push(pulse);
    for (const list of ['filtered', 'sorted'] as const) {
      if (seeded[list].length === 0) continue;
      const check = () => checkAnswers({ port: hub.port, host: '127.0.0.1' }, lists[list], seeded[list]);
      checks.push(check);
      contenders[`${list} ${size}`] = { target: await check(), hub, pulse };
    }
  }
  const load = new HttpLoad(bench);
  bench.say('hubs of all sizes in turn');
  const figures = await driveInTurns(load, contenders, { rounds: 2, seconds: bench.size(2) });
  await load.end();
  for (const check of checks) await check();
  for (const pulse of pulses) pulse.close();
  const compared = (name: string, list: string, size: Size): Outcome[] =>
    wanted.has(name) ? [outcomeOf(name, figures[`${list} ${size}`]!, figures[`${list} small`]!)] : [];
  return [
    ...compared('filtered-list-100k', 'filtered', 'large'),
    ...compared('filtered-list-1m', 'filtered', 'huge'),
    ...compared('sorted-list-100k', 'sorted', 'large'),
  ];
}

function outcomeOf(name: string, figure: ContenderFigure, baseline: ContenderFigure): Outcome {
  return {
    name,
    hub: figure.perSecond,
    baseline: baseline.perSecond,
    loadShare: figure.loadShare,
    baselineLoadShare: baseline.loadShare,
    longestStopMs: figure.longestStopMs,
    note: MANY_CHANGES_NOTE,
  };
}

/** How much larger the process is than a freshly started one without providers. */
async function rowMemory(bench: Bench, hub: Hub, rows: number): Promise<Outcome> {
  bench.say('memory');
  const empty = await Hub.start(bench, 'empty.db');
  const base = await empty.state();
  await empty.end();
  const full = await hub.state();
  const perRow = (bytes: number): string => (bytes / rows).toFixed(0);
  return {
    name: 'row-memory',
    hub: (full.rssBytes - base.rssBytes) / rows,
    baseline: null,
    loadShare: null,
    baselineLoadShare: null,
    longestStopMs: null,
    note: `of that ${perRow(full.arenaBytes)} JSON and proofs, ${perRow(full.heapBytes - base.heapBytes)} JavaScript heap`,
  };
}
