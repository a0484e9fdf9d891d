import type { Command } from 'commander';

/** An option or argument, as help shows it. */
export interface Described {
  /** E.g. `-o, --output <form>`. */
  term: string;
  about: string;
}

/** An option as shells complete it. */
export interface OptionNode extends Described {
  /** E.g. `-o` and `--output`. */
  flags: string[];
  takesValue: boolean;
  /** What the value can be; null where it is free. */
  choices: readonly string[] | null;
  /** Whether the value is the path of a file or folder. */
  isPath: boolean;
}

/** A command with those below it. */
export interface CommandNode {
  /** From the program on, e.g. `['discovery-hub', 'context', 'add']`. */
  path: string[];
  /** Further names of it, e.g. `['id']`. */
  aliases: readonly string[];
  about: string;
  usage: string;
  arguments: Described[];
  options: OptionNode[];
  commands: CommandNode[];
  /** What its help says after all that. */
  notes: string;
}

const PATHS = /<(?:file|path|json|folder)>/;

/** Reads a command and all those below it, the very way `--help` does. */
export function readTree(command: Command, above: readonly string[] = []): CommandNode {
  const help = command.createHelp();
  const path = [...above, command.name()];
  return {
    path,
    aliases: command.aliases(),
    about: command.description(),
    usage: help.commandUsage(command),
    arguments: help.visibleArguments(command).map((argument) => ({
      term: help.argumentTerm(argument),
      about: help.argumentDescription(argument),
    })),
    options: help.visibleOptions(command).map((option) => ({
      term: help.optionTerm(option),
      about: help.optionDescription(option),
      flags: [option.short, option.long].filter((flag) => flag !== undefined),
      takesValue: option.required || option.optional,
      choices: option.argChoices ?? null,
      isPath: PATHS.test(option.flags),
    })),
    // Every command has a "help" below it, which is no more than --help.
    commands: help
      .visibleCommands(command)
      .filter((below) => below.name() !== 'help')
      .map((below) => readTree(below, path)),
    notes: notesOf(command),
  };
}

/** What follows the lists of a command's help. */
function notesOf(command: Command): string {
  let whole = '';
  const output = command.configureOutput();
  command.configureOutput({
    writeOut: (text) => {
      whole += text;
    },
  });
  command.outputHelp();
  command.configureOutput(output);
  return whole.slice(command.helpInformation().length).trim();
}

/** A command and all those below it. */
export function flatten(node: CommandNode): CommandNode[] {
  return [node, ...node.commands.flatMap(flatten)];
}

/** All names of a command where it stands: its own, and those beside. */
export function namesOf({ path, aliases }: CommandNode): string[] {
  return [path.at(-1)!, ...aliases];
}

/** The commands that lead to one, from the first below the program to itself. */
export function chainTo(tree: CommandNode, { path }: CommandNode): CommandNode[] {
  const chain: CommandNode[] = [];
  for (const name of path.slice(1)) {
    chain.push((chain.at(-1) ?? tree).commands.find((below) => below.path.at(-1) === name)!);
  }
  return chain;
}

/** All ways to write a command after the program's name, the usual one first, e.g. `context add`. */
export function spellingsOf(tree: CommandNode, command: CommandNode): string[] {
  return chainTo(tree, command).reduce<string[]>(
    (spellings, one) => spellings.flatMap((before) => namesOf(one).map((name) => `${before} ${name}`.trim())),
    [''],
  );
}
