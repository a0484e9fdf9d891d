import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { EtcdClient } from '../../src/registry/etcd/client/client.js';
import { EtcdError } from '../../src/registry/etcd/client/endpoint.js';
import { METHODS } from '../../src/registry/etcd/client/messages.js';
import { ETCD, freePorts } from '../support/hubs/etcd.js';
import { endWithTests } from '../process/hub-process.js';
import { until } from './until.js';

interface Node {
  name: string;
  args: readonly string[];
  process: ChildProcess | null;
}

/** An etcd of three nodes that syncs its disks, whose processes a test kills and stops. */
export class EtcdNodes {
  /** The ports for clients, on every address of this machine. */
  readonly ports: readonly number[];
  readonly #nodes: readonly Node[];
  #client: EtcdClient | null = null;

  private constructor(folder: string, ports: readonly number[]) {
    this.ports = ports.slice(0, 3);
    const peers = ports.slice(3).map((port) => `http://127.0.0.1:${port}`);
    const cluster = peers.map((peer, number) => `etcd-${number}=${peer}`).join(',');
    this.#nodes = this.ports.map((port, number) => ({
      name: `etcd-${number}`,
      process: null,
      args: Object.entries({
        name: `etcd-${number}`,
        'data-dir': join(folder, `etcd-${number}`),
        'log-level': 'error',
        'listen-client-urls': `http://0.0.0.0:${port}`,
        'advertise-client-urls': `http://127.0.0.1:${port}`,
        'listen-peer-urls': peers[number]!,
        'initial-advertise-peer-urls': peers[number]!,
        'initial-cluster': cluster,
      }).flatMap(([flag, value]) => [`--${flag}`, value]),
    }));
  }

  static async start(folder: string): Promise<EtcdNodes> {
    const nodes = new EtcdNodes(folder, await freePorts(6));
    nodes.startAll();
    nodes.#client = await EtcdClient.open({
      endpoints: nodes.urls('127.0.0.1'),
      ca: null,
      client: null,
      user: null,
    });
    await until('etcd has a leader', async () => (await nodes.leader()) !== null);
    return nodes;
  }

  /** What hubs are told that reach this machine at a host. */
  urls(host: string): string[] {
    return this.ports.map((port) => `http://${host}:${port}`);
  }

  /** Starts those that do not run, each on what it has on its disk. */
  startAll(): void {
    for (const node of this.#nodes) {
      if (node.process !== null) continue;
      const child = spawn(ETCD, node.args, { stdio: 'ignore' });
      node.process = child;
      endWithTests(child);
      child.once('exit', () => {
        if (node.process === child) node.process = null;
      });
    }
  }

  /** Which node leads; null while none does. */
  async leader(): Promise<number | null> {
    for (const number of this.#nodes.keys()) {
      try {
        const { endpoint } = await this.#client!.node(number);
        const { header, leader } = await endpoint.call(METHODS.status, {}, null, 500);
        if (leader !== 0n && leader === header!.memberId) return number;
      } catch (error) {
        if (!(error instanceof EtcdError)) throw error;
      }
    }
    return null;
  }

  /** Ends nodes at once, as a power cut does to processes. */
  async kill(...numbers: readonly number[]): Promise<void> {
    await Promise.all(
      numbers.map(async (number) => {
        const { process: child } = this.#nodes[number]!;
        if (child === null) return;
        const gone = once(child, 'exit');
        child.kill('SIGKILL');
        await gone;
      }),
    );
  }

  async stop(): Promise<void> {
    this.#client?.close();
    await this.kill(...this.#nodes.keys());
  }
}
