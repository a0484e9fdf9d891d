import { checkAnswers } from '../answers.js';
import { queriesOf } from '../data/queries.js';
import { seedDatabase } from '../database.js';
import { type Contender, driveInTurns, HttpLoad } from '../http-load.js';
import { Hub } from '../hub.js';
import { LoadProcess } from '../load-process.js';
import type { Bench, Family, Outcome, PartInfo, Unit } from '../part.js';
import { MANY_CHANGES, Pulse } from '../pulse.js';
import { measureMatching } from './distinct-filters.js';

const QUERIES = queriesOf({ matches: [10, 40], sort: 'id', limit: 10 });

/** Three sizes, each ten times the previous one. */
interface Growth {
  name: string;
  work: string;
  unit: Unit;
  sizes: readonly [number, number, number];
  measure: (bench: Bench, sizes: readonly number[]) => Promise<Measured[]>;
}

interface Measured {
  figure: number;
  loadShare: number | null;
  longestStopMs: number | null;
}

const GROWTHS: readonly Growth[] = [
  {
    name: 'growth-list',
    work: 'filtered list with limit=10, providers',
    unit: 'per second',
    sizes: [1000, 10_000, 100_000],
    measure: measureLists,
  },
  {
    name: 'growth-filters',
    work: 'matching one update, distinct filters, of which ten times as many match it',
    unit: 'µs',
    sizes: [100, 1000, 10_000],
    measure: async (bench, sizes) =>
      (await measureMatching(bench, sizes, null)).map(({ micros }) => ({
        figure: micros,
        loadShare: null,
        longestStopMs: null,
      })),
  },
  {
    name: 'growth-fan-out',
    work: 'deliveries of updates, subscribers of one stream',
    unit: 'per second',
    sizes: [100, 1000, 10_000],
    measure: measureFanOut,
  },
];

const nameOf = ({ name }: Growth, size: number): string => `${name}-${String(size)}`;

/** How figures change with each factor of ten. Only measured on request. */
export const growth: Family = {
  title: 'growth',
  parts: GROWTHS.flatMap((one) =>
    one.sizes.map((size, at): PartInfo => ({
      name: nameOf(one, size),
      work: `${one.work}: ${size.toLocaleString('en')}`,
      baseline: at === 0 ? '–' : `the same with ${one.sizes[at - 1]!.toLocaleString('en')}`,
      unit: one.unit,
      aim: null,
    })),
  ),
  async run(bench, wanted) {
    const outcomes: Outcome[] = [];
    for (const one of GROWTHS) {
      if (!one.sizes.some((size) => wanted.has(nameOf(one, size)))) continue;
      bench.say(one.name);
      const measured = await one.measure(
        bench,
        one.sizes.map((size) => bench.size(size)),
      );
      measured.forEach(({ figure, loadShare, longestStopMs }, at) => {
        const before = measured[at - 1];
        outcomes.push({
          name: nameOf(one, one.sizes[at]!),
          hub: figure,
          baseline: before?.figure ?? null,
          loadShare,
          baselineLoadShare: before?.loadShare ?? null,
          longestStopMs,
          note: '',
        });
      });
    }
    return outcomes;
  },
};

async function measureLists(bench: Bench, sizes: readonly number[]): Promise<Measured[]> {
  const contenders: Record<string, Contender> = {};
  const hubs: Hub[] = [];
  const pulses: Pulse[] = [];
  for (const size of sizes) {
    const file = `growth-${String(size)}.db`;
    const expected = await seedDatabase(bench, file, size, QUERIES);
    const hub = await Hub.start(bench, file);
    hubs.push(hub);
    const target = await checkAnswers({ port: hub.port, host: '127.0.0.1' }, QUERIES, expected);
    const pulse = await Pulse.open(bench, hub, MANY_CHANGES);
    pulses.push(pulse);
    contenders[size] = { target, hub, pulse };
  }
  const load = new HttpLoad(bench);
  const figures = await driveInTurns(load, contenders, { rounds: 2, seconds: bench.size(2) });
  await load.end();
  for (const pulse of pulses) pulse.close();
  await Promise.all(hubs.map((hub) => hub.end()));
  return sizes.map((size) => {
    const { perSecond, loadShare, longestStopMs } = figures[size]!;
    return { figure: perSecond, loadShare, longestStopMs };
  });
}

async function measureFanOut(bench: Bench, sizes: readonly number[]): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const subscribers of sizes) {
    const hub = await Hub.start(bench, `fan-out-${String(subscribers)}.db`);
    const load = new LoadProcess(bench);
    const server = { port: hub.port, host: '127.0.0.1' };
    await load.remote.call('prepareFanOut', { ...server, kind: 'hub', subscribers });
    await load.remote.call('fanOut', 3);
    await hub.state();
    const { deliveries, seconds, cpuShare } = await load.remote.call('fanOut', 20);
    const { longestStopMs } = await hub.state();
    await load.end();
    await hub.end();
    measured.push({ figure: deliveries / seconds, loadShare: cpuShare, longestStopMs });
  }
  return measured;
}
