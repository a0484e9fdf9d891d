/** The process that generates load, controlled by its parent, one call at a time. */
import { serveCalls } from '../rpc.js';
import { FanOut } from './fan-out.js';
import { type GetLoad, runGets } from './http-load.js';
import { startTiming, type Timing } from './gauge.js';
import { echo, type Latencies, LiveUpdates } from './live.js';
import { type PostPlan, Posts } from './posts.js';
import { BareSockets, SessionPool } from './sessions.js';

/** A server, by its port and host. */
export interface Target {
  port: number;
  host: string;
}

/** The functions of the load generator. */
export interface LoadCalls {
  gets: (load: GetLoad) => Promise<Timing & { requests: number }>;

  preparePosts: (plan: PostPlan) => null;
  posts: (seconds: number) => Promise<Timing & { requests: number; times: Float64Array }>;

  prepareSessions: (target: Target & { total: number }) => null;
  openSessions: (total: number) => Promise<Timing>;
  advertise: (first: number) => Promise<Timing & { jsonBytes: number }>;
  /** Leaves everything as it is for some seconds; returns the share of a core that took. */
  idle: (seconds: number) => Promise<Timing>;

  prepareBareSockets: (target: Target) => null;
  openBareSockets: (total: number) => Promise<Timing>;

  prepareFanOut: (target: Target & { kind: 'hub' | 'events' | 'bare'; subscribers: number }) => Promise<null>;
  fanOut: (updates: number) => Promise<Timing & { deliveries: number; lastFrame: Uint8Array }>;

  /** @param target.watchedPort The port of the hub that subscribers watch; by default the same hub. */
  prepareLive: (
    target: Target & { watchedPort?: number; providers: number; subscribers: number },
  ) => Promise<null>;
  live: (input: Parameters<LiveUpdates['run']>[0]) => Promise<Latencies & { frameBytes: number }>;
  echo: (input: Parameters<typeof echo>[0]) => Promise<Latencies>;

  /** Cuts all connections. */
  close: (input: null) => Promise<null>;
}

let posts: Posts | undefined;
let sessions: SessionPool | undefined;
let bareSockets: BareSockets | undefined;
let fanOut: FanOut | undefined;
let live: LiveUpdates | undefined;

function prepared<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('it was not prepared');
  return value;
}

serveCalls<LoadCalls>({
  gets: runGets,
  preparePosts: (plan) => {
    posts = new Posts(plan);
    return null;
  },
  posts: (seconds) => prepared(posts).run(seconds),
  prepareSessions: ({ port, host, total }) => {
    sessions = new SessionPool(port, host);
    sessions.prepare(total);
    return null;
  },
  openSessions: (total) => prepared(sessions).openUpTo(total),
  advertise: (first) => prepared(sessions).advertiseFrom(first),
  idle: async (seconds) => {
    const stop = startTiming();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    return stop();
  },
  prepareBareSockets: ({ port, host }) => {
    bareSockets = new BareSockets(port, host);
    return null;
  },
  openBareSockets: (total) => prepared(bareSockets).openUpTo(total),
  prepareFanOut: async ({ kind, port, host, subscribers }) => {
    fanOut = await (kind === 'bare'
      ? FanOut.onBareServer(port, host, subscribers)
      : FanOut.onHub(port, host, subscribers, kind));
    return null;
  },
  fanOut: async (updates) => {
    const result = await prepared(fanOut).run(updates);
    return { ...result, lastFrame: prepared(fanOut).lastFrame };
  },
  prepareLive: async ({ port, host, watchedPort = port, providers, subscribers }) => {
    live = await LiveUpdates.open(port, host, watchedPort, { providers, subscribers });
    return null;
  },
  live: (input) => prepared(live).run(input),
  echo,
  close: async () => {
    await Promise.all([sessions?.close(), bareSockets?.close(), fanOut?.close(), live?.close()]);
    return null;
  },
});
