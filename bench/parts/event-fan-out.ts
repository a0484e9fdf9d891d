import { Hub } from '../hub.js';
import { LoadProcess } from '../load-process.js';
import type { Bench, Family } from '../part.js';

const READERS = 10_000;
const ROUNDS = 3;
const UPDATES = 10;

interface Side {
  readonly name: string;
  readonly hub: Hub;
  readonly load: LoadProcess;
  deliveries: number;
  seconds: number;
  cpu: number;
}

/** One update for many readers of server-sent events. */
export const eventFanOut: Family = {
  title: 'fan-out of events',
  parts: [
    {
      name: 'event-fan-out',
      work: 'one update to 10,000 readers of server-sent events of one stream',
      baseline: 'the same to as many WebSocket subscribers',
      unit: 'per second',
      aim: { of: 'ratio', sense: 'at least', value: 0.7 },
    },
  ],
  async run(bench) {
    const readers = bench.connections(READERS);
    const events = await begin(bench, 'events', readers);
    const sockets = await begin(bench, 'hub', readers);
    await events.hub.state();
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const side of [events, sockets]) {
        bench.say(`${side.name}: ${String(UPDATES)} updates`);
        const { deliveries, seconds, cpuShare } = await side.load.remote.call('fanOut', UPDATES);
        side.deliveries += deliveries;
        side.seconds += seconds;
        side.cpu += cpuShare * seconds;
      }
    }
    const { longestStopMs } = await events.hub.state();
    await Promise.all([events.load.end(), sockets.load.end()]);
    await Promise.all([events.hub.end(), sockets.hub.end()]);
    return [
      {
        name: 'event-fan-out',
        hub: events.deliveries / events.seconds,
        baseline: sockets.deliveries / sockets.seconds,
        loadShare: events.cpu / events.seconds,
        baselineLoadShare: sockets.cpu / sockets.seconds,
        longestStopMs,
        note: 'both sides verify and store each update first, and have a hub of their own',
      },
    ];
  },
};

async function begin(bench: Bench, kind: 'events' | 'hub', readers: number): Promise<Side> {
  const name = kind === 'events' ? 'readers of events' : 'WebSocket subscribers';
  bench.say(`${readers.toLocaleString('en')} ${name}`);
  const hub = await Hub.start(bench, `fan-out-to-${kind}.db`);
  const load = new LoadProcess(bench);
  const target = { kind, port: hub.port, host: '127.0.0.1', subscribers: readers };
  await load.remote.call('prepareFanOut', target);
  await load.remote.call('fanOut', 2);
  return { name, hub, load, deliveries: 0, seconds: 0, cpu: 0 };
}
