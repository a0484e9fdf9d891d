import type { Command } from 'commander';

/**
 * What follows the lists of a command's help, for commander's `addHelpText`, as wide as the terminal. A line that ends no sentence goes on in
 * the next; indented lines are folded below their indentation, and those indented by two stay as they are: examples, to be copied.
 */
export function notes(text: string): (context: { command: Command }) => string {
  return ({ command }) => {
    const width = command.configureOutput().getOutHelpWidth?.() ?? 80;
    const joined = text.replace(/^(\S.*[^.:\n])\n(?=\S)/gm, '$1 ');
    return joined
      .split('\n')
      .flatMap((line) => (/^ {2}\S/.test(line) ? [line] : fold(line, width)))
      .join('\n');
  };
}

/** Cuts a line between words, so that none of its parts is wider than `width`, if the words allow. */
function fold(line: string, width: number): string[] {
  const indentation = /^ */.exec(line)![0];
  const lines = [indentation];
  for (const word of line.trim().split(' ')) {
    const last = lines.at(-1)!;
    const longer = last === indentation ? last + word : `${last} ${word}`;
    if (longer.length <= width || last === indentation) lines[lines.length - 1] = longer;
    else lines.push(indentation + word);
  }
  return lines;
}
