import type { Command } from 'commander';
import { notes } from '../help/notes.js';
import { DiscoveryClient, type Visibility } from '../../client/node.js';
import { EXIT } from '../exit-codes.js';
import { describeAttributes, describeOffer, describePrice, describeSight } from '../provider/offer.js';
import { keyOption, urlOption } from '../options.js';
import { loadExistingSigner } from '../provider/existing-key.js';
import { type Standing, standingOf } from '../provider/standing.js';
import { readVisibility } from '../provider/visibility-file.js';
import { printable, printableJson } from '../terminal.js';

interface StatusFlags {
  url: string;
  key: string;
  id?: string;
  json?: boolean;
}

/** `discovery-hub status` */
export function addStatus(program: Command): void {
  program
    .command('status')
    .alias('id')
    .description('show your provider id, and what a hub shows of you')
    .addOption(urlOption())
    .addOption(keyOption())
    .option('--id <provider id>', 'a name bound to the Ed25519 key; by default the id of the key itself')
    .option('--json', 'print a JSON object')
    .addHelpText(
      'after',
      notes(
        '\nThe rank is that among the prices of your country for 1 core, 1 GB of memory and 1 GB of disk.\nExit status: 0 the hub lists you, 3 it does not.\n\nExample:\n  discovery-hub status --key provider.pem',
      ),
    )
    .action(status);
}

async function status(flags: StatusFlags): Promise<void> {
  const { providerId } = await loadExistingSigner(flags.key, flags.id);
  // Does not need the hub, which may be unreachable.
  if (flags.json !== true) print('provider', providerId);
  const standing = await standingOf(new DiscoveryClient(flags.url), providerId);
  const who = { url: flags.url, provider_id: providerId };
  const { hub, visibility } = readVisibility(flags.key, who, Date.now()) ?? { hub: null, visibility: null };
  if (flags.json === true) process.stdout.write(`${printableJson({ ...standing, hub, visibility }, 2)}\n`);
  else describe(standing, visibility, flags.url, hub);
  if (!standing.listed) process.exitCode = EXIT.notFound;
}

/** @param hub The hub that holds the session; null if unknown. */
function describe(
  { advertisement, price }: Standing,
  visibility: Visibility | null,
  url: string,
  hub: string | null,
): void {
  print('hub', url);
  if (hub !== null && hub !== url) print('session', `held by ${hub}`);
  if (advertisement === null) {
    print(
      'visible',
      'no: the hub has no advertisement from this provider; "discovery-hub advertise" offers a machine',
    );
    return;
  }
  const isLive = advertisement.status === 'live';
  print(
    'visible',
    isLive ? 'yes' : 'as suspect: its session is lost, and filters for live providers hide it',
  );
  print(
    'seen by',
    visibility === null
      ? 'not known here: only "advertise" with this key file is told'
      : describeSight(visibility),
  );
  print('since', advertisement.created_at);
  print('heartbeat', advertisement.updated_at);
  print('expires', `${advertisement.expires_at}, unless there is a heartbeat before`);
  print('offers', describeOffer(advertisement));
  const facts = describeAttributes(advertisement);
  if (facts !== null) print('attributes', facts);
  if (advertisement.name !== null) print('name', advertisement.name);
  print('price', describePrice(advertisement));
  const { country } = advertisement;
  if (price === null) {
    print('rank', `none: without all three prices in US dollars, filters by price hide it`);
  } else {
    print(
      'rank',
      `${String(price.rank)} of ${String(price.of)} with a price in ${country}; half of them ask at most ${price.p50.toFixed(2)}`,
    );
  }
}

function print(title: string, text: string): void {
  process.stdout.write(`${title.padEnd(11)}${printable(text)}\n`);
}
