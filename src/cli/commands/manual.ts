import type { Command } from 'commander';
import { readTree } from '../help/command-tree.js';
import { manualPage } from '../help/manual.js';

/** `discovery-hub manual` */
export function addManual(program: Command): void {
  program
    .command('manual')
    .description('print the manual page, for man')
    .addHelpText('after', '\nExample:\n  discovery-hub manual | man -l -')
    .action(() => {
      process.stdout.write(manualPage(readTree(program), program.version() ?? ''));
    });
}
