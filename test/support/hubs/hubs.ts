import { setImmediate as nextTurn } from 'node:timers/promises';
import { pino } from 'pino';
import type { Config } from '../../../src/config.js';
import type { Clock } from '../../../src/lib/clock.js';
import { SharedLog } from '../../../src/registry/etcd/shared-log.js';
import type { Deliver, Log, LogFollower, OpenLog } from '../../../src/registry/log.js';
import { type Hub, startHub } from '../../../src/server.js';
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

/** Hubs that do not know the same after so long never will, in milliseconds. */
const PATIENCE_MS = 20_000;

/** Of all hubs of this process; it ends when it has no hubs any more. */
let etcd: Promise<TestEtcd> | null = null;
let users = 0;

/** A hub's log, and how far it has come. */
class Progress {
  readonly log: Log;
  /** The position of the last entry that the hub was told of. Positions without one tell of other hubs' stores. */
  delivered = 0;
  isOver = false;

  constructor(log: Log) {
    this.log = log;
    const deliverTo = log.deliverTo.bind(log);
    const close = log.close.bind(log);
    log.deliverTo = (deliver: Deliver, follower?: LogFollower) => {
      deliverTo((entry, position) => {
        this.delivered = position;
        deliver(entry, position);
      }, follower);
    };
    log.close = () => {
      this.isOver = true;
      return close();
    };
  }
}

/** Hubs that share an etcd and look like one from outside. */
export class Hubs {
  readonly #hubs: readonly Hub[];
  readonly #progress: readonly Progress[];
  readonly #balancer: Balancer;
  #stopped: Promise<void> | null = null;

  private constructor(hubs: readonly Hub[], progress: readonly Progress[], balancer: Balancer) {
    this.#hubs = hubs;
    this.#progress = progress;
    this.#balancer = balancer;
  }

  static async start(config: Config, clock: Clock): Promise<Hubs> {
    if (WITHOUT_ETCD !== false) throw new Error(WITHOUT_ETCD);
    users += 1;
    const hubs: Hub[] = [];
    try {
      return await Hubs.#startAll(config, clock, hubs);
    } catch (error) {
      // Whatever stays would keep the process of the tests for ever.
      await Promise.all(hubs.map((hub) => hub.stop()));
      await leave();
      throw error;
    }
  }

  /** @param hubs Receives each one that has started. */
  static async #startAll(config: Config, clock: Clock, hubs: Hub[]): Promise<Hubs> {
    const store = await (etcd ??= TestEtcd.start());
    const prefix = store.prefix();
    const progress: Progress[] = [];
    for (let no = 0; no < sharing(); no += 1) {
      const log = pino({ level: 'silent' });
      const settings = { endpoints: store.urls, ca: null, client: null, user: null };
      const open = SharedLog.in({ ...settings, prefix, hubName: `hub-${no}`, markPath: null }, log);
      const openLog: OpenLog = async (sink) => {
        const opened = await open(sink);
        progress.push(new Progress(opened));
        return opened;
      };
      hubs.push(await startHub(config, log, clock, openLog));
    }
    const ports = hubs.map(({ port }) => port);
    const balancer = await Balancer.before(ports, () => settled(progress));
    return new Hubs(hubs, progress, balancer);
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

  /** The port of the first, without the door of all. */
  get firstPort(): number {
    return this.#hubs[0]!.port;
  }

  /** The port of a random one. */
  get anyPort(): number {
    return this.#hubs[Math.floor(Math.random() * this.#hubs.length)]!.port;
  }

  /**
   * Waits until nothing is under way, and all of them know the same.
   * @throws Error if that does not happen.
   */
  settled(): Promise<void> {
    return settled(this.#progress);
  }

  #stop(): Promise<void> {
    return (this.#stopped ??= this.#end());
  }

  async #end(): Promise<void> {
    const stopped = this.#hubs.map((hub) => hub.stop());
    await Promise.all(stopped);
    this.#balancer.close();
    await leave();
  }
}

/** Some hubs need etcd no more; the last to say so ends it. */
async function leave(): Promise<void> {
  users -= 1;
  if (users > 0 || etcd === null) return;
  const store = etcd;
  etcd = null;
  // One that did not start has ended already.
  await store.then(
    (one) => one.stop(),
    () => undefined,
  );
}

async function settled(all: readonly Progress[]): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  // What a frame that has just come asks for begins in the turns that follow.
  for (let turn = 0; turn < 2; turn += 1) await nextTurn();
  while (!areSettled(all)) {
    if (performance.now() >= end) {
      const hubs = all.map(({ log: { pending, position, problem }, delivered, isOver }, no) =>
        JSON.stringify({ no, pending, position, delivered, problem, isOver }),
      );
      throw new Error(`after ${PATIENCE_MS} ms the hubs still do not know the same: ${hubs.join(', ')}`);
    }
    await nextTurn();
  }
}

function areSettled(all: readonly Progress[]): boolean {
  const known = Math.max(...all.map(({ delivered }) => delivered));
  return all.every(({ log, isOver }) => isOver || (log.pending === 0 && log.position >= known));
}
