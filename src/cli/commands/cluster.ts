import type { Command } from 'commander';
import { DiscoveryError } from '../../client/node.js';
import { type Config, ConfigError, loadConfig } from '../../config.js';
import type { EtcdClient } from '../../registry/etcd/client/client.js';
import type { SharedLogSettings } from '../../registry/etcd/settings.js';
import { EXIT } from '../exit-codes.js';
import { notes } from '../help/notes.js';
import { clusterTables, clusterTroubles } from '../hub/cluster-tables.js';
import { type HubFlags, settingsOf } from '../hub/hub-flags.js';
import { askHubs } from '../hub/running-hubs.js';
import { writeNotice } from '../notice.js';
import { coloursFor, printable, printableJson, widthOf } from '../terminal.js';

interface ClusterFlags {
  hubs?: string;
  json?: boolean;
}

/** `discovery-hub cluster`, for operators of several hubs that act as one. */
export function addCluster(program: Command): void {
  const cluster = program
    .command('cluster')
    .description('show the hubs that share a store, and the state of the store')
    .option(
      '--hubs <urls>',
      'also ask these hubs how far they have followed the store: URLs, comma-separated',
    )
    .option('--json', 'print a JSON object')
    .addHelpText(
      'after',
      notes(
        `\nThe store is that of the settings DISCOVERY_ETCD_…, from the environment or .env, as the hubs have them. Nothing is changed.
BEHIND counts changes that a node, or a hub, had not seen yet when it was asked.
Exit status: 0 all is well, 1 something has to be done, 4 the store could not be reached, 78 the settings name none.

Example:
  discovery-hub cluster --hubs http://10.0.0.1:7465,http://10.0.0.2:7465`,
      ),
    )
    .action(showCluster);
  cluster
    .command('import')
    .description("import a hub's file into an empty store, before several hubs start on it")
    .option('--db <file>', 'the file; overrides DISCOVERY_DB_URL')
    .addHelpText(
      'after',
      notes(
        `\nStop the hub, import, and start the hubs with DISCOVERY_ETCD_…; the file stays as it was. Providers come back as suspect, as after
a restart. Per-address counts are not imported. An interrupted import continues where it was when you run it again.
Do not start a hub before it is complete: it would see only part of the data.

Example:
  DISCOVERY_ETCD_ENDPOINTS=http://etcd-1:2379 discovery-hub cluster import --db /var/lib/discovery-hub/discovery.db`,
      ),
    )
    .action(importFile);
}

async function showCluster(flags: ClusterFlags): Promise<void> {
  const config = configOf({});
  if (config === null) return;
  const asked = await askHubs((flags.hubs ?? '').split(',').flatMap((url) => url.trim() || []));
  const { readOverview } = await import('../../registry/etcd/overview.js');
  const overview = await withStore(config.store, (client, settings) => readOverview(client, settings));
  const troubles = clusterTroubles(overview, asked);
  if (flags.json === true) {
    process.stdout.write(`${printableJson({ ...overview, asked, troubles }, 2)}\n`);
  } else {
    process.stdout.write(`${clusterTables(overview, asked, widthOf(process.stdout))}\n`);
    const { yellow } = coloursFor(process.stderr);
    for (const trouble of troubles) process.stderr.write(`${yellow(printable(trouble))}\n`);
  }
  if (troubles.length > 0) process.exitCode = EXIT.failed;
}

async function importFile(flags: Pick<HubFlags, 'db'>): Promise<void> {
  const config = configOf(flags);
  if (config === null) return;
  const { database, expiryMs } = config;
  if (database.kind === 'memory')
    throw new DiscoveryError('USAGE', 'there is no file to import: name it with --db');
  const [{ KeptProviders }, { Import }] = await Promise.all([
    import('../../registry/mirror/reading/kept-providers.js'),
    import('../../registry/etcd/import.js'),
  ]);
  const file = new KeptProviders(database.path);
  try {
    await withStore(config.store, async (client, { prefix }) => {
      const begun = await Import.begin(client, prefix, file);
      const all = file.count('');
      let done = all - begun.left;
      if (done > 0)
        writeNotice(process.stdout, `Going on behind ${String(done)} of ${String(all)} providers.`);
      const report = new Progress(all);
      const isCurrent = ({ updatedAt }: { updatedAt: number }): boolean => updatedAt + expiryMs > Date.now();
      await begun.run(isCurrent, (written) => {
        done += written;
        report.note(done);
      });
      report.end();
      const what = `Imported what ${database.path} knows of ${String(all)} providers.`;
      writeNotice(process.stdout, `${what} The hubs may be started now.`);
    });
  } finally {
    file.close();
  }
}

/** Reports the progress of an import: a line that is updated on a terminal, or occasional lines in a pipe. */
class Progress {
  readonly #all: number;
  #toldAt = performance.now();

  constructor(all: number) {
    this.#all = all;
  }

  note(done: number): void {
    const now = performance.now();
    const { isTTY } = process.stdout;
    if (now - this.#toldAt < (isTTY ? 100 : 5000)) return;
    this.#toldAt = now;
    process.stdout.write(`${isTTY ? '\r' : ''}${String(done)} of ${String(this.#all)}${isTTY ? '' : '\n'}`);
  }

  end(): void {
    if (process.stdout.isTTY) process.stdout.write('\r');
  }
}

/** The settings, which must name a store; prints the problem and returns null if a hub could not start with them. */
function configOf(flags: HubFlags): (Config & { store: SharedLogSettings }) | null {
  let problem: string;
  try {
    const config = loadConfig(process.env, '.env', settingsOf(flags));
    if (config.store !== null) return { ...config, store: config.store };
    problem =
      'DISCOVERY_ETCD_ENDPOINTS is not set, so there is no store that hubs share: set it as the hubs have it';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problem = error.message;
  }
  process.stderr.write(`${printable(problem)}\n`);
  process.exitCode = EXIT.config;
  return null;
}

/** @throws DiscoveryError `NETWORK` if the store does not answer. */
async function withStore<Result>(
  settings: SharedLogSettings,
  use: (client: EtcdClient, settings: SharedLogSettings) => Promise<Result>,
): Promise<Result> {
  const [{ EtcdClient: Client }, { EtcdError }] = await Promise.all([
    import('../../registry/etcd/client/client.js'),
    import('../../registry/etcd/client/endpoint.js'),
  ]);
  const client = await Client.open(settings);
  try {
    return await use(client, settings);
  } catch (error) {
    if (!(error instanceof EtcdError)) throw error;
    throw new DiscoveryError('NETWORK', `the store cannot be used: ${error.message}`, { cause: error });
  } finally {
    client.close();
  }
}
