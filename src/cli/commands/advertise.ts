import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Command, Option } from 'commander';
import { type CodecName, loadOrCreateSigner, ProviderSession } from '../../client/node.js';
import {
  type AdvertisementFlags,
  buildAdvertisement,
  withAdvertisementFlags,
} from '../advertisement-flags.js';
import { exitCodeOf } from '../exit-codes.js';
import { keyOption, urlOption } from '../options.js';
import { ServiceManager } from '../service-manager.js';
import { SessionReport } from '../session-report.js';
import { untilStopped } from '../terminal.js';

/** How often the machine is measured again, in milliseconds: its disk fills and empties. */
const MEASURE_MS = 10 * 60_000;

interface AdvertiseFlags extends AdvertisementFlags {
  url: string;
  key: string;
  id?: string;
  codec: CodecName;
  notify?: boolean;
  withdrawOnStop?: boolean;
}

/** `discovery-hub advertise` */
export function addAdvertise(program: Command): void {
  withAdvertisementFlags(
    program.command('advertise').description('offer this machine, for as long as this command runs'),
  )
    .addOption(urlOption())
    .addOption(keyOption())
    .option('--id <provider id>', 'a name that an Ed25519 key owns; what the key says itself unless given')
    .addOption(new Option('--codec <form>', 'the wire form').choices(['json', 'msgpack']).default('json'))
    .option('--notify', 'tell systemd when the machine is advertised (Type=notify, NotifyAccess=all)')
    .option('--withdraw-on-stop', 'take the advertisement back when stopped, instead of letting it expire')
    .addHelpText(
      'after',
      '\nAn Ed25519 key is made when there is none. The command reconnects for ever; it ends when it is stopped, when another session\nof the same provider takes over, or when the hub refuses it.\n\nExample:\n  discovery-hub advertise --country SE --usd-per-core 5 --usd-per-gb-ram 2 --usd-per-gb-storage 0.1',
    )
    .action(advertise);
}

async function advertise(flags: AdvertiseFlags): Promise<void> {
  const source = (): ReturnType<typeof buildAdvertisement> => buildAdvertisement(flags);
  source();
  mkdirSync(dirname(flags.key), { recursive: true, mode: 0o700 });
  const session = new ProviderSession(flags.url, {
    key: await loadOrCreateSigner(flags.key, flags.id),
    advertisement: source,
    codec: flags.codec,
  });
  const report = new SessionReport(session, flags.url);
  const manager = flags.notify === true ? new ServiceManager() : null;
  session.on('published', () => {
    manager?.ready(`live on ${flags.url}`);
  });
  session.on('state', ({ state, error }) => {
    manager?.status(error === null ? state : `${state}: ${error.message}`);
  });

  const measuring = setInterval(() => {
    // What goes wrong is reported as a problem, and the old advertisement stays.
    session.refresh().catch(() => undefined);
  }, MEASURE_MS);
  const ended = new Promise<void>((resolve) => {
    session.on('state', ({ state }) => {
      if (state === 'replaced' || state === 'refused' || state === 'stopped') resolve();
    });
  });
  const stopped = untilStopped();
  stopped.addEventListener('abort', () => {
    void stop(session, flags.withdrawOnStop === true);
  });
  session.start();
  await ended;
  clearInterval(measuring);
  manager?.stopping();
  report.end();
  if (session.error !== null) process.exitCode = exitCodeOf(session.error);
}

async function stop(session: ProviderSession, withdraws: boolean): Promise<void> {
  // A hub that does not answer any more must not keep the command from ending.
  if (withdraws && session.state === 'live') await session.withdraw().catch(() => undefined);
  await session.stop();
}
