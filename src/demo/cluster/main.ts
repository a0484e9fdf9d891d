// `npm run cluster`: several hubs as one, on this machine, for whoever wants to see one of them die and nobody notice.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { watch, type Watch } from '../../client/node.js';
import { Fleet } from '../fleet.js';
import { Balancer } from './balancer.js';
import { findEtcd, startEtcd } from './etcd.js';
import { portInUse } from './ports.js';
import { Processes } from './processes.js';

const USAGE = 'usage: npm run cluster -- [--port <port>] [--providers <1 to 1000>]\n';
const NO_ETCD =
  'The hubs share an etcd, and there is none here. On Debian, scripts/fetch-etcd.sh fetches one into build/etcd and installs nothing;\n' +
  'elsewhere install etcd 3.5 or newer, or name its program in ETCD.\n';
const NODES = 3;
const HUBS = 3;
const inUse = (taken: number, first: number): string =>
  `The cluster cannot start: port ${String(taken)} is in use, and it needs ${String(first)} to ${String(first + HUBS)}. ` +
  'Stop what listens there, or choose other ports, e.g. npm run cluster -- --port 8465\n';
const START_MS = 60_000;
/** After how long a hub that has ended is started anew, in milliseconds: longer than its lease. */
const RESTART_MS = 25_000;

const COMMAND = fileURLToPath(new URL('../../command/main.js', import.meta.url));

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

function readOptions(): { port: number; providers: number } | null {
  try {
    const options = {
      port: { type: 'string', default: '7465' },
      providers: { type: 'string', default: '60' },
    } as const;
    const { port, providers } = parseArgs({ options }).values;
    const [first, count] = [port, providers].map((text) => (/^\d{1,5}$/.test(text) ? Number(text) : 0));
    const isSound = first! > 0 && first! + HUBS < 65_536 && count! > 0 && count! <= 1000;
    return isSound ? { port: first!, providers: count! } : null;
  } catch {
    return null;
  }
}

class Cluster {
  readonly #folder = mkdtempSync(join(tmpdir(), 'cluster-'));
  readonly #processes = new Processes(this.#folder);
  readonly #ports: readonly number[];
  readonly #url: string;
  readonly #fleet: Fleet;
  readonly #providers: number;
  #endpoints = '';
  #balancer: Balancer | null = null;
  #matches: Watch | null = null;
  #isOver = false;

  constructor({ port, providers }: { port: number; providers: number }) {
    this.#url = `http://127.0.0.1:${String(port)}`;
    this.#ports = Array.from({ length: HUBS }, (_, number) => port + 1 + number);
    this.#providers = providers;
    this.#fleet = new Fleet(this.#url, providers, Math.random);
  }

  /** Whether it has been stopped. */
  get isOver(): boolean {
    return this.#isOver;
  }

  async start(etcd: string): Promise<void> {
    say(`CLUSTER: ${String(NODES)} nodes of etcd and ${String(HUBS)} hubs are starting …`);
    this.#endpoints = await startEtcd(this.#processes, etcd, NODES, (name) => {
      if (!this.#isOver) say(`CLUSTER: ${name} has ended`);
    });
    const pids = this.#ports.map((_port, number) => this.#startHub(number));
    await Promise.all(this.#ports.map((port) => this.#answers(port)));
    this.#balancer = await Balancer.start(Number(new URL(this.#url).port), this.#ports);
    say(`CLUSTER: ${String(this.#providers)} made-up providers are coming …`);
    await this.#fleet.start();
    this.#fleet.changePrices();
    this.#matches = watch(this.#url);
    await this.#matches.ready;
    this.#explain(pids);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all([this.#matches?.stop(), this.#fleet.stop()]);
    this.#balancer?.stop();
    await this.#processes.stop('hub-');
    await this.#processes.stop('etcd-');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #explain(pids: readonly number[]): void {
    const command = `node ${relative(process.cwd(), COMMAND)}`;
    const urls = this.#ports.map((port) => `http://127.0.0.1:${String(port)}`);
    const hubs = urls.map(
      (url, number) => `  hub-${String(number + 1)}  ${url}  pid ${String(pids[number])}`,
    );
    say(
      [
        `CLUSTER: ${this.#url} is one hub with ${String(HUBS)} doors, behind a balancer; a browser shows it, too.`,
        ...hubs,
        'In a second terminal, follow all providers:',
        `  ${command} watch --url ${this.#url}`,
        'In a third one, have a hub die, and see that the watch goes on and nobody departs:',
        `  kill -9 ${String(pids[0])}`,
        'How the store and the hubs are:',
        `  DISCOVERY_ETCD_ENDPOINTS=${this.#endpoints} ${command} cluster --hubs ${urls.join(',')}`,
        `Logs are in ${this.#folder}. Ctrl-C ends all of it, and nothing is left.`,
      ].join('\n'),
    );
  }

  /** @returns Its process id. */
  #startHub(number: number): number {
    const name = `hub-${String(number + 1)}`;
    const settings = {
      DISCOVERY_HOST: '127.0.0.1',
      DISCOVERY_PORT: String(this.#ports[number]),
      DISCOVERY_ETCD_ENDPOINTS: this.#endpoints,
      DISCOVERY_HUB_NAME: name,
      // Nothing is kept beside what goes with the demo.
      DISCOVERY_DB_URL: 'sqlite:///:memory:',
      DISCOVERY_DRAIN_SECONDS: '1',
      // All providers have one address.
      DISCOVERY_RATE_LIMIT_PER_MINUTE: '0',
    };
    return this.#processes.start(name, process.execPath, [COMMAND, 'serve'], settings, () => {
      if (!this.#isOver) void this.#lose(name, number);
    });
  }

  /** A hub has ended: says what becomes of its providers, and starts it anew after a while. */
  async #lose(name: string, number: number): Promise<void> {
    const restart = wait(RESTART_MS);
    say(`CLUSTER: ${name} exited; restarting it in ${String(RESTART_MS / 1000)} s`);
    const departed = new Set<string>();
    const off = this.#matches?.on('change', ({ type, advertisement }) => {
      if (type === 'removed') departed.add(advertisement.provider_id);
    });
    await restart;
    off?.();
    if (this.#isOver) return;
    const providers = [...(this.#matches?.providers.values() ?? [])];
    const live = providers.filter(({ status }) => status === 'live').length;
    say(
      `CLUSTER: ${String(live)} of ${String(this.#providers)} providers are live, and ${String(departed.size)} have departed meanwhile`,
    );
    say(`CLUSTER: ${name} is back, pid ${String(this.#startHub(number))}`);
  }

  async #answers(port: number): Promise<void> {
    const end = performance.now() + START_MS;
    while (performance.now() < end && !this.#isOver) {
      try {
        if ((await fetch(`http://127.0.0.1:${String(port)}/health`)).ok) return;
      } catch {
        // Not yet.
      }
      await wait(200);
    }
    if (!this.#isOver) throw new Error(`a hub did not start; its log is in ${this.#folder}`);
  }
}

async function demonstrate(): Promise<void> {
  const options = readOptions();
  if (options === null) {
    process.stderr.write(USAGE);
    process.exitCode = 2;
    return;
  }
  const etcd = findEtcd(process.env);
  const taken = await portInUse(options.port, HUBS + 1);
  if (taken !== null || etcd === null) {
    process.stderr.write(taken === null ? NO_ETCD : inUse(taken, options.port));
    process.exitCode = 1;
    return;
  }
  const cluster = new Cluster(options);
  const stop = (): void => {
    // A second one ends it at once, and all processes with it.
    if (cluster.isOver) process.exit(1);
    void cluster.stop().then(() => {
      say('The demo is over; nothing of it is left.');
      process.exit(0);
    });
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  try {
    await cluster.start(etcd);
  } catch (error) {
    if (cluster.isOver) return;
    process.stderr.write(`The cluster cannot start: ${(error as Error).message}\n`);
    process.exit(1);
  }
}

await demonstrate();
