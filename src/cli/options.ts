import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Amounts, FilterInput } from '../client/node.js';
import { CONDITION_NAMES, type ConditionKind, CONDITIONS } from '../protocol/filters/conditions.js';

/** Where a key is kept unless told otherwise. */
export const DEFAULT_KEY_FILE = join(homedir(), '.config', 'discovery-hub', 'key.pem');

/** `--url`, or the environment's `DISCOVERY_URL`. */
export function urlOption(): Option {
  return new Option('--url <url>', 'the hub').env('DISCOVERY_URL').default('http://localhost:7465');
}

/** `--key`, or the environment's `DISCOVERY_KEY`. */
export function keyOption(): Option {
  return new Option('--key <file>', 'the key file: PEM, hex, or JSON of the first generation')
    .env('DISCOVERY_KEY')
    .default(DEFAULT_KEY_FILE);
}

/** Reads a whole number; its bounds are the hub's to check. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It has to be a whole number.');
  return Number(text);
}

/** Reads a decimal number of at least 0. */
export function decimalNumber(text: string): number {
  if (!/^\d{1,15}(\.\d+)?$/.test(text))
    throw new InvalidArgumentError('It has to be a number of at least 0.');
  return Number(text);
}

/** Collects an option that may be given several times, or with commas. */
function collect(text: string, earlier: unknown): string[] {
  return [...((earlier ?? []) as string[]), ...text.split(',').map((part) => part.trim())];
}

/** What the flags of a command with filters are parsed into, by commander's names. */
export type FilterFlags = Readonly<Record<string, unknown>>;

/** How the value of a flag is read; undefined for a flag without one. */
const READERS: Readonly<Record<ConditionKind, ((text: string, earlier: unknown) => unknown) | undefined>> = {
  'at-least': wholeNumber,
  'one-of': collect,
  'none-of': collect,
  'not-these': collect,
  'at-most': decimalNumber,
  only: undefined,
};

const FLAGS = CONDITION_NAMES.map((name) => {
  const { kind, flag } = CONDITIONS[name];
  const option = new Option(flag.form, flag.help);
  return { name, option, key: option.attributeName(), reader: READERS[kind] };
});

/** Adds the filters as flags. */
export function withFilterFlags(command: Command): Command {
  for (const { option, reader } of FLAGS) {
    const own = new Option(option.flags, option.description);
    command.addOption(reader === undefined ? own : own.argParser<unknown>(reader));
  }
  return command;
}

/** The filter that flags ask for. */
export function filterOf(flags: FilterFlags): FilterInput {
  return Object.fromEntries(
    FLAGS.flatMap(({ name, key }) => {
      const said = flags[key];
      if (said === undefined) return [];
      const condition = CONDITIONS[name];
      return [[name, condition.kind === 'only' ? condition.value : said]];
    }),
  );
}

/** The amounts that an estimate is for; null when none were asked for. */
export function amountsOf(flags: FilterFlags): Amounts | null {
  const { cpu, memory, storage } = filterOf(flags);
  if (cpu === undefined && memory === undefined && storage === undefined) return null;
  return { cpu: cpu ?? 1, memory: memory ?? 1, storage: storage ?? 1 };
}
