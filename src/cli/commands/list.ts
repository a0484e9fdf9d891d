import { type Command, Option } from 'commander';
import { notes } from '../help/notes.js';
import { DiscoveryClient, type PublishedAdvertisement } from '../../client/node.js';
import { type FilterInput, parseFilter } from '../../protocol/filters/filter.js';
import { SORTS } from '../../protocol/filters/list-query.js';
import { relaxationsOf } from '../answers/relaxing.js';
import { writeNotice } from '../notice.js';
import { filterOf, type FilterFlags, positiveNumber, urlOption, withFilterFlags } from '../options.js';
import { toCsv } from '../tables/csv.js';
import {
  amountsOf,
  chosenColumns,
  describeColumns,
  type OutputFlags,
  withOutputFlags,
} from '../tables/output.js';
import { providerTable } from '../tables/provider-table.js';
import { coloursFor, printable, printableJson, widthOf } from '../terminal.js';

interface ListFlags extends FilterFlags, OutputFlags {
  url: string;
  sort?: (typeof SORTS)[number];
  limit?: number;
}

/** `--sort`, of lists and watches. */
export function sortOption(): Option {
  return new Option(
    '--sort <order>',
    'cheapest first, in US dollars or GLM, or latest heartbeat first; by id by default',
  ).choices(SORTS);
}

/** `discovery-hub list` */
export function addList(program: Command): void {
  withOutputFlags(
    withFilterFlags(program.command('list').description('show the providers that match'))
      .addOption(urlOption())
      .addOption(sortOption())
      .option('--limit <count>', 'show at most this many', positiveNumber),
    ['table', 'wide', 'json', 'csv', 'id'],
  )
    .addHelpText(
      'after',
      notes(`
Prices are for the amounts asked for with --cpu, --memory and --storage, 1 where not asked; the title says which.
On a narrow terminal ids are cut to what tells them apart, which "get" understands.

${describeColumns()}

Example:
  discovery-hub list --cpu 2 --memory 4 --storage 20 --country SE,NO --sort price --limit 10
  discovery-hub list --output csv --columns id,address,usd > providers.csv`),
    )
    .action(list);
}

async function list(flags: ListFlags): Promise<void> {
  const client = new DiscoveryClient(flags.url);
  const filter = filterOf(flags);
  const found = await client.find(filter, { sort: flags.sort, limit: flags.limit });
  const context = { amounts: amountsOf(flags), now: Date.now() + (client.clockOffsetMs ?? 0) };
  const columns = chosenColumns(flags, filter);
  const write = (text: string): boolean => process.stdout.write(`${text}\n`);
  switch (flags.output) {
    case 'json':
      write(printableJson(found, 2));
      return;
    case 'csv':
      write(toCsv(found, columns, context));
      return;
    case 'id':
      for (const { provider_id } of found) write(printable(provider_id));
      return;
    default:
      if (found.length === 0) {
        writeNotice(process.stderr, 'No provider matches.');
        const hint = await hintFor(client, filter);
        if (hint !== null) writeNotice(process.stderr, hint);
        return;
      }
      write(
        providerTable(found, {
          ...context,
          columns,
          width: flags.output === 'wide' ? null : widthOf(process.stdout),
          paint: suspectsYellow(found),
        }),
      );
  }
}

/** Which condition to relax. If that cannot be found out, the list alone will do. */
async function hintFor(client: DiscoveryClient, filter: FilterInput): Promise<string | null> {
  try {
    return relaxationsOf(await client.explain(filter), parseFilter(filter));
  } catch {
    return null;
  }
}

function suspectsYellow(found: readonly PublishedAdvertisement[]): (line: string, row: number) => string {
  const colours = coloursFor(process.stdout);
  return (line, row) => (found[row]?.status === 'suspect' ? colours.yellow(line) : line);
}
