import type { Command } from 'commander';
import { notes } from '../help/notes.js';
import { readTree } from '../help/command-tree.js';
import { manualPage } from '../help/manual.js';

/** `discovery-hub manual` */
export function addManual(program: Command): void {
  program
    .command('manual')
    .description('print the manual page, for man')
    .addHelpText('after', notes('\nExample:\n  discovery-hub manual | man -l -'))
    .action(() => {
      process.stdout.write(manualPage(readTree(program), program.version() ?? ''));
    });
}
