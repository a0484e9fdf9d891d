import { BareServer } from '../bare.js';
import { Hub } from '../hub.js';
import type { Timing } from '../load/gauge.js';
import { LoadProcess } from '../load-process.js';
import type { Bench, Family, Outcome } from '../part.js';

const SESSIONS = 18_000;
/** Opened first, so that one-time costs of the process do not count. */
const WARM_UP = 1000;
/** One interval of heartbeats. */
const IDLE_SECONDS = 30;
const SETTLE_SECONDS = 3;

/** Many live sessions of providers: how fast they open, and what they cost while open. */
export const sessions: Family = {
  title: 'sessions',
  parts: [
    {
      name: 'sessions',
      work: 'sessions admitted: connect, challenge, authenticate',
      baseline: 'bare uWebSockets.js, handshakes of the same client',
      unit: 'per second',
      aim: { of: 'ratio', sense: 'at least', value: 0.4 },
    },
    {
      name: 'session-memory',
      work: 'memory of a live, advertised session, 18,000 open',
      baseline: 'a bare uWebSockets.js socket and the JSON of the advertisement',
      unit: 'bytes',
      aim: { of: 'ratio', sense: 'at most', value: 4 },
    },
    {
      name: 'idle-sessions',
      work: 'CPU of 18,000 idle live sessions, heartbeats every 30 s',
      baseline: '–',
      unit: '% of a core',
      aim: { of: 'figure', sense: 'at most', value: 3 },
    },
  ],
  async run(bench, wanted) {
    const total = bench.connections(SESSIONS);
    const warmUp = bench.size(WARM_UP);
    const needsBaseline = wanted.has('sessions') || wanted.has('session-memory');
    const bare = needsBaseline ? await bareSockets(bench, warmUp, total) : null;
    const hub = await hubSessions(bench, warmUp, total, wanted);
    const perSecond = ({ seconds }: Timing): number => (total - warmUp) / seconds;
    const idle = hub.idle === null ? [] : [hub.idle];
    if (bare === null) return idle;
    return [
      {
        name: 'sessions',
        hub: perSecond(hub.opening),
        baseline: perSecond(bare.opening),
        loadShare: hub.opening.cpuShare,
        baselineLoadShare: bare.opening.cpuShare,
        longestStopMs: hub.openingStopMs,
        note: 'signatures are made and verified only on the hub’s side',
      },
      {
        name: 'session-memory',
        hub: hub.memory,
        baseline: bare.memory + hub.jsonBytes,
        loadShare: null,
        baselineLoadShare: null,
        longestStopMs: hub.advertisingStopMs,
        note:
          `bare socket ${bare.memory.toFixed(0)}, JSON ${hub.jsonBytes.toFixed(0)}; of the hub’s, ` +
          `${hub.heapMemory.toFixed(0)} are in use in the JavaScript heap`,
      },
      ...idle,
    ];
  },
};

async function bareSockets(
  bench: Bench,
  warmUp: number,
  total: number,
): Promise<{ opening: Timing; memory: number }> {
  bench.say('bare handshakes');
  const server = await BareServer.start(bench, 'uws');
  const load = new LoadProcess(bench);
  await load.remote.call('prepareBareSockets', { port: server.port, host: server.host });
  await load.remote.call('openBareSockets', warmUp);
  const before = await server.remote.call('rss', null);
  const opening = await load.remote.call('openBareSockets', total);
  const after = await server.remote.call('rss', null);
  await load.end();
  await server.end();
  return { opening, memory: (after - before) / (total - warmUp) };
}

interface HubSessions {
  opening: Timing;
  openingStopMs: number;
  advertisingStopMs: number;
  /** Bytes of the process per session, and how many of them are in the JavaScript heap. */
  memory: number;
  heapMemory: number;
  jsonBytes: number;
  idle: Outcome | null;
}

async function hubSessions(
  bench: Bench,
  warmUp: number,
  total: number,
  wanted: ReadonlySet<string>,
): Promise<HubSessions> {
  bench.say('making keys');
  const hub = await Hub.start(bench, 'sessions.db');
  const load = new LoadProcess(bench);
  await load.remote.call('prepareSessions', { port: hub.port, host: '127.0.0.1', total });
  await load.remote.call('openSessions', warmUp);
  await load.remote.call('advertise', 0);
  const before = await hub.state();
  bench.say(`opening ${total.toLocaleString('en')} sessions`);
  const opening = await load.remote.call('openSessions', total);
  const { longestStopMs: openingStopMs } = await hub.state();
  bench.say('advertising');
  const { jsonBytes } = await load.remote.call('advertise', warmUp);
  const { longestStopMs: advertisingStopMs } = await hub.state();
  let idle: Outcome | null = null;
  if (wanted.has('idle-sessions')) {
    const seconds = bench.size(IDLE_SECONDS);
    bench.say(`doing nothing for ${String(seconds)} s`);
    const from = await hub.state();
    const start = performance.now();
    const { cpuShare } = await load.remote.call('idle', seconds);
    const to = await hub.state();
    const share = (to.cpuSeconds - from.cpuSeconds) / ((performance.now() - start) / 1000);
    idle = {
      name: 'idle-sessions',
      hub: share * 100,
      baseline: null,
      loadShare: cpuShare,
      baselineLoadShare: null,
      longestStopMs: to.longestStopMs,
      note: '',
    };
  } else {
    // Garbage of earlier work goes away with time.
    await load.remote.call('idle', bench.size(SETTLE_SECONDS));
  }
  const after = await hub.state();
  await load.end();
  await hub.end();
  const memory = (after.rssBytes - before.rssBytes) / (total - warmUp);
  const heapMemory = (after.heapBytes - before.heapBytes) / (total - warmUp);
  return { opening, openingStopMs, advertisingStopMs, memory, heapMemory, jsonBytes, idle };
}
