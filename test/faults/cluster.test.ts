import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { scratchFolder } from '../process/hub-process.js';
import { WITHOUT_ETCD } from '../support/hubs/etcd.js';
import { randomOf } from '../support/random.js';
import { scaled } from '../support/scale.js';
import { ClusterWorld, type Cost } from './cluster-world.js';

/** How often each fault happens; `FAULT_ROUNDS` says otherwise. */
const ROUNDS = Number(process.env['FAULT_ROUNDS'] ?? scaled(0, 20));
const PROVIDERS = 200;
const WATCHES = 50;
/** Longer than the lease of a hub, and than a hub without its store keeps its sockets, in milliseconds. */
const LONG_MS = 22_000;
const STORE_AWAY_MS = 30_000;

const skip: string | false = ROUNDS === 0 ? 'it takes an hour: npm run faults' : WITHOUT_ETCD;
/** A hub gets a network of its own only from root. */
const canCut = process.getuid?.() === 0;

type Fault = (world: ClusterWorld, random: () => number) => Promise<void>;

const anyHub = (random: () => number): number => Math.floor(random() * 3);

const FAULTS: Readonly<Record<string, Fault>> = {
  'a hub is killed': async (world, random) => {
    const number = anyHub(random);
    await world.hubs[number]!.process!.kill();
    await delay(LONG_MS);
    await world.startHub(number);
  },
  'the leader of the store is killed': async (world) => {
    await world.etcd.kill((await world.etcd.leader())!);
    await delay(STORE_AWAY_MS / 2);
    world.etcd.startAll();
  },
  'a hub stands still for longer than its lease': async (world, random) => {
    const { child } = world.hubs[anyHub(random)]!.process!;
    child.kill('SIGSTOP');
    await delay(LONG_MS);
    child.kill('SIGCONT');
  },
  'all of the store is away': async (world) => {
    await world.etcd.kill(0, 1, 2);
    await delay(STORE_AWAY_MS);
    world.etcd.startAll();
  },
  'a hub is cut off from all': async (world) => {
    world.cut(true);
    await delay(LONG_MS);
    world.cut(false);
  },
};

test(
  'whatever fails of several hubs and their store, nobody departs and nothing is lost',
  { skip },
  async (t) => {
    const random = randomOf(t);
    const world = await ClusterWorld.start(scratchFolder(t), random, canCut);
    t.after(() => world.stop());
    await world.addProviders(PROVIDERS);
    await world.addWatches(WATCHES);
    for (const [name, fault] of Object.entries(FAULTS)) {
      const isLeftOut = name.includes('cut off') && !canCut;
      await t.test(
        name,
        { skip: isLeftOut ? 'only root can give a hub a network of its own' : false },
        async (one) => {
          const costs: Cost[] = [];
          for (let round = 0; round < ROUNDS; round += 1) {
            costs.push(await world.round(() => fault(world, random)));
            one.diagnostic(`round ${round + 1}: ${describe(costs.at(-1)!)}`);
          }
        },
      );
    }
  },
);

function describe({ suspectMs, sessionsMs, liveMs, withoutWritesMs }: Cost): string {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  const suspect = suspectMs === null ? 'nobody suspect' : `suspect after ${seconds(suspectMs)}`;
  const sessions = sessionsMs === null ? 'no session lost' : `sessions live after ${seconds(sessionsMs)}`;
  return `${suspect}, ${sessions}, all live after ${seconds(liveMs)}, ${seconds(withoutWritesMs)} without a write`;
}
