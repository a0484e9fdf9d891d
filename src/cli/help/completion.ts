import { chainTo, type CommandNode, flatten, namesOf, type OptionNode, spellingsOf } from './command-tree.js';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** A script that has a shell complete commands, flags and the values that are known. */
export function completionScript(shell: Shell, tree: CommandNode): string {
  return { bash: forBash, zsh: forZsh, fish: forFish }[shell](tree);
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** The name of a command's part of a script: `discovery-hub context add` is `discovery_hub_context_add`. */
const functionOf = ({ path }: CommandNode): string => path.join('_').replaceAll('-', '_');

/** One line of help: the shells show it beside the word. */
const summary = (text: string): string => text.split('\n')[0]!;

/** What a command line up to the cursor leads to: the words from the program on choose a command. */
function forBash(tree: CommandNode): string {
  const name = functionOf(tree);
  const commands = flatten(tree);
  const values = (option: OptionNode): string => {
    if (option.choices !== null)
      return `COMPREPLY=($(compgen -W ${quoted(option.choices.join(' '))} -- "$word"))`;
    return option.isPath ? 'COMPREPLY=($(compgen -f -- "$word"))' : 'COMPREPLY=()';
  };
  const cases = commands.map((command) => {
    const words = [...command.commands.flatMap(namesOf), ...command.options.flatMap(({ flags }) => flags)];
    const withValue = command.options.filter(({ takesValue }) => takesValue);
    return `    ${spellingsOf(tree, command).map(quoted).join('|')})
      case "$before" in
${withValue.map((option) => `        ${option.flags.join('|')}) ${values(option)}; return ;;`).join('\n')}
        *) COMPREPLY=($(compgen -W ${quoted(words.join(' '))} -- "$word")) ;;
      esac ;;`;
  });
  const paths = commands.slice(1).flatMap((command) => spellingsOf(tree, command).map(quoted));
  return `# Completion of ${tree.path[0]!} for bash. Use it with: source <(${tree.path[0]!} completion bash)
_${name}() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command= next at
  for ((at = 1; at < COMP_CWORD; at++)); do
    next="\${command:+$command }\${COMP_WORDS[at]}"
    case "$next" in
      ${paths.join('|')}) command=$next ;;
    esac
  done
  case "$command" in
${cases.join('\n')}
  esac
}
complete -F _${name} ${tree.path[0]!}
`;
}

function forZsh(tree: CommandNode): string {
  const described = (word: string, about: string): string =>
    quoted(`${word.replaceAll(':', '\\:')}:${summary(about)}`);
  const spec = (option: OptionNode): string => {
    const about = summary(option.about).replace(/[[\]:]/g, '\\$&');
    const value = option.choices !== null ? `(${option.choices.join(' ')})` : option.isPath ? '_files' : ' ';
    const ending = option.takesValue ? `:value:${value}` : '';
    return option.flags.map((flag) => quoted(`*${flag}[${about}]${ending}`)).join(' ');
  };
  const functions = flatten(tree).map((command) => {
    const options = command.options.map(spec);
    if (command.commands.length === 0) {
      return `_${functionOf(command)}() {\n  _arguments ${[...options, `'*: :_files'`].join(' \\\n    ')}\n}`;
    }
    const below = command.commands;
    return `_${functionOf(command)}() {
  local line state
  _arguments -C ${[...options, `'1: :->command'`, `'*:: :->arguments'`].join(' \\\n    ')}
  case $state in
    command)
      local -a commands=(
${below.flatMap((one) => namesOf(one).map((name) => `        ${described(name, one.about)}`)).join('\n')}
      )
      _describe command commands ;;
    arguments)
      case $line[1] in
${below.map((one) => `        ${namesOf(one).join('|')}) _${functionOf(one)} ;;`).join('\n')}
      esac ;;
  esac
}`;
  });
  return `#compdef ${tree.path[0]!}
# Completion of ${tree.path[0]!} for zsh. Use it with: source <(${tree.path[0]!} completion zsh)
${functions.join('\n')}
compdef _${functionOf(tree)} ${tree.path[0]!}
`;
}

function forFish(tree: CommandNode): string {
  const program = tree.path[0]!;
  const lines = flatten(tree).flatMap((command) => {
    const below = command.commands.flatMap(namesOf);
    const seen = chainTo(tree, command).map((one) => `__fish_seen_subcommand_from ${namesOf(one).join(' ')}`);
    const none = below.length === 0 ? [] : [`not __fish_seen_subcommand_from ${below.join(' ')}`];
    const condition = quoted([...seen, ...none].join('; and '));
    const options = command.options.map((option) => {
      const flags = option.flags.map((flag) =>
        flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
      );
      const value =
        option.choices !== null
          ? ` -x -a ${quoted(option.choices.join(' '))}`
          : option.isPath
            ? ' -r -F'
            : option.takesValue
              ? ' -x'
              : '';
      return `complete -c ${program} -n ${condition} ${flags.join(' ')}${value} -d ${quoted(summary(option.about))}`;
    });
    return [
      ...command.commands.flatMap((one) =>
        namesOf(one).map(
          (name) => `complete -c ${program} -f -n ${condition} -a ${name} -d ${quoted(summary(one.about))}`,
        ),
      ),
      ...options,
    ];
  });
  return `# Completion of ${program} for fish. Use it with: ${program} completion fish | source\n${lines.join('\n')}\n`;
}
