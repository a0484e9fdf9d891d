import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'dotenv';
import { didYouMean } from './lib/did-you-mean.js';

export const PREFIXES = ['DISCOVERY_', 'GOLEM_DISCOVERY_'] as const;
/** Longer names are not typos. */
const MAX_NAME = 80;

/** The text of a setting, and where it comes from. */
export interface GivenText {
  /** The variable as it was written. */
  variable: string;
  /** As written, trimmed; empty to ask for the default. */
  written: string;
  /** Its equivalent in the present form, if it is a first-generation setting. */
  text: string;
  from: 'environment' | '.env' | 'command line';
}

type Variables = Readonly<Partial<Record<string, string>>>;

/** First-generation settings that have another name here, and how they translate. */
const EARLIER: Readonly<Record<string, (find: (name: string) => GivenText | null) => GivenText | null>> = {
  DB_URL: (find) => {
    const url = find('DATABASE_URL');
    if (url !== null) return url;
    const folder = find('DATABASE_DIR');
    const name = find('DATABASE_NAME');
    const given = folder ?? name;
    if (given === null) return null;
    // An empty text asks for the default, as everywhere.
    const or = (one: GivenText | null, usual: string): string =>
      one === null || one.text === '' ? usual : one.text;
    const path = join(or(folder, join(homedir(), '.golem', 'discovery')), or(name, 'discovery.db'));
    return { ...given, text: `sqlite:///${path}` };
  },
  ADVERTISEMENT_EXPIRY_SECONDS: (find) => {
    const minutes = find('ADVERTISEMENT_EXPIRY_MINUTES');
    if (minutes === null) return null;
    // If it is no number, the refusal names the variable the operator wrote.
    const seconds = /^\d{1,6}$/.test(minutes.text)
      ? String(Number(minutes.text) * 60)
      : `${minutes.text} minutes`;
    return { ...minutes, text: seconds };
  },
};
const EARLIER_NAMES = ['DATABASE_URL', 'DATABASE_DIR', 'DATABASE_NAME', 'ADVERTISEMENT_EXPIRY_MINUTES'];

/** Variables for client commands and the process manager, not for hubs. */
const OTHERS = new Set(['URL', 'KEY', 'CONTEXT', 'PASSPHRASE']);

/** What an operator has set: on the command line, in the environment, in `.env`, in this order of precedence. */
export class SettingSources {
  readonly #sources: readonly { from: GivenText['from']; variables: Variables }[];

  /**
   * @param flags Settings by name, without prefix, from the command line.
   * @param dotenvPath A file that may be missing.
   * @throws Error if the file exists but cannot be read; the message says what to do.
   */
  constructor(flags: Variables, environment: Variables, dotenvPath: string) {
    const named = Object.entries(flags).map(([name, text]) => [PREFIXES[0] + name, text] as const);
    this.#sources = [
      { from: 'command line', variables: Object.fromEntries(named) },
      { from: 'environment', variables: environment },
      { from: '.env', variables: readDotenv(dotenvPath) },
    ];
  }

  /** The text of a setting; null if it was not set. */
  find(name: string): GivenText | null {
    return this.#named(name) ?? EARLIER[name]?.((earlier) => this.#named(earlier)) ?? null;
  }

  /** One warning for each variable that has one of our prefixes but is no setting. */
  warnings(names: readonly string[]): string[] {
    const known = [...names, ...EARLIER_NAMES];
    const lines: string[] = [];
    for (const { from, variables } of this.#sources) {
      for (const variable of Object.keys(variables).sort()) {
        const prefix = PREFIXES.find((one) => variable.startsWith(one));
        const name = variable.slice(prefix?.length);
        if (prefix === undefined || known.includes(name) || OTHERS.has(name)) continue;
        const meant = variable.length > MAX_NAME ? null : didYouMean(name, names);
        const hint =
          meant === null ? 'discovery-hub config lists those that are' : `did you mean ${prefix}${meant}?`;
        lines.push(`${variable.slice(0, MAX_NAME)} (${from}) is not a setting and has no effect; ${hint}`);
      }
    }
    return lines;
  }

  #named(name: string): GivenText | null {
    for (const { from, variables } of this.#sources) {
      for (const prefix of PREFIXES) {
        const variable = prefix + name;
        const written = variables[variable]?.trim();
        if (written !== undefined) return { variable, written, text: written, from };
      }
    }
    return null;
  }
}

/** Ignores a folder of that name, which Python tools create. */
function readDotenv(path: string): Variables {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats === undefined || stats.isDirectory() ? {} : parse(readFileSync(path));
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new Error(
      `${path} exists but cannot be read (${code}): let the user that runs the hub read it, or remove it`,
      { cause: error },
    );
  }
}
