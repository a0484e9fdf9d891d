import { BareServer } from '../bare.js';
import { Hub } from '../hub.js';
import { LoadProcess } from '../load-process.js';
import type { Family } from '../part.js';

const SUBSCRIBERS = 10_000;
const ROUNDS = 2;
const UPDATES = 10;

/** One update for many subscribers. */
export const fanOut: Family = {
  title: 'fan-out',
  parts: [
    {
      name: 'fan-out',
      work: 'one update to 10,000 subscribers of one stream',
      baseline: 'bare uWebSockets.js publishing the same bytes',
      unit: 'per second',
      aim: { of: 'ratio', sense: 'at least', value: 0.8 },
    },
  ],
  async run(bench) {
    const subscribers = bench.connections(SUBSCRIBERS);
    bench.say(`${subscribers.toLocaleString('en')} subscribers`);
    const hub = await Hub.start(bench, 'fan-out.db');
    const bare = await BareServer.start(bench, 'uws');
    const hubLoad = new LoadProcess(bench);
    const bareLoad = new LoadProcess(bench);
    const host = '127.0.0.1';
    await hubLoad.remote.call('prepareFanOut', { kind: 'hub', port: hub.port, host, subscribers });
    await bareLoad.remote.call('prepareFanOut', { kind: 'bare', port: bare.port, host, subscribers });
    const { lastFrame } = await hubLoad.remote.call('fanOut', 2);
    await bare.remote.call('publishing', lastFrame);
    await bareLoad.remote.call('fanOut', 2);
    await hub.state();
    const sums = { hub: { deliveries: 0, seconds: 0, cpu: 0 }, bare: { deliveries: 0, seconds: 0, cpu: 0 } };
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const side of ['hub', 'bare'] as const) {
        bench.say(`${side}: ${String(UPDATES)} updates`);
        const { remote } = side === 'hub' ? hubLoad : bareLoad;
        const { deliveries, seconds, cpuShare } = await remote.call('fanOut', UPDATES);
        sums[side].deliveries += deliveries;
        sums[side].seconds += seconds;
        sums[side].cpu += cpuShare * seconds;
      }
    }
    const { longestStopMs } = await hub.state();
    await Promise.all([hubLoad.end(), bareLoad.end()]);
    await Promise.all([hub.end(), bare.end()]);
    return [
      {
        name: 'fan-out',
        hub: sums.hub.deliveries / sums.hub.seconds,
        baseline: sums.bare.deliveries / sums.bare.seconds,
        loadShare: sums.hub.cpu / sums.hub.seconds,
        baselineLoadShare: sums.bare.cpu / sums.bare.seconds,
        longestStopMs,
        note: `deliveries of ${String(lastFrame.length)} bytes; the hub verifies and stores each update first`,
      },
    ];
  },
};
