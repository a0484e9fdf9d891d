import { createRequire } from 'node:module';
import type { Command } from 'commander';
import { notes } from '../help/notes.js';
import { type Config, ConfigError, loadConfig, openSources } from '../../config.js';
import { SETTING_NAMES, SETTINGS } from '../../settings.js';
import { TlsError } from '../../gateway/transports/tls.js';
import { EXIT } from '../exit-codes.js';
import { onHangup } from '../hub/hangup.js';
import { type HubFlags, settingsOf, withHubFlags } from '../hub/hub-flags.js';
import { transportNotice } from '../hub/transport-notice.js';

/** `discovery-hub serve`, also what runs without any command. */
export function addServe(program: Command): void {
  withHubFlags(program.command('serve'))
    .description('run the hub; its settings are environment variables (DISCOVERY_…) or lines of .env')
    .addHelpText(
      'after',
      notes(
        `\nSettings:\n${describeSettings()}\n\nExample:\n  DISCOVERY_PORT=8080 discovery-hub serve\n  discovery-hub serve --port 8080 --db /var/lib/discovery/hub.db\n  discovery-hub config --check`,
      ),
    )
    .action(serve);
}

function describeSettings(): string {
  return Object.entries(SETTINGS)
    .map(
      ([name, { fallback, about }]) =>
        `  DISCOVERY_${name} (${fallback === '' ? 'empty' : fallback})\n      ${about}`,
    )
    .join('\n');
}

const { version: VERSION } = createRequire(import.meta.url)('vm-discovery-hub/package.json') as {
  version: string;
};

/** The URL to open in a browser on this machine; for a hub that listens on all addresses, that of `localhost`. */
function urlOf({ host, tls }: Config, port: number): string {
  const name = ['0.0.0.0', '::', ''].includes(host) ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `${tls === null ? 'http' : 'https'}://${name}:${String(port)}`;
}

/** Warn if there is room for fewer connections. */
const FEW_CONNECTIONS = 900;

/** Runs a hub until SIGTERM or SIGINT. A second signal stops it at once. */
async function serve(options: HubFlags): Promise<void> {
  // Before anything slow: the first process of a container only receives signals that it handles.
  let onStop = (_signal: NodeJS.Signals): void => {
    process.stderr.write('stopped before the start was complete\n');
    process.exit(0);
  };
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, (signal) => {
      onStop(signal);
    });
  }
  let config: Config;
  try {
    config = loadConfig(process.env, '.env', settingsOf(options));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`The hub cannot start, a setting has to be changed:\n${error.message}\n`);
    process.exitCode = EXIT.config;
    return;
  }
  // Loaded here, so that other commands do not load what only a hub needs.
  const [{ createLog }, { startHub }] = await Promise.all([
    import('../../log.js'),
    import('../../server.js'),
  ]);
  const log = createLog(config.debug);
  for (const warning of openSources(process.env).warnings(SETTING_NAMES)) log.warn(warning);
  if (config.heartbeatMs * 2.5 > config.expiryMs) {
    log.warn(
      'advertisements expire before a missed heartbeat is noticed; raise the expiry or lower the heartbeat interval',
    );
  }
  try {
    const started = startHub(config, log);
    onHangup(started, config.tls, log);
    const hub = await started;
    const { connections } = hub.capacity;
    const database = config.database.kind === 'file' ? config.database.path : 'memory';
    log.info(
      { host: config.host, port: hub.port, transport: hub.transport, database, connections },
      `the hub is listening: ${urlOf(config, hub.port)} (version ${VERSION}, described at ${urlOf(config, hub.port)}/docs)`,
    );
    const notice = transportNotice(config.transport, hub.transport, process.versions.node);
    if (notice !== null) log.info(notice);
    if (connections < FEW_CONNECTIONS) {
      log.warn(
        `there is room for only ${String(connections)} connections; raise the limit on open files (ulimit -n, LimitNOFILE)`,
      );
    }
    let stopping = false;
    onStop = (signal) => {
      if (stopping) endAtOnce();
      stopping = true;
      log.info(
        { signal, connections: hub.gateway.connections, drainSeconds: config.drainMs / 1000 },
        'stopping; a second signal stops at once',
      );
      hub.stop().then(
        () => {
          log.info('stopped');
          process.exit(0);
        },
        (error: unknown) => {
          log.fatal({ err: error }, 'could not stop cleanly');
          endAtOnce();
        },
      );
    };
  } catch (error) {
    log.fatal((error as Error).message);
    process.exitCode = error instanceof TlsError ? EXIT.config : EXIT.failed;
  }
}

/** `process.exit` would wait for all threads, including one that is blocked on a hanging disk. */
function endAtOnce(): void {
  process.kill(process.pid, 'SIGKILL');
}
