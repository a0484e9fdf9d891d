import type { Command } from 'commander';
import { notes } from '../help/notes.js';
import { DiscoveryError, type Watch, watch, type WatchOptions } from '../../client/node.js';
import type { SORTS } from '../../protocol/filters/list-query.js';
import { filterOf, type FilterFlags, positiveNumber, urlOption, withFilterFlags } from '../options.js';
import { LiveTable } from '../tables/live-table.js';
import {
  amountsOf,
  chosenColumns,
  describeColumns,
  type OutputFlags,
  withOutputFlags,
} from '../tables/output.js';
import { Ranking } from '../tables/ranking.js';
import { printable, printableJson, untilStopped, widthOf } from '../terminal.js';
import { sortOption } from './list.js';

interface WatchFlags extends FilterFlags, OutputFlags {
  url: string;
  sort?: (typeof SORTS)[number];
  limit?: number;
}

/** `discovery-hub watch` */
export function addWatch(program: Command): void {
  withOutputFlags(
    withFilterFlags(
      program.command('watch').description('follow the providers that match, as they come, change and go'),
    )
      .addOption(urlOption())
      .addOption(sortOption())
      .option(
        '--limit <count>',
        'follow only the first matches, 1 to 100, in an order by price',
        positiveNumber,
      ),
    ['table', 'wide', 'json'],
  )
    .addHelpText(
      'after',
      notes(`
On a terminal it shows a table: new rows are marked +, changed ones ~, those that went -. In a pipe it writes one JSON
object a line, with the type added, updated or removed; with --limit, who is pushed out is removed as "outranked".

${describeColumns()}

Example:
  discovery-hub watch --cpu 4 --country DE --sort price --limit 10
  discovery-hub watch --cpu 4 --country DE | jq -r .advertisement.ip_address`),
    )
    .action(follow);
}

/** @throws DiscoveryError `USAGE` for a limit with an order that hubs do not support. */
function firstOf({ sort, limit }: WatchFlags): Pick<WatchOptions, 'sort' | 'limit'> {
  if (limit === undefined) return {};
  if (sort === 'price' || sort === 'price_glm') return { sort, limit };
  throw new DiscoveryError('USAGE', '--limit needs --sort price or --sort price_glm');
}

async function follow(flags: WatchFlags): Promise<void> {
  const options = { ...firstOf(flags), signal: untilStopped() };
  const matches = watch(flags.url, filterOf(flags), options);
  const ranking = new Ranking(flags.sort, amountsOf(flags));
  const form = flags.output ?? (process.stdout.isTTY ? 'table' : 'json');
  if (form === 'json') {
    tellTrouble(matches);
    await writeChanges(matches);
  } else {
    await showTable(matches, ranking, flags);
  }
}

async function showTable(matches: Watch, ranking: Ranking, flags: WatchFlags): Promise<void> {
  const table = new LiveTable(matches, ranking, {
    amounts: amountsOf(flags),
    columns: chosenColumns(flags, filterOf(flags)).map((column) =>
      // A watch is not told of heartbeats alone, so this is the best it knows.
      column.key === 'seen' ? { ...column, title: 'CHANGED' } : column,
    ),
    limit: flags.limit ?? null,
    width: () => (flags.output === 'wide' ? null : (widthOf(process.stdout) ?? 80)),
  });
  try {
    for await (const change of matches) table.note(change);
  } finally {
    table.end();
  }
}

function tellTrouble(matches: Watch): void {
  matches.on('state', ({ state, error, retryInMs }) => {
    if (state !== 'waiting') return;
    const pause = retryInMs === null ? '' : `; next try in ${(retryInMs / 1000).toFixed(1)} s`;
    process.stderr.write(`${printable(error?.message ?? 'the connection was lost')}${pause}\n`);
  });
}

async function writeChanges(matches: Watch): Promise<void> {
  for await (const change of matches) process.stdout.write(`${printableJson(change)}\n`);
}
