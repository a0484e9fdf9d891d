import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { EtcdClient } from '../../../src/registry/etcd/client/client.js';
import { METHODS } from '../../../src/registry/etcd/client/messages.js';

/** Where `scripts/fetch-etcd.sh` puts it; another one is named by ETCD. */
export const ETCD = process.env['ETCD'] ?? join('build', 'etcd', 'usr', 'bin', 'etcd');

/** Why tests that need an etcd are left out; false where there is one. */
export const WITHOUT_ETCD: string | false = existsSync(ETCD)
  ? false
  : 'no etcd here: scripts/fetch-etcd.sh fetches one, or ETCD names it';

const START_MS = 20_000;

/** One node of a `TestEtcd`. */
interface Node {
  name: string;
  url: string;
  peerUrl: string;
  folder: string;
  process: ChildProcess | null;
}

/** An empty etcd for one test, with one node by default. */
export class TestEtcd {
  readonly #nodes: readonly Node[];
  readonly #folder: string;
  readonly #options: readonly string[];
  #prefixes = 0;

  private constructor(nodes: readonly Node[], folder: string, options: readonly string[]) {
    this.#nodes = nodes;
    this.#folder = folder;
    this.#options = options;
  }

  /** Starts one and waits until it answers. What is kept in memory is enough, for tests that do not cut the power. */
  static start(...options: string[]): Promise<TestEtcd> {
    return TestEtcd.#of(1, options);
  }

  /** As `start`, of several nodes. */
  static cluster(size: number): Promise<TestEtcd> {
    return TestEtcd.#of(size, []);
  }

  static async #of(size: number, options: readonly string[]): Promise<TestEtcd> {
    const folder = mkdtempSync(join(tmpdir(), 'etcd-'));
    const ports = await freePorts(2 * size);
    const nodes = Array.from({ length: size }, (_, index): Node => {
      const [port, peerPort] = [ports[2 * index]!, ports[2 * index + 1]!];
      return {
        name: `n${index}`,
        url: `http://127.0.0.1:${port}`,
        peerUrl: `http://127.0.0.1:${peerPort}`,
        folder: join(folder, `n${index}`),
        process: null,
      };
    });
    const etcd = new TestEtcd(nodes, folder, options);
    try {
      await etcd.run();
    } catch (error) {
      await etcd.stop();
      throw error;
    }
    return etcd;
  }

  /** Of the first node. */
  get url(): string {
    return this.#nodes[0]!.url;
  }

  get urls(): string[] {
    return this.#nodes.map(({ url }) => url);
  }

  /** Where the first node keeps its data. */
  get data(): string {
    return this.#nodes[0]!.folder;
  }

  /** Starts all nodes, which `kill` may have ended, on what they have kept. */
  async run(): Promise<void> {
    const cluster = this.#nodes.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',');
    for (const node of this.#nodes) {
      const { name, url, peerUrl, folder } = node;
      const args = ['--data-dir', folder, '--name', name, '--unsafe-no-fsync', '--log-level', 'error'];
      const urls = ['--listen-client-urls', url, '--advertise-client-urls', url];
      const peers = ['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl];
      const all = [...args, ...urls, ...peers, '--initial-cluster', cluster, ...this.#options];
      node.process = spawn(ETCD, all, { stdio: 'ignore' });
    }
    const probe = await this.client();
    try {
      await probe.call(METHODS.range, { key: Buffer.from('a') }, START_MS);
    } finally {
      probe.close();
    }
  }

  /** A client of it, which the caller closes. */
  client(): Promise<EtcdClient> {
    return EtcdClient.open({ endpoints: this.urls, ca: null, client: null, user: null });
  }

  /** A prefix that nobody else has. */
  prefix(): string {
    this.#prefixes += 1;
    return `/test-${this.#prefixes}/`;
  }

  /** It stands still, with all connections open, until `resume`. */
  pause(): void {
    for (const { process: child } of this.#nodes) child?.kill('SIGSTOP');
  }

  resume(): void {
    for (const { process: child } of this.#nodes) child?.kill('SIGCONT');
  }

  /**
   * Ends nodes as a cut of the power does. What they keep stays.
   * @param first How many are left running.
   */
  async kill(first = 0): Promise<void> {
    this.resume();
    const nodes = this.#nodes.slice(first);
    const gone = nodes.map(
      ({ process: child }) => new Promise((resolve) => child?.once('exit', resolve) ?? resolve(null)),
    );
    for (const node of nodes) {
      node.process?.kill('SIGKILL');
      node.process = null;
    }
    await Promise.all(gone);
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Ports that nobody listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            resolve(typeof address === 'object' && address !== null ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Polls until a condition holds. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 20_000,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`${what} did not happen`);
    await wait(10);
  }
}
