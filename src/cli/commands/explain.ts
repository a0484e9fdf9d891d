import type { Command } from 'commander';
import { notes } from '../help/notes.js';
import { DiscoveryClient, type ProviderExplanation } from '../../client/node.js';
import { type FilterInput, parseFilter } from '../../protocol/filters/filter.js';
import { conditionTable, missTable, nearestTable } from '../answers/explanation-tables.js';
import { relaxationsOf } from '../answers/relaxing.js';
import { counted } from '../answers/counted.js';
import { EXIT } from '../exit-codes.js';
import { writeNotice } from '../notice.js';
import { filterOf, type FilterFlags, urlOption, withFilterFlags } from '../options.js';
import { findProvider } from '../provider-lookup.js';
import { csvOf } from '../tables/csv.js';
import { type OutputFlags, withFormFlags } from '../tables/output.js';
import { printableJson, widthOf } from '../terminal.js';

interface ExplainFlags extends FilterFlags, OutputFlags {
  url: string;
}

/** `discovery-hub explain` */
export function addExplain(program: Command): void {
  withFormFlags(
    withFilterFlags(
      program
        .command('explain')
        .description('explain why a list contains what it does, or why one provider is not in it')
        .argument('[id]', 'explain this provider; its beginning is enough, or what a table shows'),
    ).addOption(urlOption()),
    ['table', 'json', 'csv'],
  )
    .addHelpText(
      'after',
      notes(`
Without an id: how many of all providers each condition rejects, how many it alone rejects, and who comes nearest. With
one: which conditions it misses, or its place among the matches by price.
Exit status: 0 explained, 2 several fit the id, 3 no such provider.

Example:
  discovery-hub explain --cpu 8 --country SE --max-usd 60
  discovery-hub explain 0133ad7a --cpu 8 --country SE`),
    )
    .action(explain);
}

async function explain(id: string | undefined, flags: ExplainFlags): Promise<void> {
  const client = new DiscoveryClient(flags.url);
  const filter = filterOf(flags);
  if (id === undefined) await explainAll(client, filter, flags);
  else await explainOne(client, filter, flags, id);
}

async function explainAll(client: DiscoveryClient, asked: FilterInput, flags: ExplainFlags): Promise<void> {
  const filter = parseFilter(asked);
  const explanation = await client.explain(filter);
  const { providers, matched, rejected_by: rejected, only_by: alone, nearest } = explanation;
  if (flags.output === 'json') {
    write(printableJson(explanation, 2));
    return;
  }
  if (flags.output === 'csv') {
    const lines = Object.entries(rejected).map(([member, count]) => [member, count, alone[member] ?? 0]);
    write(csvOf([['condition', 'rejected', 'alone'], ...lines]));
    return;
  }
  const width = widthOf(process.stdout);
  writeNotice(
    process.stdout,
    `${String(matched)} of ${counted(providers)} ${matched === 1 || providers === 1 ? 'matches' : 'match'}.`,
  );
  if (Object.keys(rejected).length > 0) write(`\n${conditionTable(explanation, filter, width)}`);
  if (nearest.length > 0) write(`\n${nearestTable(explanation, width)}`);
  const relaxations = relaxationsOf(explanation, filter);
  if (relaxations !== null) {
    write('');
    writeNotice(process.stdout, relaxations);
  }
}

async function explainOne(
  client: DiscoveryClient,
  filter: FilterInput,
  flags: ExplainFlags,
  id: string,
): Promise<void> {
  const found = await findProvider(client, id);
  const explanation = found === null ? null : await client.explainProvider(found.provider_id, filter);
  if (explanation === null) {
    process.stderr.write(`There is no advertisement of ${id} on ${flags.url}.\n`);
    process.exitCode = EXIT.notFound;
    return;
  }
  if (flags.output === 'json') {
    write(printableJson(explanation, 2));
    return;
  }
  if (flags.output === 'csv') {
    const lines = explanation.misses.map(({ member, asked, offered }) => [
      member,
      typeof asked === 'object' ? JSON.stringify(asked) : asked,
      offered,
    ]);
    write(csvOf([['condition', 'asked', 'offered'], ...lines]));
    return;
  }
  writeNotice(process.stdout, describe(explanation));
  if (!explanation.matches) write(`\n${missTable(explanation, widthOf(process.stdout))}`);
}

function describe({ provider_id: id, matches, misses, rank }: ProviderExplanation): string {
  if (matches) return `${id} matches: number ${String(rank.by_price)} of ${String(rank.of)} by price.`;
  const conditions = misses.length === 1 ? '1 condition' : `${String(misses.length)} conditions`;
  return `${id} misses ${conditions}; ${counted(rank.of)} ${rank.of === 1 ? 'matches' : 'match'}.`;
}

function write(text: string): void {
  process.stdout.write(`${text}\n`);
}
