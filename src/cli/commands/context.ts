import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { notes } from '../help/notes.js';
import { DiscoveryClient, DiscoveryError } from '../../client/node.js';
import { PRECEDENCE } from '../client-settings.js';
import { contextNamed, readContexts, writeContexts } from '../contexts.js';
import { coloursFor, printable, widthOf } from '../terminal.js';
import { cut, displayWidth, pad } from '../tables/text.js';

/** `discovery-hub context` */
export function addContext(program: Command): void {
  const context = program
    .command('context')
    .description('manage the hubs that you work with, and your keys there')
    .addHelpText(
      'after',
      notes(`
A context has the address of a hub and the path of a key file. They are kept in a file that only you may read:
$XDG_CONFIG_HOME/discovery-hub/contexts.json, usually below ~/.config.

${PRECEDENCE}
--context overrides everything except --url and --key.

Example:
  discovery-hub context add prod --url https://hub.example.org --key ~/prod.pem
  discovery-hub list --context prod`),
    );
  context
    .command('add')
    .description('add a context, or change it; the first one becomes the current one')
    .argument('<name>', 'a short name', contextName)
    .requiredOption('--url <url>', 'the hub, e.g. https://hub.example.org')
    .option('--key <file>', 'the key file')
    .action(add);
  context
    .command('use')
    .description('make a context the current one')
    .argument('<name>', 'the context')
    .action(use);
  context
    .command('list')
    .description('show the contexts; * marks the current one')
    .addOption(
      new Option('-o, --output <form>', 'how: table, json, or names only').choices(['table', 'json', 'name']),
    )
    .action(list);
  context
    .command('remove')
    .description('remove a context; its key file stays')
    .argument('<name>', 'the context')
    .action(remove);
}

function contextName(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text)) {
    throw new InvalidArgumentError('It has to be 1 to 64 letters, digits, ".", "_" and "-".');
  }
  return text;
}

function add(name: string, { url, key }: { url: string; key?: string }): void {
  // Refuses what is no address.
  new DiscoveryClient(url);
  if (key !== undefined && /^(?:0x)?[0-9a-f]{64}$|-----BEGIN/i.test(key)) {
    throw new DiscoveryError('USAGE', 'A context contains the path of a key file, not the key itself.');
  }
  const { current, contexts } = readContexts();
  const isNew = !Object.hasOwn(contexts, name);
  const entry = { url, ...(key === undefined ? {} : { key: resolve(key) }) };
  const chosen = current ?? name;
  writeContexts({ current: chosen, contexts: { ...contexts, [name]: entry } });
  process.stderr.write(
    `${isNew ? 'Added' : 'Changed'} ${name}${chosen === name ? ', the current context' : ''}.\n`,
  );
}

function use(name: string): void {
  const contexts = readContexts();
  contextNamed(name, contexts);
  writeContexts({ ...contexts, current: name });
  process.stderr.write(`${name} is the current context now.\n`);
}

function remove(name: string): void {
  const { current, contexts } = readContexts();
  contextNamed(name, { current, contexts });
  const { [name]: _removed, ...rest } = contexts;
  writeContexts({ current: current === name ? null : current, contexts: rest });
  process.stderr.write(`Removed ${name}${current === name ? '; no context is the current one now' : ''}.\n`);
}

function list({ output = 'table' }: { output?: 'table' | 'json' | 'name' }): void {
  const { current, contexts } = readContexts();
  const entries = Object.entries(contexts).sort(([a], [b]) => (a < b ? -1 : 1));
  const write = (line: string): boolean => process.stdout.write(`${line}\n`);
  if (output === 'json') {
    const rows = entries.map(([name, { url, key }]) => ({
      name,
      url,
      key: key ?? null,
      current: name === current,
    }));
    write(JSON.stringify(rows, null, 2));
  } else if (output === 'name') {
    for (const [name] of entries) write(name);
  } else if (entries.length === 0) {
    process.stderr.write('There are no contexts; add one with "discovery-hub context add".\n');
  } else {
    const rows = [
      ['  NAME', 'HUB', 'KEY'],
      ...entries.map(([name, { url, key }]) => [`${name === current ? '*' : ' '} ${name}`, url, key ?? '']),
    ].map((cells) => cells.map(printable));
    const widths = [0, 1, 2].map((at) => Math.max(...rows.map((cells) => displayWidth(cells[at]!))));
    const colours = coloursFor(process.stdout);
    for (const [row, cells] of rows.entries()) {
      const line = cells
        .map((cell, at) => pad(cell, widths[at]!, false))
        .join('  ')
        .trimEnd();
      const shown = cut(line, widthOf(process.stdout) ?? Infinity);
      write(row > 0 && entries[row - 1]![0] === current ? colours.green(shown) : shown);
    }
  }
}
