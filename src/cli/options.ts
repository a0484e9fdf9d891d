import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { collectAttribute } from './attribute-flag.js';
import type { FilterInput } from '../client/node.js';
import {
  CONDITION_NAMES,
  type ConditionKind,
  type ConditionName,
  CONDITIONS,
} from '../protocol/filters/conditions.js';
import { configFolder } from './contexts.js';

/** The default key file. */
export const DEFAULT_KEY_FILE = join(configFolder(), 'key.pem');

/** `--url`, with a fallback from `applyClientSettings`. */
export function urlOption(): Option {
  return new Option('--url <url>', 'the hub, or several that are one, comma-separated')
    .env('DISCOVERY_URL')
    .default('http://localhost:7465');
}

/** `--key`, with a fallback from `applyClientSettings`. */
export function keyOption(): Option {
  return new Option('--key <file>', 'the key file: PEM, hex, or JSON of the first generation')
    .env('DISCOVERY_KEY')
    .default(DEFAULT_KEY_FILE, '$XDG_CONFIG_HOME/discovery-hub/key.pem');
}

/** Parses a whole number; the hub checks its bounds. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It has to be a whole number.');
  return Number(text);
}

/** Parses a whole number of at least 1. */
export function positiveNumber(text: string): number {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError('It has to be at least 1.');
  return value;
}

/** Parses a decimal number of at least 0. */
export function decimalNumber(text: string): number {
  if (!/^\d{1,15}(\.\d+)?$/.test(text))
    throw new InvalidArgumentError('It has to be a number of at least 0.');
  return Number(text);
}

/** Collects an option that may be repeated or comma-separated. */
function collect(text: string, earlier: unknown): string[] {
  return [...((earlier ?? []) as string[]), ...text.split(',').map((part) => part.trim())];
}

/** Parses `gpu=2`; may be repeated. */
export function collectLeast(text: string, earlier: unknown): Record<string, number> {
  const [name, amount, ...rest] = text.split('=');
  if (name === undefined || amount === undefined || rest.length > 0)
    throw new InvalidArgumentError('It has to be name=amount, e.g. gpu=2.');
  return { ...(earlier as Record<string, number> | undefined), [name]: wholeNumber(amount) };
}

/** The parsed flags of a command with filters, by commander's names. */
export type FilterFlags = Readonly<Record<string, unknown>>;

/** Parses the text of a flag; `earlier` is its previous value. */
type Reader = (text: string, earlier: unknown) => unknown;

/** The parser of a flag's value; undefined for a flag without one. */
const READERS: Readonly<Record<ConditionKind, Reader | undefined>> = {
  'at-least': wholeNumber,
  'one-of': collect,
  'none-of': collect,
  'not-these': collect,
  'at-most': decimalNumber,
  only: undefined,
  'further-resources': collectLeast,
  attributes: collectAttribute,
};

const FLAGS = CONDITION_NAMES.map((name) => {
  const { kind, flag } = CONDITIONS[name];
  const option = new Option(flag.form, flag.help);
  return { name, option, key: option.attributeName(), reader: READERS[kind] };
});

/** A parser that refuses what a hub would refuse. */
function checked(name: ConditionName, reader: Reader): Reader {
  return (text, earlier) => {
    const value = reader(text, earlier);
    const result = CONDITIONS[name].schema.safeParse(value);
    if (result.success) return value;
    const message = result.error.issues[0]?.message ?? 'is not acceptable';
    throw new InvalidArgumentError(
      /^(?:must|is|has)\b/.test(message)
        ? `It ${message}.`
        : `${message[0]!.toUpperCase()}${message.slice(1)}.`,
    );
  };
}

/** Adds the filters as flags. */
export function withFilterFlags(command: Command): Command {
  for (const { name, option, reader } of FLAGS) {
    const own = new Option(option.flags, option.description);
    command.addOption(reader === undefined ? own : own.argParser<unknown>(checked(name, reader)));
  }
  return command.option('--gpu <count>', 'at least this many GPUs: short for --min gpu=…', wholeNumber);
}

/** The filter given by flags. */
export function filterOf(flags: FilterFlags): FilterInput {
  const filter = Object.fromEntries(
    FLAGS.flatMap(({ name, key }) => {
      const said = flags[key];
      if (said === undefined) return [];
      const condition = CONDITIONS[name];
      return [[name, condition.kind === 'only' ? condition.value : said]];
    }),
  ) as FilterInput;
  const { gpu } = flags;
  return typeof gpu === 'number' ? { ...filter, min: { ...filter.min, gpu } } : filter;
}
