import { accessSync, constants } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join, resolve } from 'node:path';
import type { Processes } from './processes.js';

/** Where to find etcd: what ETCD names, what `scripts/fetch-etcd.sh` has fetched, what is installed; null where there is none. */
export function findEtcd({ ETCD, PATH = '' }: NodeJS.ProcessEnv): string | null {
  const fetched = join('build', 'etcd', 'usr', 'bin', 'etcd');
  const installed = PATH.split(delimiter).map((folder) => join(folder, 'etcd'));
  const found = [...(ETCD === undefined ? [] : [ETCD]), fetched, ...installed].find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  return found === undefined ? null : resolve(found);
}

/**
 * Starts an etcd of so many nodes, on free ports of this machine.
 * @returns What hubs are to be told of it.
 */
export async function startEtcd(
  processes: Processes,
  program: string,
  nodes: number,
  ended: (name: string) => void,
): Promise<string> {
  const ports = await freePorts(2 * nodes);
  const members = Array.from({ length: nodes }, (_, number) => ({
    name: `etcd-${String(number + 1)}`,
    client: `http://127.0.0.1:${String(ports[2 * number])}`,
    peer: `http://127.0.0.1:${String(ports[2 * number + 1])}`,
  }));
  const cluster = members.map(({ name, peer }) => `${name}=${peer}`).join(',');
  for (const { name, client, peer } of members) {
    const args = {
      name,
      'data-dir': name,
      'log-level': 'warn',
      'listen-client-urls': client,
      'advertise-client-urls': client,
      'listen-peer-urls': peer,
      'initial-advertise-peer-urls': peer,
      'initial-cluster': cluster,
    };
    const flags = Object.entries(args).flatMap(([flag, value]) => [`--${flag}`, value]);
    processes.start(name, program, flags, {}, () => {
      ended(name);
    });
  }
  return members.map(({ client }) => client).join(',');
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolvePort, reject) => {
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            resolvePort(typeof address === 'object' && address !== null ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  return ports;
}
