import { setImmediate as nextTurn } from 'node:timers/promises';
import { pino } from 'pino';
import type { Config } from '../../src/config.js';
import type { Clock } from '../../src/lib/clock.js';
import { SharedLog } from '../../src/registry/etcd/shared-log.js';
import type { Log, OpenLog } from '../../src/registry/log.js';
import { type Hub, startHub } from '../../src/server.js';
import { Balancer } from './balancer.js';
import { TestEtcd, WITHOUT_ETCD } from './etcd.js';

/** What the hubs of tests keep their providers in: `TEST_HUB` is one of these. */
const KINDS = { sqlite: 0, etcd: 1, etcd3: 3 } as const;

/** How many hubs share an etcd in the place of each hub whose store a test leaves open; 0 for one with SQLite. */
export function sharing(): number {
  const kind = process.env['TEST_HUB'] ?? 'sqlite';
  const hubs = (KINDS as Readonly<Record<string, number>>)[kind];
  if (hubs === undefined) throw new Error(`TEST_HUB is ${kind}, not ${Object.keys(KINDS).join(', ')}`);
  return hubs;
}

/** Nobody waits longer than this for hubs that do not come to rest, in milliseconds. */
const PATIENCE_MS = 2000;

/** Of all hubs of this process; it ends when it has no hubs any more. */
let etcd: Promise<TestEtcd> | null = null;
let users = 0;

/** Hubs that share an etcd and look like one from outside. */
export class Hubs {
  readonly #hubs: readonly Hub[];
  readonly #logs: readonly Log[];
  readonly #balancer: Balancer;

  private constructor(hubs: readonly Hub[], logs: readonly Log[], balancer: Balancer) {
    this.#hubs = hubs;
    this.#logs = logs;
    this.#balancer = balancer;
  }

  static async start(config: Config, clock: Clock): Promise<Hubs> {
    if (WITHOUT_ETCD !== false) throw new Error(WITHOUT_ETCD);
    users += 1;
    const store = await (etcd ??= TestEtcd.start());
    const prefix = store.prefix();
    const logs: Log[] = [];
    const hubs: Hub[] = [];
    for (let no = 0; no < sharing(); no += 1) {
      const log = pino({ level: 'silent' });
      const settings = { endpoints: store.urls, ca: null, client: null, user: null };
      const open = SharedLog.in({ ...settings, prefix, hubName: `hub-${no}`, markPath: null }, log);
      const openLog: OpenLog = async (sink) => {
        const opened = await open(sink);
        logs.push(opened);
        return opened;
      };
      hubs.push(await startHub(config, log, clock, openLog));
    }
    const ports = hubs.map(({ port }) => port);
    const balancer = await Balancer.before(ports, () => settled(logs));
    return new Hubs(hubs, logs, balancer);
  }

  /** All of them as one: the first, but behind the door of all. */
  get one(): Hub {
    return {
      ...this.#hubs[0]!,
      port: this.#balancer.port,
      tick: () => {
        for (const hub of this.#hubs) hub.tick();
      },
      renewCertificate: () => this.#hubs.map((hub) => hub.renewCertificate())[0]!,
      stop: () => this.#stop(),
    };
  }

  /** The port of a random one. */
  get anyPort(): number {
    return this.#hubs[Math.floor(Math.random() * this.#hubs.length)]!.port;
  }

  /** Waits until nothing is under way, and all of them know the same. */
  settled(): Promise<void> {
    return settled(this.#logs);
  }

  async #stop(): Promise<void> {
    const stopped = this.#hubs.map((hub) => hub.stop());
    await Promise.all(stopped);
    this.#balancer.close();
    users -= 1;
    if (users > 0 || etcd === null) return;
    const store = etcd;
    etcd = null;
    await (await store).stop();
  }
}

async function settled(logs: readonly Log[]): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  // What a frame that has just come asks for begins in the turns that follow.
  for (let turn = 0; turn < 2; turn += 1) await nextTurn();
  const areSettled = (): boolean =>
    logs.every(({ pending, position }) => pending === 0 && position === logs[0]!.position);
  while (!areSettled() && performance.now() < end) await nextTurn();
}
