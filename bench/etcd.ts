import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EtcdClient } from '../src/registry/etcd/client/client.js';
import { METHODS } from '../src/registry/etcd/client/messages.js';
import type { Bench, Owned } from './part.js';

/** Where `scripts/fetch-etcd.sh` puts it; another one is named by ETCD. */
const ETCD = process.env['ETCD'] ?? fileURLToPath(new URL('../etcd/usr/bin/etcd', import.meta.url));
const START_MS = 20_000;

/** Whether this machine has an etcd. */
export function hasEtcd(): boolean {
  return existsSync(ETCD);
}

/** An etcd of some nodes on this machine that syncs its disk, as an operator runs it, with nothing in it. */
export class Etcd implements Owned {
  readonly urls: readonly string[];
  readonly #children: readonly ChildProcess[];
  #prefixes = 0;

  private constructor(bench: Bench, folder: string, ports: readonly number[]) {
    const size = ports.length / 2;
    this.urls = ports.slice(0, size).map((port) => `http://127.0.0.1:${String(port)}`);
    const peers = ports.slice(size).map((port) => `http://127.0.0.1:${String(port)}`);
    const cluster = peers.map((peer, no) => `n${String(no)}=${peer}`).join(',');
    this.#children = this.urls.map((url, no) => {
      const flags = {
        name: `n${String(no)}`,
        'data-dir': join(folder, `n${String(no)}`),
        'log-level': 'error',
        'listen-client-urls': url,
        'advertise-client-urls': url,
        'listen-peer-urls': peers[no]!,
        'initial-advertise-peer-urls': peers[no]!,
        'initial-cluster': cluster,
        'quota-backend-bytes': String(8 * 2 ** 30),
        'auto-compaction-mode': 'revision',
        'auto-compaction-retention': '200000',
      };
      const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]);
      return spawn(ETCD, args, { stdio: 'ignore' });
    });
    bench.own(this);
  }

  /** Starts it, and waits until it answers. */
  static async start(bench: Bench, nodes: number): Promise<Etcd> {
    const ports = await freePorts(2 * nodes);
    const etcd = new Etcd(bench, join(bench.folder, `etcd-${String(ports[0])}`), ports);
    const probe = await EtcdClient.open({ endpoints: etcd.urls, ca: null, client: null, user: null });
    try {
      await probe.call(METHODS.range, { key: Buffer.from('a') }, START_MS);
    } finally {
      probe.close();
    }
    return etcd;
  }

  /** The settings of hubs that share something nobody else uses, without prefix. */
  settings(): Record<string, string> {
    this.#prefixes += 1;
    return { ETCD_ENDPOINTS: this.urls.join(','), ETCD_PREFIX: `/bench-${String(this.#prefixes)}/` };
  }

  kill(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }

  async end(): Promise<void> {
    const gone = this.#children.map(
      (child) =>
        new Promise<void>((resolve) => {
          if (child.exitCode !== null || child.signalCode !== null) resolve();
          else child.once('exit', () => resolve());
        }),
    );
    this.kill();
    await Promise.all(gone);
  }
}

/** Ports that nobody listens on now. */
async function freePorts(count: number): Promise<number[]> {
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
