import type { PublishedAdvertisement } from '../../src/protocol/advertisement.js';
import { fetchAll, targetOf } from '../answers.js';
import { payloadOf, type Provider, providerAt } from '../data/providers.js';
import { ExpectedAnswer, pathOf, type Query, queriesOf } from '../data/queries.js';
import { driveInTurns, type GetTarget, HttpLoad } from '../http-load.js';
import { Hub } from '../hub.js';
import type { HttpAnswer } from '../load/http-connection.js';
import { drive, type PreparedRequest } from '../load/http-driver.js';
import { SigningKey } from '../load/keys.js';
import { LoadProcess } from '../load-process.js';
import { type Bench, type Family, type Outcome, type PartInfo, WrongAnswerError } from '../part.js';

const PROVIDERS = 1000;
const LIST = '/api/v1/advertisements';
const SECONDS = 2;
const ROUNDS = 2;
const POST_CONNECTIONS = 32;
const POSTING_PROVIDERS = 1024;

const part = (name: string, work: string): PartInfo => ({
  name,
  work,
  baseline: 'the same from the other server',
  unit: 'per second',
  aim: null,
});

interface Server {
  host: string;
  port: number;
}

interface KnownProvider {
  key: SigningKey;
  provider: Provider;
}

/**
 * Compares the REST interface of the hub with any other server that has it. Uses only what the first generation knows; posts are signed, which
 * that generation ignored.
 */
export function against(url: string): Family {
  return {
    title: 'REST',
    parts: [
      part('rest-filtered-list', 'filtered list, 1,000 providers, at most 10 matches'),
      part('rest-full-list', 'full list of 1,000 providers'),
      part('rest-get', 'one advertisement by its id'),
      part('rest-posts', 'signed posts, 32 connections'),
    ],
    run: (bench, wanted) => compare(bench, serverOf(url), wanted),
  };
}

function serverOf(text: string): Server {
  const url = new URL(text);
  if (url.protocol !== 'http:' || url.pathname !== '/') {
    throw new Error(
      `${text} has to be an address like http://localhost:7465, without TLS and without a path`,
    );
  }
  return { host: url.hostname, port: Number(url.port === '' ? 80 : url.port) };
}

async function compare(bench: Bench, other: Server, wanted: ReadonlySet<string>): Promise<Outcome[]> {
  const hub = await Hub.start(bench, 'against.db');
  const ours: Server = { host: '127.0.0.1', port: hub.port };
  const providers = Array.from({ length: PROVIDERS }, (_, index): KnownProvider => {
    const key = new SigningKey();
    return { key, provider: { ...providerAt(index), id: key.id } };
  });
  bench.say('posting 1,000 providers to each');
  await postAll(ours, providers);
  await postAll(other, providers);
  const load = new HttpLoad(bench);
  const outcomes: Outcome[] = [];
  const checks: Record<string, (server: Server) => Promise<GetTarget>> = {
    'rest-filtered-list': (server) => checkLists(server, FILTERED, providers),
    'rest-full-list': (server) => checkLists(server, [EVERYTHING], providers),
    'rest-get': (server) => checkSingles(server, providers.slice(0, FILTERED.length)),
  };
  for (const [name, check] of Object.entries(checks)) {
    if (!wanted.has(name)) continue;
    bench.say(name);
    const contenders = {
      hub: { target: await check(ours), hub },
      other: { target: await check(other) },
    };
    const figures = await driveInTurns(load, contenders, { rounds: ROUNDS, seconds: bench.size(SECONDS) });
    await check(ours);
    await check(other);
    outcomes.push({
      name,
      hub: figures.hub.perSecond,
      baseline: figures.other.perSecond,
      loadShare: figures.hub.loadShare,
      baselineLoadShare: figures.other.loadShare,
      longestStopMs: figures.hub.longestStopMs,
      note: '',
    });
  }
  await load.end();
  if (wanted.has('rest-posts')) outcomes.push(await comparePosts(bench, hub, ours, other));
  await hub.end();
  return outcomes;
}

/** Posts each provider's advertisement once; every answer has to name it. */
async function postAll(server: Server, providers: readonly KnownProvider[]): Promise<void> {
  const t = Date.now();
  const requests = providers.map(({ key, provider }): PreparedRequest => {
    const payload = payloadOf(provider);
    const signature = key.sign('advertise', t, payload).signature.toString('hex');
    const head = [
      `POST ${LIST} HTTP/1.1`,
      `Host: ${server.host}:${String(server.port)}`,
      'Content-Type: application/json',
      `Content-Length: ${String(Buffer.byteLength(payload))}`,
      `X-Provider-ID: ${key.id}`,
      `X-Provider-Signature: t=${String(t)},k=${key.id},v1=${signature}`,
    ];
    return {
      bytes: Buffer.from(`${head.join('\r\n')}\r\n\r\n${payload}`),
      problemOf: (answer) => problemOf(`the post of ${key.id}`, answer) ?? missing(answer, key.id),
    };
  });
  await drive({ ...server, connections: 8 }, 60, () => requests.pop());
  if (requests.length > 0) throw new WrongAnswerError('1,000 posts took longer than a minute');
}

function missing({ body }: HttpAnswer, id: string): string | null {
  const text = body.toString('utf8');
  return text.includes(`"${id}"`) ? null : `an answer should name ${id}: ${text.slice(0, 200)}`;
}

function problemOf(what: string, { status, body }: HttpAnswer): string | null {
  if (status === 200) return null;
  if (status === 429)
    return `${what} was answered with 429: turn the server's limit of requests off for this`;
  return `${what} was answered with ${String(status)}: ${body.toString('utf8', 0, 200)}`;
}

const FILTERED = queriesOf({ matches: [1, 10], sort: 'id', limit: null, plain: true });
const EVERYTHING: Query = { ...FILTERED[0]!, cpu: 0, memory: 0, storage: 0, country: null, platform: null };

/** The members of an advertisement that both generations show. */
function commonOf(
  row: Pick<PublishedAdvertisement, 'provider_id' | 'ip_address' | 'country' | 'resources'>,
): string {
  const { cpu, memory, storage } = row.resources;
  return JSON.stringify([row.provider_id, row.ip_address, row.country, cpu, memory, storage]);
}

/** Compares lists in any order, because the first generation guarantees none. */
async function checkLists(
  server: Server,
  queries: readonly Query[],
  providers: readonly KnownProvider[],
): Promise<GetTarget> {
  const paths = queries.map(pathOf);
  const answers = await fetchAll(server, paths);
  answers.forEach((answer, at) => {
    const problem = problemOf(paths[at]!, answer);
    if (problem !== null) throw new WrongAnswerError(problem);
    const expected = new ExpectedAnswer(queries[at]!);
    providers.forEach(({ provider }, index) => expected.offer(index, provider));
    const wanted = expected.indexes.map((index) => {
      const { id, ipAddress, country, cpu, memory, storage } = providers[index]!.provider;
      return commonOf({
        provider_id: id,
        ip_address: ipAddress,
        country,
        resources: { cpu, memory, storage },
      });
    });
    const rows = (JSON.parse(answer.body.toString('utf8')) as PublishedAdvertisement[]).map(commonOf);
    if (rows.sort().join('\n') !== wanted.sort().join('\n')) {
      throw new WrongAnswerError(
        `${paths[at]!}: ${String(rows.length)} rows, which are not the ${String(wanted.length)} expected`,
      );
    }
  });
  return targetOf(server, paths, answers);
}

async function checkSingles(server: Server, providers: readonly KnownProvider[]): Promise<GetTarget> {
  const paths = providers.map(({ key }) => `${LIST}/${key.id}`);
  const answers = await fetchAll(server, paths);
  answers.forEach((answer, at) => {
    const problem = problemOf(paths[at]!, answer) ?? missing(answer, providers[at]!.key.id);
    if (problem !== null) throw new WrongAnswerError(problem);
  });
  return targetOf(server, paths, answers);
}

async function comparePosts(bench: Bench, hub: Hub, ours: Server, other: Server): Promise<Outcome> {
  bench.say('signing posts');
  const sides = [ours, other].map((server) => ({ server, load: new LoadProcess(bench), sum: [0, 0, 0] }));
  for (const { server, load } of sides) {
    await load.remote.call('preparePosts', {
      ...server,
      connections: POST_CONNECTIONS,
      providers: POSTING_PROVIDERS,
      rounds: bench.size(40),
      signatureFile: null,
    });
  }
  bench.say('rest-posts');
  await hub.state();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { load, sum } of sides) {
      const { requests, seconds, cpuShare } = await load.remote.call('posts', bench.size(SECONDS));
      sum[0]! += requests;
      sum[1]! += seconds;
      sum[2]! += cpuShare * seconds;
    }
  }
  const { longestStopMs } = await hub.state();
  await Promise.all(sides.map(({ load }) => load.end()));
  const [hubSum, otherSum] = sides.map(({ sum }) => ({ rate: sum[0]! / sum[1]!, share: sum[2]! / sum[1]! }));
  return {
    name: 'rest-posts',
    hub: hubSum!.rate,
    baseline: otherSum!.rate,
    loadShare: hubSum!.share,
    baselineLoadShare: otherSum!.share,
    longestStopMs,
    note: 'of the hub each is verified and durable',
  };
}
