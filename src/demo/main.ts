// `npm run demo`: a hub in memory with made-up providers, for whoever wants to see one alive.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { ConfigError, loadConfig } from '../config.js';
import { startHub } from '../server.js';
import { Fleet } from './fleet.js';

const USAGE = 'usage: npm run demo -- [--port <port>] [--providers <1 to 1000>]\n';
const MAX_PROVIDERS = 1000;

interface Options {
  port: string;
  providers: number;
}

function readOptions(): Options | null {
  try {
    const options = {
      port: { type: 'string', default: '7465' },
      providers: { type: 'string', default: '300' },
    } as const;
    const { port, providers } = parseArgs({ options }).values;
    const count = /^\d{1,4}$/.test(providers) ? Number(providers) : 0;
    return count < 1 || count > MAX_PROVIDERS ? null : { port, providers: count };
  } catch {
    return null;
  }
}

/** Nobody but this machine can reach it, nothing is kept, and nothing of what the user has set for hubs counts. */
function settings(port: string): NodeJS.ProcessEnv {
  return {
    DISCOVERY_HOST: '127.0.0.1',
    DISCOVERY_PORT: port,
    DISCOVERY_DB_URL: 'sqlite:///:memory:',
    DISCOVERY_DRAIN_SECONDS: '0',
    DISCOVERY_HUB_EVENTS: 'all',
    DISCOVERY_NOTICE: 'Demo: none of these providers exists, and only this machine can see them.',
    // All providers have one address.
    DISCOVERY_RATE_LIMIT_PER_MINUTE: '0',
  };
}

async function demonstrate({ port, providers }: Options): Promise<void> {
  const config = loadConfig(settings(port), join(tmpdir(), 'there-is-no-such.env'));
  const hub = await startHub(config, pino({ level: 'silent' }));
  const url = `http://127.0.0.1:${String(hub.port)}`;
  const fleet = new Fleet(url, providers, Math.random);
  const stop = (): void => {
    process.stdout.write('The demo is over; nothing of it is left.\n');
    void fleet
      .stop()
      .then(() => hub.stop())
      .then(() => process.exit(0));
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  process.stdout.write(`DEMO: ${String(providers)} made-up providers are coming …\n`);
  await fleet.start();
  fleet.live();
  process.stdout.write(
    `DEMO: open ${url} in a browser. None of these providers exists, and only this machine can see them. Ctrl-C ends it.\n`,
  );
}

const options = readOptions();
if (options === null) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  demonstrate(options).catch((error: unknown) => {
    const isUsage = error instanceof ConfigError;
    process.stderr.write(`The demo cannot start: ${(error as Error).message}\n${isUsage ? USAGE : ''}`);
    process.exit(1);
  });
}
