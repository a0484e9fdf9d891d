import { type Command, Option } from 'commander';
import { DiscoveryClient } from '../../client/node.js';
import { SORTS } from '../../protocol/filters/list-query.js';
import {
  amountsOf,
  filterOf,
  type FilterFlags,
  urlOption,
  wholeNumber,
  withFilterFlags,
} from '../options.js';
import { providerTable } from '../provider-table.js';
import { coloursFor, printableJson, widthOf } from '../terminal.js';

interface ListFlags extends FilterFlags {
  url: string;
  sort?: (typeof SORTS)[number];
  limit?: number;
  json?: boolean;
}

/** `discovery-hub list` */
export function addList(program: Command): void {
  withFilterFlags(program.command('list').description('show the providers that match'))
    .addOption(urlOption())
    .addOption(
      new Option('--sort <order>', 'cheapest, in US dollars or GLM, or latest heard from, first').choices(
        SORTS,
      ),
    )
    .option('--limit <count>', 'show at most so many', wholeNumber)
    .option('--json', 'print a JSON array')
    .addHelpText(
      'after',
      '\nWith amounts (--cpu, --memory, --storage) the table shows what they cost a month.\n\nExample:\n  discovery-hub list --cpu 2 --memory 4 --storage 20 --country SE,NO --sort price --limit 10',
    )
    .action(list);
}

async function list(flags: ListFlags): Promise<void> {
  const { sort, limit } = flags;
  const found = await new DiscoveryClient(flags.url).find(filterOf(flags), { sort, limit });
  if (flags.json === true) {
    process.stdout.write(`${printableJson(found, 2)}\n`);
    return;
  }
  if (found.length === 0) {
    process.stderr.write('No provider matches.\n');
    return;
  }
  const colours = coloursFor(process.stdout);
  const table = providerTable(found, {
    width: widthOf(process.stdout),
    amounts: amountsOf(flags),
    now: Date.now(),
    paint: (cell, row) => (found[row]?.status === 'suspect' ? colours.yellow(cell) : cell),
  });
  process.stdout.write(`${table}\n`);
}
