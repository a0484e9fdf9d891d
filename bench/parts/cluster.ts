import { Etcd, hasEtcd } from '../etcd.js';
import { seedDatabase } from '../database.js';
import { Hub } from '../hub.js';
import { quantile } from '../load/gauge.js';
import type { Latencies } from '../load/live.js';
import { LoadProcess } from '../load-process.js';
import type { Bench, Family, Outcome, PartInfo } from '../part.js';
import { Program } from '../processes.js';

const HOST = '127.0.0.1';
const HUBS = 3;
/** How many etcd nodes and how many hubs. */
const SHAPES = [
  { nodes: 1, hubs: 1 },
  { nodes: 1, hubs: 3 },
  { nodes: 3, hubs: 1 },
  { nodes: 3, hubs: 3 },
] as const;
type Shape = (typeof SHAPES)[number];

const CONNECTIONS = 96;
const PROVIDERS = 1536;
const POSTS_EACH = 32;
const WARM_UP_SECONDS = 3;
const POST_SECONDS = 5;
/**
 * Updates per second. The higher rate takes nearly all of two cores, which three hubs, three etcd nodes and the load share here: its times are
 * mostly those of waiting for a core.
 */
const UPDATE_RATES = [100, 300] as const;
type UpdateRate = (typeof UPDATE_RATES)[number];
/** For how many seconds updates are sent at each rate. */
const UPDATE_SECONDS = 10;
const SUBSCRIBERS = 200;
const SESSIONS = 15_000;
const RECORDS = 1_000_000;
const START_LIMIT_MS = 600_000;

const updatesOf = (rate: UpdateRate): string => `cluster-updates-${String(rate)}`;
const postsOf = ({ nodes, hubs }: Shape): string => `cluster-posts-${String(nodes)}-${String(hubs)}`;
const count = (number: number, what: string): string => `${String(number)} ${what}${number === 1 ? '' : 's'}`;

/** Several hubs on one etcd against one hub with SQLite, all on this machine. Only measured on request. */
export const cluster: Family = {
  title: 'cluster',
  parts: [
    ...SHAPES.map((shape): PartInfo => ({
      name: postsOf(shape),
      work: `signed, durable posts, ${count(CONNECTIONS, 'connection')}: ${count(shape.nodes, 'etcd node')}, ${count(shape.hubs, 'hub')}`,
      baseline: 'one hub with SQLite',
      unit: 'per second',
      aim: null,
    })),
    ...UPDATE_RATES.map((rate): PartInfo => ({
      name: updatesOf(rate),
      work: `${String(rate)} updates/s: sent to one hub to received from another, 3 etcd nodes, p50`,
      baseline: 'sent and received at one hub with SQLite, p50',
      unit: 'ms',
      aim: rate === UPDATE_RATES[0] ? { of: 'ratio', sense: 'at most', value: 3 } : null,
    })),
    {
      name: 'cluster-sessions',
      work: 'sessions admitted, 15,000 spread over 3 hubs, 3 etcd nodes',
      baseline: 'one hub with SQLite',
      unit: 'per second',
      aim: null,
    },
    {
      name: 'cluster-start',
      work: 'start with 1,000,000 providers from the local copy',
      baseline: 'the same from etcd',
      unit: 's',
      aim: null,
    },
    {
      name: 'cluster-memory',
      work: 'memory of a hub for each of 1,000,000 records of others',
      baseline: 'one hub with SQLite, the same providers',
      unit: 'bytes',
      aim: null,
    },
  ],
  async run(bench, wanted) {
    if (!hasEtcd()) {
      bench.say('left out: no etcd here; scripts/fetch-etcd.sh fetches one, or ETCD names it');
      return [];
    }
    const outcomes: Outcome[] = [];
    const shapes = SHAPES.filter((shape) => wanted.has(postsOf(shape)));
    if (shapes.length > 0) outcomes.push(...(await measurePosts(bench, shapes)));
    const rates = UPDATE_RATES.filter((rate) => wanted.has(updatesOf(rate)));
    if (rates.length > 0) outcomes.push(...(await measureUpdates(bench, rates)));
    if (wanted.has('cluster-sessions')) outcomes.push(await measureSessions(bench));
    if (wanted.has('cluster-start') || wanted.has('cluster-memory'))
      outcomes.push(...(await measureMillion(bench)));
    return outcomes;
  },
};

/** Hubs and the etcd that they share; null for one hub with SQLite. */
interface Running {
  hubs: Hub[];
  etcd: Etcd | null;
}

let files = 0;

async function start(bench: Bench, shape: Shape | null): Promise<Running> {
  const etcd = shape === null ? null : await Etcd.start(bench, shape.nodes);
  const settings = etcd?.settings() ?? {};
  const hubs: Hub[] = [];
  for (let no = 0; no < (shape?.hubs ?? 1); no += 1) {
    files += 1;
    hubs.push(
      await Hub.start(bench, `cluster-${String(files)}.db`, { ...settings, HUB_NAME: `hub-${String(no)}` }),
    );
  }
  return { hubs, etcd };
}

async function end({ hubs, etcd }: Running): Promise<void> {
  await Promise.all(hubs.map((hub) => hub.end()));
  await etcd?.end();
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** The longest stop of any of them since the last call, in milliseconds. */
async function longestStopOf(hubs: readonly Hub[]): Promise<number> {
  const states = await Promise.all(hubs.map((hub) => hub.state()));
  return Math.max(...states.map(({ longestStopMs }) => longestStopMs));
}

interface PostFigures {
  perSecond: number;
  p50: number;
  p99: number;
  loadShare: number;
  longestStopMs: number;
}

async function measurePosts(bench: Bench, shapes: readonly Shape[]): Promise<Outcome[]> {
  bench.say('posts, one hub with SQLite');
  const alone = await postsTo(bench, null);
  const text = ({ p50, p99 }: PostFigures): string => `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
  const outcomes: Outcome[] = [];
  for (const shape of shapes) {
    bench.say(`posts, ${count(shape.nodes, 'node')}, ${count(shape.hubs, 'hub')}`);
    const shared = await postsTo(bench, shape);
    outcomes.push({
      name: postsOf(shape),
      hub: shared.perSecond,
      baseline: alone.perSecond,
      loadShare: shared.loadShare,
      baselineLoadShare: alone.loadShare,
      longestStopMs: shared.longestStopMs,
      note: `${text(shared)}; with SQLite ${text(alone)}`,
    });
  }
  return outcomes;
}

async function postsTo(bench: Bench, shape: Shape | null): Promise<PostFigures> {
  const running = await start(bench, shape);
  const { hubs } = running;
  const loads = hubs.map(() => new LoadProcess(bench));
  await Promise.all(
    loads.map((load, no) =>
      load.remote.call('preparePosts', {
        port: hubs[no]!.port,
        host: HOST,
        connections: CONNECTIONS / hubs.length,
        providers: PROVIDERS / hubs.length,
        rounds: Math.ceil(bench.size(POSTS_EACH)),
        signatureFile: null,
      }),
    ),
  );
  const post = (seconds: number) => Promise.all(loads.map((load) => load.remote.call('posts', seconds)));
  await post(bench.size(WARM_UP_SECONDS));
  await longestStopOf(hubs);
  const figures = await post(bench.size(POST_SECONDS));
  const longestStopMs = await longestStopOf(hubs);
  await Promise.all(loads.map((load) => load.end()));
  await end(running);
  const times = figures.map((figure) => figure.times);
  return {
    perSecond: sum(figures.map(({ requests, seconds }) => requests / seconds)),
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    loadShare: sum(figures.map(({ cpuShare }) => cpuShare)),
    longestStopMs,
  };
}

async function measureUpdates(bench: Bench, rates: readonly UpdateRate[]): Promise<Outcome[]> {
  bench.say('updates at one hub');
  const alone = await updatesAt(bench, null, rates);
  bench.say('updates at another hub');
  const shared = await updatesAt(bench, { nodes: 3, hubs: HUBS }, rates);
  return rates.map((rate, at) => {
    const [ours, baseline] = [shared[at]!, alone[at]!];
    const p99 = quantile([ours.times], 0.99).toFixed(1);
    return {
      name: updatesOf(rate),
      hub: quantile([ours.times], 0.5),
      baseline: quantile([baseline.times], 0.5),
      loadShare: ours.cpuShare,
      baselineLoadShare: baseline.cpuShare,
      longestStopMs: ours.longestStopMs,
      note: `${ours.times.length.toLocaleString('en')} events; p99 ${p99} ms, at one hub ${quantile([baseline.times], 0.99).toFixed(1)} ms`,
    };
  });
}

/** Sends updates to the first hub, at one rate after the other, to subscribers at the last. */
async function updatesAt(
  bench: Bench,
  shape: Shape | null,
  rates: readonly UpdateRate[],
): Promise<(Latencies & { longestStopMs: number })[]> {
  const running = await start(bench, shape);
  const { hubs } = running;
  const load = new LoadProcess(bench);
  const counts = rates.map((rate) => bench.size(rate * UPDATE_SECONDS));
  await load.remote.call('prepareLive', {
    port: hubs[0]!.port,
    host: HOST,
    watchedPort: hubs.at(-1)!.port,
    providers: sum(counts),
    subscribers: bench.size(SUBSCRIBERS),
  });
  const measured = [];
  let first = 0;
  for (const [at, perSecond] of rates.entries()) {
    const updates = counts[at]!;
    await longestStopOf(hubs);
    const latencies = await load.remote.call('live', { perSecond, first, updates });
    measured.push({ ...latencies, longestStopMs: await longestStopOf(hubs) });
    first += updates;
  }
  await load.end();
  await end(running);
  return measured;
}

async function measureSessions(bench: Bench): Promise<Outcome> {
  bench.say('sessions at one hub');
  const alone = await sessionsAt(bench, null);
  bench.say('sessions spread over three');
  const shared = await sessionsAt(bench, { nodes: 3, hubs: HUBS });
  return {
    name: 'cluster-sessions',
    hub: shared.perSecond,
    baseline: alone.perSecond,
    loadShare: shared.loadShare,
    baselineLoadShare: alone.loadShare,
    longestStopMs: shared.longestStopMs,
    note: `${shared.total.toLocaleString('en')} sessions, at one hub ${alone.total.toLocaleString('en')}`,
  };
}

async function sessionsAt(
  bench: Bench,
  shape: Shape | null,
): Promise<{ perSecond: number; total: number; loadShare: number; longestStopMs: number }> {
  const running = await start(bench, shape);
  const { hubs } = running;
  const each = Math.floor(bench.connections(SESSIONS / hubs.length));
  const loads = hubs.map(() => new LoadProcess(bench));
  await Promise.all(
    loads.map((load, no) =>
      load.remote.call('prepareSessions', { port: hubs[no]!.port, host: HOST, total: each }),
    ),
  );
  await longestStopOf(hubs);
  const timings = await Promise.all(loads.map((load) => load.remote.call('openSessions', each)));
  const longestStopMs = await longestStopOf(hubs);
  await Promise.all(loads.map((load) => load.end()));
  await end(running);
  const total = each * hubs.length;
  return {
    total,
    perSecond: total / Math.max(...timings.map(({ seconds }) => seconds)),
    loadShare: sum(timings.map(({ cpuShare }) => cpuShare)),
    longestStopMs,
  };
}

interface Started {
  hub: Hub;
  seconds: number;
}

async function timeStart(bench: Bench, file: string, settings: Record<string, string>): Promise<Started> {
  const from = performance.now();
  const hub = await Hub.start(bench, file, settings, START_LIMIT_MS);
  return { hub, seconds: (performance.now() - from) / 1000 };
}

/** Starts of a hub with many providers, and their memory. */
async function measureMillion(bench: Bench): Promise<Outcome[]> {
  const records = bench.size(RECORDS);
  const file = 'cluster-million.db';
  bench.say(`making ${records.toLocaleString('en')} providers`);
  await seedDatabase(bench, file, records, []);
  const empty = await Hub.start(bench, 'cluster-empty.db');
  const { rssBytes: emptyBytes } = await empty.state();
  await empty.end();
  const etcd = await Etcd.start(bench, 1);
  const settings = etcd.settings();
  bench.say('importing them into etcd');
  await importInto(bench, file, settings);
  bench.say('starting one hub with SQLite');
  const alone = await timeStart(bench, file, {});
  const aloneBytes = (await alone.hub.state()).rssBytes - emptyBytes;
  await alone.hub.end();
  bench.say('starting from etcd');
  const fromStore = await timeStart(bench, 'cluster-started.db', settings);
  const sharedBytes = (await fromStore.hub.state()).rssBytes - emptyBytes;
  bench.say('waiting for the local copy');
  await fromStore.hub.program.wrote(/the local copy of the store is complete/, START_LIMIT_MS);
  await fromStore.hub.program.stop();
  bench.say('starting from the local copy');
  const fromCopy = await timeStart(bench, 'cluster-started.db', settings);
  const copiedBytes = (await fromCopy.hub.state()).rssBytes - emptyBytes;
  await fromCopy.hub.end();
  await etcd.end();
  const common = { loadShare: null, baselineLoadShare: null, longestStopMs: null };
  return [
    {
      name: 'cluster-start',
      hub: fromCopy.seconds,
      baseline: fromStore.seconds,
      ...common,
      note: `${records.toLocaleString('en')} providers; one hub with SQLite ${alone.seconds.toFixed(1)} s`,
    },
    {
      name: 'cluster-memory',
      hub: sharedBytes / records,
      baseline: aloneBytes / records,
      ...common,
      note: `resident memory beyond that of an empty hub; from the local copy ${(copiedBytes / records).toFixed(0)} B`,
    },
  ];
}

async function importInto(bench: Bench, file: string, settings: Record<string, string>): Promise<void> {
  const env: NodeJS.ProcessEnv = { PATH: process.env['PATH'] };
  for (const [name, value] of Object.entries(settings)) env[`DISCOVERY_${name}`] = value;
  const args = ['cluster', 'import', '--db', file];
  await new Program(bench, 'the import', '../src/cli/main.js', args, { env }).finished(START_LIMIT_MS);
}
