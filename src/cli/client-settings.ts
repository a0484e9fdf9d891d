import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { parse } from 'dotenv';
import { DiscoveryError } from '../client/node.js';
import { contextNamed, readContexts } from './contexts.js';

/** The options of client commands that have a value without a flag, with the names of their variables. */
const SETTINGS = { url: 'URL', key: 'KEY' } as const;
const PREFIXES = ['DISCOVERY_', 'GOLEM_DISCOVERY_'] as const;

/** The note in `--help` about where such values come from. */
export const PRECEDENCE =
  'Hub and key, in order of precedence: the flags, DISCOVERY_URL and DISCOVERY_KEY in the environment, the same in .env, the current context.';

/** `--context`, for one call. */
export function contextOption(): Option {
  return new Option('--context <name>', 'use the hub and key of this context, instead of the current one');
}

/**
 * Sets `--url` and `--key` of a command if no flag does: from the context named by `--context`, the environment, `.env`, or the current
 * context, in this order. Otherwise their defaults stay.
 * @throws DiscoveryError `USAGE` for a context that does not exist, and files that cannot be read.
 */
export function applyClientSettings(command: Command): void {
  const missing = Object.keys(SETTINGS).filter((name): name is keyof typeof SETTINGS => {
    const source = command.getOptionValueSource(name);
    return source !== undefined && source !== 'cli';
  });
  if (missing.length === 0) return;
  const { context: named } = command.opts<{ context?: string }>();
  const contexts = readContexts();
  const chosen = named === undefined ? undefined : contextNamed(named, contexts);
  const current = contexts.current === null ? undefined : contexts.contexts[contexts.current];
  const file = readDotenv();
  for (const name of missing) {
    const variables = PREFIXES.map((prefix) => prefix + SETTINGS[name]);
    const said = [
      chosen?.[name],
      ...variables.map((variable) => process.env[variable]),
      ...variables.map((variable) => file[variable]),
      current?.[name],
    ].find((value) => value !== undefined && value.trim() !== '');
    if (said !== undefined) command.setOptionValueWithSource(name, said.trim(), 'config');
  }
}

function readDotenv(): Partial<Record<string, string>> {
  try {
    return parse(readFileSync('.env'));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // Ignores a folder of that name, which Python tools create.
    if (code === 'ENOENT' || code === 'EISDIR') return {};
    throw new DiscoveryError('USAGE', `.env cannot be read: ${message}`, { cause: error });
  }
}
