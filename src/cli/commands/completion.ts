import { Argument, type Command } from 'commander';
import { notes } from '../help/notes.js';
import { readTree } from '../help/command-tree.js';
import { completionScript, type Shell, SHELLS } from '../help/completion.js';

/** `discovery-hub completion` */
export function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('print a script that makes a shell complete commands, flags and values')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText(
      'after',
      notes(`
To have it in every shell:
  bash  echo 'source <(discovery-hub completion bash)' >> ~/.bashrc
  zsh   echo 'source <(discovery-hub completion zsh)' >> ~/.zshrc    (after compinit)
  fish  discovery-hub completion fish > ~/.config/fish/completions/discovery-hub.fish

Example:
  source <(discovery-hub completion bash)`),
    )
    .action((shell: Shell) => {
      process.stdout.write(completionScript(shell, readTree(program)));
    });
}
