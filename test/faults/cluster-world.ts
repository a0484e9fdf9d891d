import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  DiscoveryClient,
  generateKey,
  type KeyPair,
  ProviderSession,
  type PublishedAdvertisement,
  watch,
  type Watch,
} from '../../src/client/node.js';
import { RunningProcess } from '../process/hub-process.js';
import { freePorts } from '../support/hubs/etcd.js';
import { PROGRAM } from '../support/hubs/program.js';
import { ADVERTISEMENT } from '../support/hubs/test-hub.js';
import { EtcdNodes } from './etcd-nodes.js';
import { until } from './until.js';

/** The wire to the hub that can be cut off: both ends, the devices there, and the network of the far one. */
const WIRE = {
  near: '10.209.77.1',
  far: '10.209.77.2',
  nearDevice: 'hub-faults-near',
  farDevice: 'hub-faults-far',
  name: 'hub-faults',
} as const;
/** Milliseconds between two writes. */
const WRITE_MS = 50;

/** What a round of faults has cost, in milliseconds from the fault on; null for what did not happen. */
export interface Cost {
  /** Until a watcher saw the first provider as suspect. */
  suspectMs: number | null;
  /** Until the last of the sessions that were lost was live again, at whichever hub. */
  sessionsMs: number | null;
  /** Until every hub, that which failed included, listed every provider as live. */
  liveMs: number;
  /** The longest time in which no write was acknowledged. */
  withoutWritesMs: number;
}

interface Place {
  url: string;
  port: number;
  host: string;
  process: RunningProcess | null;
}

interface Provider {
  readonly key: KeyPair;
  session: ProviderSession;
  /** How many cores the last acknowledged advertisement has. */
  acknowledged: number;
}

/** Three hubs on three nodes of etcd, sessions and watches spread over them, and writes all the time. */
export class ClusterWorld {
  readonly etcd: EtcdNodes;
  readonly hubs: readonly Place[];
  /** Who departed though nobody went, as watchers saw it. */
  readonly departures: string[] = [];
  readonly #folder: string;
  readonly #random: () => number;
  readonly #providers: Provider[] = [];
  readonly #watches: Watch[] = [];
  #writing: NodeJS.Timeout | null = null;
  readonly #underWay = new Set<Provider>();
  #lastWriteAt = performance.now();
  #longestGapMs = 0;
  #suspectAt: number | null = null;
  #sessionsAt: number | null = null;

  private constructor(folder: string, random: () => number, etcd: EtcdNodes, hubs: readonly Place[]) {
    this.#folder = folder;
    this.#random = random;
    this.etcd = etcd;
    this.hubs = hubs;
  }

  /** @param cuts Whether the last hub is in a network of its own, for `cut`; that takes root. */
  static async start(folder: string, random: () => number, cuts: boolean): Promise<ClusterWorld> {
    const etcd = await EtcdNodes.start(folder);
    if (cuts) layWire();
    const ports = await freePorts(3);
    const hubs = ports.map((port, number) => {
      const host = cuts && number === 2 ? WIRE.far : '127.0.0.1';
      return { url: `http://${host}:${port}`, port, host, process: null };
    });
    const world = new ClusterWorld(folder, random, etcd, hubs);
    await Promise.all(hubs.map((_, number) => world.startHub(number)));
    return world;
  }

  async startHub(number: number): Promise<void> {
    const hub = this.hubs[number]!;
    const isAway = hub.host === WIRE.far;
    const environment: NodeJS.ProcessEnv = {
      PATH: process.env['PATH'],
      DISCOVERY_HOST: hub.host,
      DISCOVERY_PORT: String(hub.port),
      DISCOVERY_RATE_LIMIT_PER_MINUTE: '0',
      DISCOVERY_DRAIN_SECONDS: '0',
      DISCOVERY_HEARTBEAT_SECONDS: '5',
      DISCOVERY_HUB_NAME: `hub-${number}`,
      DISCOVERY_ETCD_ENDPOINTS: this.etcd.urls(isAway ? WIRE.near : '127.0.0.1').join(','),
    };
    const command = [process.execPath, PROGRAM, 'serve'];
    const [program, ...args] = isAway ? ['ip', 'netns', 'exec', WIRE.name, ...command] : command;
    hub.process = new RunningProcess(program!, args, { cwd: this.#folder, env: environment });
    await hub.process.wrote(/the hub is listening/);
  }

  async addProviders(count: number): Promise<void> {
    for (let added = 0; added < count; added += 1) {
      const [key, { cpu }] = [generateKey(), ADVERTISEMENT.resources];
      this.#providers.push({ key, session: this.#begin(key, cpu), acknowledged: cpu });
    }
    await Promise.all(this.#providers.map(({ session }) => session.published()));
  }

  /** Spreads the sessions over all hubs again: those that lost one have gathered at the others. */
  async #spread(): Promise<void> {
    await Promise.all(
      this.#providers.map(async (provider) => {
        await provider.session.stop();
        provider.session = this.#begin(provider.key, provider.acknowledged);
        await provider.session.published();
      }),
    );
    await until('every provider is live at every hub', () => this.#allLive());
  }

  #begin(key: KeyPair, cpu: number): ProviderSession {
    const urls = this.hubs.map(({ url }) => url);
    const session = new ProviderSession(urls, { key, advertisement: offering(cpu) });
    session.on('state', ({ state }) => {
      if (state === 'live') this.#sessionsAt = performance.now();
    });
    return session.start();
  }

  async addWatches(count: number): Promise<void> {
    const urls = this.hubs.map(({ url }) => url);
    for (let added = 0; added < count; added += 1) {
      const matches = watch(urls, {}, { transport: added % 2 === 0 ? 'websocket' : 'events' });
      matches.on('change', ({ type, advertisement }) => {
        if (type === 'removed') this.departures.push(advertisement.provider_id);
        else if (advertisement.status === 'suspect') this.#suspectAt ??= performance.now();
      });
      this.#watches.push(matches);
    }
    await Promise.all(this.#watches.map(({ ready }) => ready));
  }

  /** Has providers change what they offer, one after the other, until `settle`. */
  write(): void {
    this.#writing = setInterval(() => {
      const provider = this.#providers[Math.floor(this.#random() * this.#providers.length)]!;
      if (!this.#underWay.has(provider)) void this.#change(provider);
    }, WRITE_MS);
  }

  /**
   * Has something go wrong and end, while providers write, and waits until all is well again.
   * @param fault Resolves when it is over.
   * @throws AssertionError when something acknowledged is lost, somebody departed, or a view is not what hubs list.
   */
  async round(fault: () => Promise<void>): Promise<Cost> {
    await this.#spread();
    this.#suspectAt = null;
    this.#sessionsAt = null;
    this.write();
    this.#lastWriteAt = performance.now();
    this.#longestGapMs = 0;
    const begun = performance.now();
    await fault();
    await until('every provider is live at every hub', () => this.#allLive());
    const liveMs = performance.now() - begun;
    await this.#settle();
    const since = (at: number | null): number | null => (at === null ? null : at - begun);
    const [suspectMs, sessionsMs] = [since(this.#suspectAt), since(this.#sessionsAt)];
    await this.check();
    return { suspectMs, sessionsMs, liveMs, withoutWritesMs: this.#longestGapMs };
  }

  async check(): Promise<void> {
    const lists = (): Promise<string[]> => Promise.all(this.hubs.map(({ url }) => essenceAt(url)));
    let listed: string[] = [];
    await until('every view is what every hub lists', async () => {
      listed = await lists();
      const views = this.#watches.map(({ providers }) => essence([...providers.values()]));
      return new Set([...listed, ...views]).size === 1;
    });
    const rows = JSON.parse(listed[0]!) as [string, string, number][];
    const cores = new Map(rows.map(([id, , cpu]) => [id, cpu]));
    for (const { session, acknowledged } of this.#providers) {
      assert.equal(cores.get(session.providerId), acknowledged, 'what was acknowledged is there');
    }
    assert.deepEqual(this.departures, [], 'nobody has departed');
  }

  /** Cuts the wire to the last hub, or mends it. */
  cut(isCut: boolean): void {
    ip('link', 'set', 'dev', WIRE.nearDevice, isCut ? 'down' : 'up');
  }

  async stop(): Promise<void> {
    if (this.#writing !== null) clearInterval(this.#writing);
    await Promise.all(
      [...this.#watches, ...this.#providers.map(({ session }) => session)].map((one) => one.stop()),
    );
    await Promise.all(this.hubs.flatMap(({ process: hub }) => (hub === null ? [] : [hub.kill()])));
    await this.etcd.stop();
    if (this.hubs.some(({ host }) => host === WIRE.far)) ip('netns', 'delete', WIRE.name);
  }

  /** Ends the writing, and waits for what is under way. */
  async #settle(): Promise<void> {
    if (this.#writing !== null) clearInterval(this.#writing);
    this.#writing = null;
    await until('every write is answered', () => this.#underWay.size === 0);
  }

  async #change(provider: Provider): Promise<void> {
    this.#underWay.add(provider);
    // Another number than before: an update that changes nothing is not sent, and would count as a write.
    const cpu = 1 + ((provider.acknowledged + Math.floor(this.#random() * 63)) % 64);
    try {
      const published = await provider.session.update(offering(cpu));
      provider.acknowledged = published.resources['cpu']!;
      const now = performance.now();
      this.#longestGapMs = Math.max(this.#longestGapMs, now - this.#lastWriteAt);
      this.#lastWriteAt = now;
    } finally {
      this.#underWay.delete(provider);
    }
  }

  async #allLive(): Promise<boolean> {
    if (this.#providers.some(({ session }) => session.state !== 'live')) return false;
    for (const { url } of this.hubs) {
      try {
        const found = await new DiscoveryClient(url, { timeoutMs: 2000 }).find({ status: 'live' });
        if (found.length !== this.#providers.length) return false;
      } catch {
        return false;
      }
    }
    return true;
  }
}

function offering(cpu: number): typeof ADVERTISEMENT {
  return { ...ADVERTISEMENT, resources: { ...ADVERTISEMENT.resources, cpu } };
}

/** What a hub lists, less what heartbeats change. */
async function essenceAt(url: string): Promise<string> {
  return essence(await new DiscoveryClient(url).find());
}

function essence(providers: readonly PublishedAdvertisement[]): string {
  const rows = providers.map(
    ({ provider_id: id, status, resources }) => [id, status, resources['cpu']] as const,
  );
  return JSON.stringify(rows.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: 'pipe' });
}

/** A network of its own for one hub, and a wire to it that can be cut. */
function layWire(): void {
  const { nearDevice: near, farDevice: far } = WIRE;
  ip('netns', 'add', WIRE.name);
  ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far);
  ip('link', 'set', far, 'netns', WIRE.name);
  ip('addr', 'add', `${WIRE.near}/30`, 'dev', near);
  ip('link', 'set', near, 'up');
  ip('netns', 'exec', WIRE.name, 'ip', 'addr', 'add', `${WIRE.far}/30`, 'dev', far);
  ip('netns', 'exec', WIRE.name, 'ip', 'link', 'set', far, 'up');
}
