import { type Command, InvalidArgumentError, Option } from 'commander';
import { notes } from '../help/notes.js';
import { DiscoveryClient, type MarketKey } from '../../client/node.js';
import { isMarketKey } from '../../protocol/filters/answer-queries.js';
import { marketRecords, marketTable } from '../answers/market-table.js';
import { filterOf, type FilterFlags, urlOption, withFilterFlags } from '../options.js';
import { csvOf } from '../tables/csv.js';
import { amountsOf, type OutputFlags, withFormFlags } from '../tables/output.js';
import { printableJson, widthOf } from '../terminal.js';

interface MarketFlags extends FilterFlags, OutputFlags {
  url: string;
  by?: MarketKey;
}

/** `discovery-hub market` */
export function addMarket(program: Command): void {
  withFormFlags(
    withFilterFlags(
      program.command('market').description('sum up supply and prices of the matching providers'),
    )
      .addOption(urlOption())
      .addOption(
        new Option(
          '--by <key>',
          'a line for each country, platform, or value of an attribute: attr.<name>',
        ).argParser(readKey),
      ),
    ['table', 'json', 'csv'],
  )
    .addHelpText(
      'after',
      notes(`
Prices are US dollars a month for the amounts asked for with --cpu, --memory and --storage, 1 where not asked; the title
says which. A quarter of those with prices ask at most what 25% shows, half of them at most the median. At most 100 lines
are shown, those with most providers.

Example:
  discovery-hub market --by country --cpu 4 --memory 8
  discovery-hub market --by attr.gpu_model --gpu 1`),
    )
    .action(market);
}

function readKey(text: string): MarketKey {
  if (isMarketKey(text)) return text;
  throw new InvalidArgumentError('It has to be country, platform or attr.<name>, e.g. attr.gpu_model.');
}

async function market(flags: MarketFlags): Promise<void> {
  const by = flags.by ?? null;
  const found = await new DiscoveryClient(flags.url).market(filterOf(flags), { by: flags.by });
  const write = (text: string): boolean => process.stdout.write(`${text}\n`);
  if (flags.output === 'json') write(printableJson(found, 2));
  else if (flags.output === 'csv') write(csvOf(marketRecords(found)));
  else if (found.total.providers === 0) process.stderr.write('No provider matches.\n');
  else write(marketTable(found, by, amountsOf(flags), widthOf(process.stdout)));
}
