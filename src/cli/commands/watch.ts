import type { Command } from 'commander';
import { type Watch, watch } from '../../client/node.js';
import { LiveTable } from '../live-table.js';
import { amountsOf, filterOf, type FilterFlags, urlOption, withFilterFlags } from '../options.js';
import { printable, printableJson, untilStopped } from '../terminal.js';

interface WatchFlags extends FilterFlags {
  url: string;
}

/** `discovery-hub watch` */
export function addWatch(program: Command): void {
  withFilterFlags(
    program.command('watch').description('follow the providers that match, as they come, change and go'),
  )
    .addOption(urlOption())
    .addHelpText(
      'after',
      '\nOn a terminal it shows a table: new rows are marked +, changed ones ~, those that went -. In a pipe it writes one JSON object a line.\n\nExample:\n  discovery-hub watch --cpu 4 --country DE | jq -r .advertisement.ip_address',
    )
    .action(follow);
}

async function follow(flags: WatchFlags): Promise<void> {
  const matches = watch(flags.url, filterOf(flags), { signal: untilStopped() });
  if (process.stdout.isTTY) await showTable(matches, flags);
  else await writeLines(matches);
}

async function showTable(matches: Watch, flags: WatchFlags): Promise<void> {
  const table = new LiveTable(flags.url, matches, amountsOf(flags));
  try {
    for await (const change of matches) table.note(change);
  } finally {
    table.end();
  }
}

async function writeLines(matches: Watch): Promise<void> {
  matches.on('state', ({ state, error, retryInMs }) => {
    if (state !== 'waiting') return;
    const pause = retryInMs === null ? '' : `; next try in ${(retryInMs / 1000).toFixed(1)} s`;
    process.stderr.write(`${printable(error?.message ?? 'the connection was lost')}${pause}\n`);
  });
  for await (const change of matches) process.stdout.write(`${printableJson(change)}\n`);
}
