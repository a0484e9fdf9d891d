import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import * as z from 'zod';
import { DiscoveryError } from '../client/node.js';

/** A hub that the user works with, and the user's key there. */
const contextSchema = z.strictObject({
  url: z.string(),
  /** The path of a file, never the key itself. */
  key: z.string().optional(),
});

const fileSchema = z.strictObject({
  /** The context used by default. */
  current: z.string().nullable(),
  contexts: z.record(z.string(), contextSchema),
});

export type Context = z.infer<typeof contextSchema>;
export type Contexts = z.infer<typeof fileSchema>;

/** The folder of this user's configuration: `$XDG_CONFIG_HOME/discovery-hub`, usually `~/.config/discovery-hub`. */
export function configFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const { XDG_CONFIG_HOME: folder = '' } = environment;
  // The specification says to ignore relative paths.
  return join(isAbsolute(folder) ? folder : join(homedir(), '.config'), 'discovery-hub');
}

function contextsFile(): string {
  return join(configFolder(), 'contexts.json');
}

/**
 * Reads the user's contexts; none if there is no file.
 * @throws DiscoveryError `USAGE` for an unusable file.
 */
export function readContexts(): Contexts {
  const path = contextsFile();
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { current: null, contexts: {} };
    throw new DiscoveryError('USAGE', `${path} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
  try {
    return fileSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new DiscoveryError(
      'USAGE',
      `${path} does not hold contexts; correct it, or remove it and add them again`,
      {
        cause,
      },
    );
  }
}

/** Writes the user's contexts atomically. Only the user may read them. */
export function writeContexts(contexts: Contexts): void {
  const path = contextsFile();
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}`;
  try {
    writeFileSync(draft, `${JSON.stringify(contexts, null, 2)}\n`, { mode: 0o600, flag: 'wx', flush: true });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw new DiscoveryError('USAGE', `${path} cannot be written: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/**
 * The context with a name.
 * @throws DiscoveryError `USAGE` if there is none, naming those that exist.
 */
export function contextNamed(name: string, { contexts }: Contexts): Context {
  if (Object.hasOwn(contexts, name)) return contexts[name]!;
  const known = Object.keys(contexts);
  const hint =
    known.length === 0
      ? 'there are none; add one with "discovery-hub context add"'
      : `there are ${known.join(', ')}`;
  throw new DiscoveryError('USAGE', `There is no context ${JSON.stringify(name)}: ${hint}.`);
}
