import type { Explanation, Market } from '../../src/protocol/answers.js';
import { fetchAll } from '../answers.js';
import { pathOf, type Query } from '../data/queries.js';
import { seedDatabase } from '../database.js';
import { Hub } from '../hub.js';
import { type Bench, type Family, type Outcome, type PartInfo, WrongAnswerError } from '../part.js';

const PROVIDERS = 100_000;
/** How many requests to send one after the other, after a warm-up for the compiler. */
const ANSWERS = 100;
const WARM_UP = 20;
const LISTS = '/api/v1/advertisements';

/** Six conditions. */
const ASKED: Query = {
  cpu: 4,
  memory: 8,
  storage: 100,
  country: 'SE',
  platform: 'x86_64',
  maxUsd: 60,
  sort: 'id',
  limit: null,
};

const part = (name: string, work: string): PartInfo => ({
  name,
  work: `CPU of ${work}, 100,000 providers`,
  baseline: '–',
  unit: 'ms',
  aim: { of: 'figure', sense: 'at most', value: 10 },
});

/** Answers for which a hub visits all providers. */
export const answers: Family = {
  title: 'answers about all providers',
  parts: [
    part('explain-100k', 'an explain of six conditions'),
    part('market-100k', 'a market of all by country'),
    part('market-filtered-100k', 'a market of six conditions by country'),
  ],
  async run(bench, wanted) {
    const providers = bench.size(PROVIDERS);
    bench.say(`filling a database with ${providers.toLocaleString('en')} providers`);
    const [matches] = await seedDatabase(bench, 'answers.db', providers, [ASKED]);
    const hub = await Hub.start(bench, 'answers.db');
    const asked = matches!.length;
    const checks: Record<string, { path: string; check: (body: string) => boolean }> = {
      'explain-100k': {
        path: pathOf(ASKED).replace(LISTS, '/api/v1/explain'),
        check: (body) => {
          const { matched, providers: looked } = JSON.parse(body) as Explanation;
          return matched === asked && looked === providers;
        },
      },
      'market-100k': {
        path: '/api/v1/market?by=country',
        check: (body) => isMarketOf(body, providers),
      },
      'market-filtered-100k': {
        path: `${pathOf(ASKED).replace(LISTS, '/api/v1/market')}&by=country`,
        check: (body) => isMarketOf(body, asked),
      },
    };
    const outcomes: Outcome[] = [];
    for (const [name, { path, check }] of Object.entries(checks)) {
      if (wanted.has(name)) outcomes.push(await measure(bench, hub, name, path, check));
    }
    await hub.end();
    return outcomes;
  },
};

function isMarketOf(body: string, providers: number): boolean {
  const { total, buckets } = JSON.parse(body) as Market;
  const sum = buckets.reduce((counted, bucket) => counted + bucket.providers, 0);
  return total.providers === providers && sum === providers;
}

async function measure(
  bench: Bench,
  hub: Hub,
  name: string,
  path: string,
  isRight: (body: string) => boolean,
): Promise<Outcome> {
  bench.say(`asking ${path}`);
  const server = { port: hub.port, host: '127.0.0.1' };
  const count = bench.size(ANSWERS);
  await fetchAll(server, Array<string>(WARM_UP).fill(path));
  const before = await hub.state();
  const given = await fetchAll(server, Array<string>(count).fill(path));
  const after = await hub.state();
  for (const { status, body } of given) {
    const text = body.toString('utf8');
    if (status !== 200 || !isRight(text))
      throw new WrongAnswerError(`${path} was answered with ${String(status)}: ${text.slice(0, 200)}`);
  }
  return {
    name,
    hub: ((after.cpuSeconds - before.cpuSeconds) * 1000) / count,
    baseline: null,
    loadShare: null,
    baselineLoadShare: null,
    longestStopMs: after.longestStopMs,
    note: `${String(count)} one after the other, all threads counted`,
  };
}
