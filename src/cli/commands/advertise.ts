import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Command, Option } from 'commander';
import { notes } from '../help/notes.js';
import { prepareAdvertisement } from '../../client/content.js';
import {
  type AdvertisementInput,
  type CodecName,
  DiscoveryError,
  loadOrCreateSigner,
  ProviderSession,
} from '../../client/node.js';
import {
  type AdvertisementFlags,
  buildAdvertisement,
  withAdvertisementFlags,
} from '../provider/advertisement-flags.js';
import { findHardware, NO_HARDWARE } from '../provider/hardware.js';
import { exitCodeOf } from '../exit-codes.js';
import { writeNotice } from '../notice.js';
import { describeAttributes, warningsAbout } from '../provider/offer.js';
import { keyOption, urlOption } from '../options.js';
import { ServiceManager } from '../provider/service-manager.js';
import { SessionReport } from '../provider/session-report.js';
import { clearVisibility, leaveVisibility } from '../provider/visibility-file.js';
import { askForVisibility } from '../provider/visibility-questions.js';
import { coloursFor, untilStopped } from '../terminal.js';
import type { Advertisement } from '../../protocol/advertisement.js';

/** How often to measure the machine again, in milliseconds, because its free disk space changes. */
const MEASURE_MS = 10 * 60_000;

interface AdvertiseFlags extends AdvertisementFlags {
  url: string;
  key: string;
  id?: string;
  codec: CodecName;
  notify?: boolean;
  withdrawOnExit?: boolean;
  /** The earlier name of `withdrawOnExit`. */
  withdrawOnStop?: boolean;
}

/** `discovery-hub advertise` */
export function addAdvertise(program: Command): void {
  withAdvertisementFlags(
    program.command('advertise').description('offer this machine, for as long as this command runs'),
  )
    .addOption(urlOption())
    .addOption(keyOption())
    .option('--id <provider id>', 'a name bound to the Ed25519 key; by default the id of the key itself')
    .addOption(new Option('--codec <form>', 'the wire form').choices(['json', 'msgpack']).default('json'))
    .option('--notify', 'tell systemd when the machine is advertised (Type=notify, NotifyAccess=all)')
    .option('--withdraw-on-exit', 'take the advertisement away when stopped, instead of letting it expire')
    .addOption(new Option('--withdraw-on-stop').hideHelp())
    .addHelpText(
      'after',
      notes(
        '\nAn Ed25519 key is made when there is none. The models of processor and GPUs (found by nvidia-smi) and the number of GPUs are\nadvertised too, and shown before; --no-detect leaves them out. The command reconnects for ever; it ends when it is stopped, when another session\nof the same provider takes over, or when the hub refuses the machine or what it offers.\nExit status: 0 stopped, 1 refused by the hub, 2 an offer that no hub would take, 5 another session has taken over.\n\nExample:\n  discovery-hub advertise --country SE --usd-per-core 5 --usd-per-gb-ram 2 --usd-per-gb-storage 0.1',
      ),
    )
    .action(advertise);
}

async function advertise(flags: AdvertiseFlags): Promise<void> {
  const hardware = flags.detect ? await findHardware() : NO_HARDWARE;
  const source = (): AdvertisementInput => buildAdvertisement(flags, hardware);
  const { said, content } = checkOffer(source);
  const facts = describeAttributes(content);
  if (facts !== null) writeNotice(process.stdout, `Will publish: ${facts}.`);
  for (const warning of warningsAbout(said, content)) {
    writeNotice(process.stderr, `Warning: ${warning}`, coloursFor(process.stderr).yellow);
  }
  mkdirSync(dirname(flags.key), { recursive: true, mode: 0o700 });
  const isNew = !existsSync(flags.key);
  const key = await loadOrCreateSigner(flags.key, flags.id);
  if (isNew) writeNotice(process.stdout, `Created a new key in ${flags.key}.`);
  const session = new ProviderSession(flags.url, {
    key,
    advertisement: source,
    codec: flags.codec,
  });
  const report = new SessionReport(session);
  const manager = flags.notify === true ? new ServiceManager() : null;
  session.on('published', () => {
    manager?.ready(`live on ${session.hub}`);
  });
  for (const event of ['state', 'published', 'withdrawn', 'problem'] as const) {
    session.on(event, () => {
      manager?.status(report.summary);
    });
  }

  const stopAsking = askForVisibility(session, (visibility) => {
    report.see(visibility);
    const { providerId, hub } = session;
    leaveVisibility(flags.key, { url: flags.url, hub, provider_id: providerId, at: Date.now(), visibility });
  });
  const measuring = setInterval(() => {
    // Failures are reported as problems, and the old advertisement stays.
    session.refresh().catch(() => undefined);
  }, MEASURE_MS);
  session.on('withdrawn', () => {
    // Publishing the measurement would undo the withdrawal.
    clearInterval(measuring);
  });
  const ended = new Promise<void>((resolve) => {
    session.on('state', ({ state }) => {
      if (state === 'replaced' || state === 'refused' || state === 'stopped') resolve();
    });
  });
  let stopping = Promise.resolve('');
  const stopped = untilStopped();
  stopped.addEventListener('abort', () => {
    stopping = stop(session, flags.withdrawOnExit === true || flags.withdrawOnStop === true);
  });
  session.start();
  await ended;
  const farewell = await stopping;
  clearInterval(measuring);
  stopAsking();
  if (session.state !== 'replaced') clearVisibility(flags.key);
  manager?.stopping();
  report.end();
  if (farewell !== '') writeNotice(process.stdout, farewell);
  if (session.state === 'replaced') {
    writeNotice(
      process.stderr,
      'If this is another machine with a copy of the key, give it a key of its own: discovery-hub keygen --key <file>',
    );
  }
  if (session.error !== null) process.exitCode = exitCodeOf(session.error);
}

/**
 * Checks the offer before a hub is contacted.
 * @throws DiscoveryError `USAGE` for one that no hub would take, or that cannot be put together.
 */
function checkOffer(source: () => AdvertisementInput): { said: AdvertisementInput; content: Advertisement } {
  try {
    const said = source();
    return { said, content: prepareAdvertisement(said).content };
  } catch (error) {
    throw new DiscoveryError('USAGE', (error as Error).message, { cause: error });
  }
}

/**
 * Ends the session.
 * @returns What will happen to the advertisement on the hub; empty if it is not listed there.
 */
async function stop(session: ProviderSession, withdraws: boolean): Promise<string> {
  // An unresponsive hub must not keep the command from exiting.
  if (withdraws && session.state === 'live') await session.withdraw().catch(() => undefined);
  const { advertisement } = session;
  await session.stop();
  if (advertisement === null) return '';
  const minutes = (Date.parse(advertisement.expires_at) - Date.parse(advertisement.updated_at)) / 60_000;
  const fate = `stays listed, as suspect, for up to ${String(Number(minutes.toFixed(1)))} minutes`;
  return withdraws
    ? `The hub could not be told to withdraw this machine, which ${fate}.`
    : `This machine ${fate}; with --withdraw-on-exit it is taken away at once.`;
}
