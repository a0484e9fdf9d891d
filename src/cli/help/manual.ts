import { type CommandNode, type Described, flatten, spellingsOf } from './command-tree.js';

/** A text that troff takes as it is: nothing in it is a command, and hyphens can be searched for and copied. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .split('\n')
    .map((line) => (/^[.']/.test(line) ? `\\&${line}` : line))
    .join('\n');
}

const items = (entries: readonly Described[]): string[] =>
  entries.map(({ term, about }) => `.TP\n.B ${roff(term)}\n${roff(about)}`);

/** Notes are laid out for a terminal, and stay so. */
const verbatim = (text: string): string[] => (text === '' ? [] : [`.PP\n.nf\n${roff(text)}\n.fi`]);

/** The manual page of a command with all those below it, for `man`. */
export function manualPage(tree: CommandNode, version: string): string {
  const [program = ''] = tree.path;
  const sections = flatten(tree)
    .slice(1)
    .flatMap((command) => {
      const { usage, about, arguments: args, options, notes } = command;
      return [
        `.SS ${roff(spellingsOf(tree, command).join(', '))}`,
        `.B ${roff(usage)}`,
        `.PP\n${roff(`${about[0]?.toUpperCase() ?? ''}${about.slice(1)}.`)}`,
        ...items(args),
        ...items(options),
        ...verbatim(notes),
      ];
    });
  return `${[
    `.TH ${program.toUpperCase()} 1 "" "${program} ${version}"`,
    '.SH NAME',
    `${roff(program)} \\- ${roff(tree.about)}`,
    '.SH SYNOPSIS',
    `.B ${roff(tree.usage)}`,
    '.SH OPTIONS',
    ...items(tree.options),
    ...verbatim(tree.notes),
    '.SH COMMANDS',
    ...sections,
  ].join('\n')}\n`;
}
