import { BareServer } from '../bare.js';
import { checkAnswers, fetchAll, targetOf } from '../answers.js';
import { type Query, queriesOf } from '../data/queries.js';
import { seedDatabase } from '../database.js';
import { type Contender, driveInTurns, type GetTarget, HttpLoad } from '../http-load.js';
import { Hub } from '../hub.js';
import type { Bench, Family, Outcome } from '../part.js';
import { type Changes, Pulse } from '../pulse.js';

const PROVIDERS = 1000;
/** The changes of this many providers, each with a heartbeat every 30 s and an update every ten minutes. */
const CHANGES: Changes = { heartbeats: PROVIDERS / 30, updates: PROVIDERS / 600 };
const FILTERED = queriesOf({ matches: [1, 10], sort: 'id', limit: null });
const ALL: Query = {
  cpu: 0,
  memory: 0,
  storage: 0,
  country: null,
  platform: null,
  maxUsd: null,
  sort: 'id',
  limit: null,
};

/** Lists of a small hub, on both transports. */
export const lists: Family = {
  title: 'lists',
  parts: [
    {
      name: 'filtered-list',
      work: 'filtered list, 1,000 providers, at most 10 matches',
      baseline: 'bare uWebSockets.js, a constant of the same size',
      unit: 'per second',
      aim: { of: 'ratio', sense: 'at least', value: 0.6 },
    },
    {
      name: 'filtered-list-node',
      work: 'the same on transport node',
      baseline: 'bare node:http, a constant of the same size',
      unit: 'per second',
      aim: { of: 'ratio', sense: 'at least', value: 0.6 },
    },
    {
      name: 'full-list',
      work: 'full list of 1,000 providers',
      baseline: 'bare uWebSockets.js, the same bytes',
      unit: 'per second',
      aim: { of: 'ratio', sense: 'at least', value: 0.5 },
    },
  ],
  async run(bench, wanted) {
    const load = new HttpLoad(bench);
    const outcomes: Outcome[] = [];
    for (const name of ['filtered-list', 'filtered-list-node', 'full-list']) {
      if (wanted.has(name)) outcomes.push(await measure(bench, load, name));
    }
    await load.end();
    return outcomes;
  },
};

async function measure(bench: Bench, load: HttpLoad, name: string): Promise<Outcome> {
  const kind = name === 'filtered-list-node' ? 'node' : 'uws';
  const queries = name === 'full-list' ? [ALL] : FILTERED;
  bench.say('filling the database');
  const file = `${name}.db`;
  const expected = await seedDatabase(bench, file, PROVIDERS, queries);
  const hub = await Hub.start(bench, file, { TRANSPORT: kind });
  const server = { port: hub.port, host: '127.0.0.1' };
  const bare = await BareServer.start(bench, kind);
  // It changes the hub's state, and is in the full list, but in no other.
  const pulse = await Pulse.open(bench, hub, CHANGES);
  const target = await checkAnswers(server, queries, expected, pulse.ids);
  const constant = await (name === 'full-list' ? sameBytes(bare, target) : sameSize(bare, target));
  bench.say('hub and baseline in turn');
  const contenders: Record<'hub' | 'baseline', Contender> = {
    hub: { target, hub, pulse },
    baseline: { target: constant },
  };
  const figures = await driveInTurns(load, contenders, { rounds: 2, seconds: bench.size(2) });
  await checkAnswers(server, queries, expected, pulse.ids);
  pulse.close();
  await Promise.all([hub.end(), bare.end()]);
  return {
    name,
    hub: figures.hub.perSecond,
    baseline: figures.baseline.perSecond,
    loadShare: figures.hub.loadShare,
    baselineLoadShare: figures.baseline.loadShare,
    longestStopMs: figures.hub.longestStopMs,
    note: 'with the heartbeats and updates of 1,000 providers',
  };
}

/** Makes the bare server answer with as many bytes as the hub on average, heads included. */
async function sameSize(bare: BareServer, target: GetTarget): Promise<GetTarget> {
  const { expectedBytes } = target;
  const mean = Math.round(expectedBytes.reduce((sum, bytes) => sum + bytes, 0) / expectedBytes.length);
  await bare.remote.call('answering', Buffer.alloc(mean, 'x'));
  const [probe] = await fetchAll(bare, ['/']);
  await bare.remote.call('answering', Buffer.alloc(2 * mean - probe!.totalBytes, 'x'));
  return bareTarget(bare, target);
}

/** Makes the bare server answer with the body of the hub's answer. */
async function sameBytes(bare: BareServer, target: GetTarget): Promise<GetTarget> {
  const [answer] = await fetchAll(target, target.paths);
  await bare.remote.call('answering', answer!.body);
  return bareTarget(bare, target);
}

async function bareTarget(bare: BareServer, { paths }: GetTarget): Promise<GetTarget> {
  const answers = await fetchAll(bare, paths);
  return targetOf(bare, paths, answers);
}
