import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { EtcdClient } from '../../src/registry/etcd/client/client.js';
import { METHODS } from '../../src/registry/etcd/client/messages.js';

/** Where `scripts/fetch-etcd.sh` puts it; another one is named by ETCD. */
export const ETCD = process.env['ETCD'] ?? join('build', 'etcd', 'usr', 'bin', 'etcd');

/** Why tests that need an etcd are left out; false where there is one. */
export const WITHOUT_ETCD: string | false = existsSync(ETCD)
  ? false
  : 'no etcd here: scripts/fetch-etcd.sh fetches one, or ETCD names it';

const START_MS = 20_000;

/** An etcd of one node, of a test's own, with nothing in it. */
export class TestEtcd {
  readonly url: string;
  readonly #folder: string;
  readonly #process: ChildProcess;
  #prefixes = 0;

  private constructor(url: string, folder: string, child: ChildProcess) {
    this.url = url;
    this.#folder = folder;
    this.#process = child;
  }

  /** Starts one and waits until it answers. What is kept in memory is enough, for tests that do not cut the power. */
  static async start(...options: string[]): Promise<TestEtcd> {
    const folder = mkdtempSync(join(tmpdir(), 'etcd-'));
    const [client, peer] = await freePorts(2);
    const [url, peerUrl] = [`http://127.0.0.1:${client!}`, `http://127.0.0.1:${peer!}`];
    const args = ['--data-dir', folder, '--name', 'one', '--unsafe-no-fsync', '--log-level', 'error'];
    const urls = ['--listen-client-urls', url, '--advertise-client-urls', url];
    const peers = ['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl];
    const cluster = ['--initial-cluster', `one=${peerUrl}`];
    const child = spawn(ETCD, [...args, ...urls, ...peers, ...cluster, ...options], { stdio: 'ignore' });
    const etcd = new TestEtcd(url, folder, child);
    const probe = await etcd.client();
    try {
      await probe.call(METHODS.range, { key: Buffer.from('a') }, START_MS);
    } finally {
      probe.close();
    }
    return etcd;
  }

  /** A client of it; whoever asks closes it. */
  client(): Promise<EtcdClient> {
    return EtcdClient.open({ endpoints: [this.url], ca: null, client: null, user: null });
  }

  /** A prefix that nobody else has. */
  prefix(): string {
    this.#prefixes += 1;
    return `/test-${this.#prefixes}/`;
  }

  /** It stands still, with all connections open, until `resume`. */
  pause(): void {
    this.#process.kill('SIGSTOP');
  }

  resume(): void {
    this.#process.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.#process.once('exit', resolve));
    this.resume();
    this.#process.kill('SIGKILL');
    await gone;
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

/** Waits until something is so, looking again and again. */
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
