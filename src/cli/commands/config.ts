import type { Command } from 'commander';
import { notes } from '../help/notes.js';
import { type CheckedSetting, checkSettings, ConfigError, openSources, problemsOf } from '../../config.js';
import { SETTING_NAMES, SETTINGS } from '../../settings.js';
import { EXIT } from '../exit-codes.js';
import { type HubFlags, settingsOf, withHubFlags } from '../hub/hub-flags.js';
import { printable } from '../terminal.js';

interface ConfigFlags extends HubFlags {
  check?: boolean;
  json?: boolean;
}

/** `discovery-hub config`: every setting of the hub, its value, and where that comes from. */
export function addConfig(program: Command): void {
  withHubFlags(program.command('config'))
    .description('print every setting of the hub, its value and where it comes from')
    .option('--check', 'print which settings are invalid, or that none is; exit status 78 if one is')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      notes(
        '\nExample:\n  discovery-hub config\n  discovery-hub config --check && systemctl restart discovery-hub',
      ),
    )
    .action(showConfig);
}

function showConfig(flags: ConfigFlags): void {
  let settings: CheckedSetting[];
  let warnings: string[];
  try {
    const sources = openSources(process.env, '.env', settingsOf(flags));
    settings = checkSettings(sources);
    warnings = sources.warnings(SETTING_NAMES);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${printable(error.message)}\n`);
    process.exitCode = EXIT.config;
    return;
  }
  const problems = problemsOf(settings);
  if (flags.json === true) printJson(settings, problems, warnings);
  else {
    if (flags.check !== true) printLines(settings);
    for (const line of [...problems, ...warnings]) process.stderr.write(`${printable(line)}\n`);
    if (flags.check === true && problems.length === 0) process.stdout.write('All settings are valid.\n');
  }
  if (problems.length > 0) process.exitCode = EXIT.config;
}

function printLines(settings: readonly CheckedSetting[]): void {
  const rows = settings.map(
    (setting) => [`DISCOVERY_${setting.name}`, textOf(setting), originOf(setting)] as const,
  );
  const width = (column: 0 | 1): number => Math.max(...rows.map((row) => row[column].length));
  const [names, values] = [width(0), width(1)];
  for (const [name, value, origin] of rows)
    process.stdout.write(`${name.padEnd(names)}  ${value.padEnd(values)}  ${origin}\n`);
}

function printJson(settings: readonly CheckedSetting[], problems: string[], warnings: string[]): void {
  const shown = settings.map((setting) => [
    `DISCOVERY_${setting.name}`,
    {
      value: textOf(setting),
      from: setting.given?.from ?? 'default',
      variable: setting.given?.variable ?? null,
    },
  ]);
  process.stdout.write(
    `${JSON.stringify({ settings: Object.fromEntries(shown) as object, problems, warnings }, null, 2)}\n`,
  );
}

/** The effective text. No setting is secret: keys, certificates and passwords are given as file names. */
function textOf({ name, given }: CheckedSetting): string {
  const text = given === null || given.text === '' ? SETTINGS[name].fallback : given.text;
  return printable(text);
}

function originOf({ name, given }: CheckedSetting): string {
  if (given === null) return 'default';
  const alias = given.variable === `DISCOVERY_${name}` ? '' : ` as ${given.variable}`;
  return given.from === 'command line' ? given.from : `${given.from}${alias}`;
}
