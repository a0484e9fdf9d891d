import { BareServer } from '../bare.js';
import { Hub } from '../hub.js';
import { LoadProcess } from '../load-process.js';
import { quantile } from '../load/gauge.js';
import type { Family, Outcome } from '../part.js';

const PROVIDERS = 10_000;
const SUBSCRIBERS = 1000;
const PER_SECOND = 1000;
const SECONDS = 6;
const ROUNDS = 2;

/** Updates at a steady rate: the time from sending one until watchers have it. */
export const liveUpdates: Family = {
  title: 'live updates',
  parts: [
    {
      name: 'live-updates',
      work: '1,000 updates/s of 10,000 providers to 1,000 subscribers on 100 filters: sent to received, p50',
      baseline: 'bare uWebSockets.js echo at the same rate, p50',
      unit: 'ms',
      aim: { of: 'ratio', sense: 'at most', value: 3 },
    },
    {
      name: 'live-updates-p99',
      work: 'the same, p99',
      baseline: 'bare uWebSockets.js echo at the same rate, p99',
      unit: 'ms',
      aim: { of: 'figure', sense: 'at most', value: 20 },
    },
  ],
  async run(bench) {
    const host = '127.0.0.1';
    bench.say('opening sessions and subscriptions');
    const hub = await Hub.start(bench, 'live.db');
    const bare = await BareServer.start(bench, 'uws');
    const load = new LoadProcess(bench);
    const bareLoad = new LoadProcess(bench);
    await load.remote.call('prepareLive', {
      port: hub.port,
      host,
      providers: bench.connections(PROVIDERS),
      subscribers: bench.size(SUBSCRIBERS),
    });
    const updates = bench.size(PER_SECOND * SECONDS) / ROUNDS;
    const live: Float64Array[] = [];
    const echo: Float64Array[] = [];
    const shares = { hub: 0, echo: 0 };
    await hub.state();
    for (let round = 0; round < ROUNDS; round += 1) {
      bench.say('updates');
      const ours = await load.remote.call('live', { perSecond: PER_SECOND, first: round * updates, updates });
      live.push(ours.times);
      shares.hub += ours.cpuShare / ROUNDS;
      bench.say('echo');
      const theirs = await bareLoad.remote.call('echo', {
        port: bare.port,
        host,
        sockets: bench.size(SUBSCRIBERS),
        perSecond: PER_SECOND,
        messages: updates,
        bytes: Math.round(ours.frameBytes),
      });
      echo.push(theirs.times);
      shares.echo += theirs.cpuShare / ROUNDS;
    }
    const { longestStopMs } = await hub.state();
    await Promise.all([load.end(), bareLoad.end()]);
    await Promise.all([hub.end(), bare.end()]);
    const common = { loadShare: shares.hub, baselineLoadShare: shares.echo, longestStopMs };
    const outcome = (name: string, share: number, note: string): Outcome => ({
      name,
      hub: quantile(live, share),
      baseline: quantile(echo, share),
      ...common,
      note,
    });
    const events = live.reduce((sum, { length }) => sum + length, 0);
    const note = `${events.toLocaleString('en')} events; the hub verifies and stores each update first`;
    return [outcome('live-updates', 0.5, note), outcome('live-updates-p99', 0.99, '')];
  },
};
