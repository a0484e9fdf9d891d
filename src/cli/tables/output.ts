import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Amounts, FilterInput } from '../../client/node.js';
import { type FilterFlags, filterOf } from '../options.js';
import { type Column, type ColumnKey, COLUMNS, columnsOf, usualColumns } from './columns.js';

/** The output formats of providers. */
export type OutputForm = 'table' | 'wide' | 'json' | 'csv' | 'id';

/** Parsed flags of a command that shows providers. */
export interface OutputFlags {
  output?: OutputForm;
  json?: boolean;
  columns?: ColumnKey[];
  sort?: string;
}

/** The forms that need a word. */
const EXPLAINED: Partial<Record<OutputForm, string>> = {
  wide: 'a table with all columns, uncut',
  id: 'ids only',
};

/** Adds the flags for the output format. */
export function withFormFlags(command: Command, forms: readonly OutputForm[]): Command {
  return command
    .addOption(
      new Option(
        '-o, --output <form>',
        [
          'output format',
          ...forms.flatMap((form) => (EXPLAINED[form] === undefined ? [] : `${form}: ${EXPLAINED[form]}`)),
        ].join('; '),
      ).choices(forms),
    )
    .addOption(new Option('--json', 'the same as --output json').implies({ output: 'json' }));
}

/** Adds the flags for how providers are shown. */
export function withOutputFlags(command: Command, forms: readonly OutputForm[]): Command {
  return withFormFlags(command, forms).addOption(
    new Option('--columns <keys>', 'show these columns, in this order; see below').argParser(readColumns),
  );
}

/** The section of a command's help about columns. */
export function describeColumns(): string {
  const widest = Math.max(...COLUMNS.map(({ key }) => key.length));
  return `Columns:\n${COLUMNS.map(({ key, about }) => `  ${key.padEnd(widest)}  ${about}`).join('\n')}`;
}

function readColumns(text: string): ColumnKey[] {
  const known = COLUMNS.map(({ key }): string => key);
  const keys = text.split(',').map((key) => key.trim());
  const unknown = keys.find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(
      `There is no column ${JSON.stringify(unknown)}; there are ${known.join(', ')}.`,
    );
  }
  return [...new Set(keys)] as ColumnKey[];
}

/** The columns requested by flags. Filters and sorting in GLM add prices in GLM. */
export function chosenColumns({ output, columns, sort }: OutputFlags, filter: FilterInput): Column[] {
  if (columns !== undefined) return columnsOf(columns);
  const inGlm = sort === 'price_glm' || filter.max_glm_per_month !== undefined;
  return usualColumns(output === 'wide' || output === 'csv', inGlm ? ['glm'] : []);
}

/** The amounts that prices are for: as requested, else 1. */
export function amountsOf(flags: FilterFlags): Amounts {
  const { cpu = 1, memory = 1, storage = 1 } = filterOf(flags);
  return { cpu, memory, storage };
}
